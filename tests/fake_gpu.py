"""TensorRT's module as far as the project calls it, on the GPU of tests/fake_cudart.py.

An "engine" is the ONNX graph that it was built from, run by ONNX Runtime; what this cannot show is whether TensorRT and
CUDA behave like that.
"""

from __future__ import annotations

from enum import IntEnum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.fake_cudart import FakeCudart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAGIC = b"FAKE ENGINE "


class Severity(IntEnum):
    """`ILogger.Severity`."""

    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)


class FakeTrt:
    """The module `tensorrt`, or `tensorrt_rtx`."""

    class ILogger:
        """Its severities are attributes of it, too."""

        Severity = Severity
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = Severity

    class IProgressMonitor:
        """Nothing in it."""

    TensorLocation = SimpleNamespace(DEVICE="device", HOST="host")
    TensorIOMode = SimpleNamespace(INPUT="input", OUTPUT="output")
    MemoryPoolType = SimpleNamespace(WORKSPACE="workspace")
    BuilderFlag = SimpleNamespace(VERSION_COMPATIBLE="version compatible", TF32="tf32", REQUIRE_USER_ALLOCATION="user")
    NetworkDefinitionCreationFlag = SimpleNamespace(STRONGLY_TYPED=1)
    ComputeCapability = SimpleNamespace(SM75=75, SM89=89)

    def __init__(self, cudart: FakeCudart, version: str = "11.3.0") -> None:
        self.cudart = cudart
        self.__version__ = version
        self.spoil: Callable[[str, np.ndarray], np.ndarray] = lambda name, value: value
        """What engines do to their outputs, for tests of verification."""
        self.refuses_capture = False
        self.misses_capture = False
        """Whether runs are left out of graphs and nobody is told, as on another stream."""
        self.on_host: set[str] = set()
        """Tensors that engines want in memory of the host."""
        self.configs: list[Any] = []
        """Of every build."""

    def nptype(self, dtype: np.dtype) -> np.dtype:
        return dtype

    def Builder(self, logger: Any) -> Any:
        return _Builder(self, logger)

    def OnnxParser(self, network: Any, logger: Any) -> Any:
        def parse(graph: bytes) -> bool:
            network.graph = graph
            return True

        return SimpleNamespace(parse=parse, num_errors=0)

    def Runtime(self, logger: Any) -> Any:
        def deserialize(data: bytes) -> Any:
            if not data.startswith(MAGIC):
                logger.log(Severity.ERROR, "magic tag does not match")
                return None
            return _FakeEngine(self, data[len(MAGIC) :], logger)

        return SimpleNamespace(deserialize_cuda_engine=deserialize)


class _Builder:
    def __init__(self, trt: FakeTrt, logger: Any) -> None:
        self._trt = trt

    def create_network(self, flags: int) -> Any:
        assert flags == 2  # strongly typed
        return SimpleNamespace(graph=b"", num_layers=0)

    def create_builder_config(self) -> Any:
        config = SimpleNamespace(settings={}, flags={"tf32"}, progress_monitor=None)
        self._trt.configs.append(config)
        config.set_memory_pool_limit = config.settings.__setitem__
        config.capabilities = {}
        config.set_compute_capability = lambda capability, index: config.capabilities.update({index: capability})
        config.set_flag, config.clear_flag = config.flags.add, config.flags.discard
        config.create_timing_cache = lambda held: held
        config.set_timing_cache = lambda cache, ignore_mismatch: True
        config.get_timing_cache = lambda: SimpleNamespace(serialize=lambda: b"timings")
        return config

    def build_serialized_network(self, network: Any, config: Any) -> bytes | None:
        monitor = config.progress_monitor
        monitor.phase_start("Building engine", None, 4)
        for step in range(4):
            if not monitor.step_complete("Building engine", step):
                return None
        monitor.phase_finish("Building engine")
        return MAGIC + network.graph


class _FakeEngine:
    def __init__(self, trt: FakeTrt, graph: bytes, logger: Any) -> None:
        import onnx
        import onnxruntime

        self.trt, self.logger = trt, logger
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        model = onnx.load_from_string(graph)
        self.tensors = {value.name: ("input", value) for value in model.graph.input}
        self.tensors |= {value.name: ("output", value) for value in model.graph.output}
        self.num_io_tensors = len(self.tensors)

    def get_tensor_name(self, index: int) -> str:
        return list(self.tensors)[index]

    def get_tensor_mode(self, name: str) -> str:
        return self.tensors[name][0]

    def get_tensor_location(self, name: str) -> str:
        return "host" if name in self.trt.on_host else "device"

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(axis.dim_value for axis in self.tensors[name][1].type.tensor_type.shape.dim)

    def get_tensor_dtype(self, name: str) -> np.dtype:
        import onnx

        return onnx.helper.tensor_dtype_to_np_dtype(self.tensors[name][1].type.tensor_type.elem_type)

    def create_runtime_config(self) -> Any:
        def deserialize(data: bytes) -> bool:
            return data == b"kernels" and self.trt.cudart.has_context

        cache = SimpleNamespace(serialize=lambda: b"kernels", deserialize=deserialize)
        return SimpleNamespace(create_runtime_cache=lambda: cache, set_runtime_cache=lambda cache: True)

    def create_execution_context(self, config: Any = None) -> Any:
        return _FakeContext(self)


class _FakeContext:
    def __init__(self, engine: _FakeEngine) -> None:
        self._engine = engine
        self._addresses: dict[str, int] = {}

    def set_tensor_address(self, name: str, address: int) -> bool:
        side, held = self._engine.trt.cudart.memory[address]
        dtype, shape = self._engine.get_tensor_dtype(name), self._engine.get_tensor_shape(name)
        assert (side, held.nbytes) == ("device", int(np.prod(shape, dtype=int)) * dtype.itemsize)
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        trt = self._engine.trt
        if "execute" in trt.cudart.faults or (trt.refuses_capture and stream in trt.cudart.capturing):
            self._engine.logger.log(Severity.ERROR, "out of memory")
            return False
        if trt.misses_capture and stream in trt.cudart.capturing:
            return True
        trt.cudart.enqueue(stream, self._run)
        return True

    def _run(self) -> None:
        engine = self._engine
        modes = {name: mode for name, (mode, _) in engine.tensors.items()}
        given = {name: self._held(name).copy() for name in modes if modes[name] == "input"}
        names = [name for name in modes if modes[name] == "output"]
        for name, value in zip(names, engine.session.run(names, given), strict=True):
            self._held(name)[...] = engine.trt.spoil(name, value)

    def _held(self, name: str) -> np.ndarray:
        _, held = self._engine.trt.cudart.memory[self._addresses[name]]
        return held.view(self._engine.get_tensor_dtype(name)).reshape(self._engine.get_tensor_shape(name))


class FakeGpu:
    """Both modules, of one GPU."""

    def __init__(self, name: str = "RTX 4090", capability: tuple[int, int] = (8, 9), version: str = "11.3.0") -> None:
        self.cudart = FakeCudart(name=name, capability=capability)
        self.trt = FakeTrt(self.cudart, version)

    def install(self, patch: Any) -> FakeGpu:
        """Let the project find it, under both names, until the patch is undone."""
        patch.setattr("engines.backends.trt_vendor.import_trt", lambda name: self.trt)
        patch.setattr("engines.backends.trt_vendor.import_cudart", lambda: self.cudart)
        return self


def installed(patch: Any) -> Iterator[FakeGpu]:
    """For a fixture: a GPU that must be left clean."""
    gpu = FakeGpu().install(patch)
    yield gpu
    assert gpu.cudart.is_clean()
