"""TensorRT and TensorRT-RTX: the same classes under another module's name, and engines that were built before."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from engines import engine_files
from engines.backends import trt_vendor
from engines.backends.base import Backend, BackendSettings, Engine
from engines.backends.cuda import Cuda
from engines.backends.trt_engine import TrtEngine
from engines.engine_spec import TITLES, EnginePrecision
from engines.errors import BackendError, GpuError

if TYPE_CHECKING:
    from pathlib import Path

    from engines.engine_spec import TensorRtName
    from engines.model_folder import ModelFolder
    from engines.spec import RoleName, RoleSpec

log = logging.getLogger(__name__)

ORDER: tuple[EnginePrecision, ...] = ("fp16", "bf16", "fp32")
"""In which `auto` precision looks for engines."""


class TensorRtBackend(Backend):
    """Engines that `tools/build_engines.py` built, on the first GPU; whatever does not fit this machine is refused."""

    name: TensorRtName = "tensorrt"
    needs_gpu = True

    def why_unavailable(self) -> str | None:
        """See `Backend`."""
        try:
            missing = trt_vendor.why_no_gpu(self.name)
        except BackendError as error:
            return str(error)
        return None if missing is None else f"{missing}; choose another backend"

    def why_unsuitable(self, model: ModelFolder, settings: BackendSettings) -> str | None:
        """See `Backend`."""
        try:
            for role in ("segmenter", "encoder", "generator"):
                self._find(model, role, settings)
        except BackendError as error:
            return str(error)
        return None

    def describe(self, settings: BackendSettings) -> str:
        """See `Backend`."""
        here = trt_vendor.machine(self.name)
        precision = "" if settings.precision == "auto" else f", {settings.precision}"
        return f"{TITLES[self.name]} {here.version}, {here.device}{precision}"

    def load(self, model: ModelFolder, role: RoleName, settings: BackendSettings) -> Engine:
        """See `Backend`."""
        reason = self.why_unavailable()
        if reason:
            raise BackendError(reason)
        return open_engine(self._find(model, role, settings), model.spec.roles[role])

    def _find(self, model: ModelFolder, role: RoleName, settings: BackendSettings) -> engine_files.EngineFile:
        """The engine that fits; with `auto` precision the first there is.

        Raises:
            BackendError: there is none; the sentence is about the first precision that was looked for.
        """
        if settings.precision == "int8":
            raise BackendError(f"{TITLES[self.name]} has no int8 engines here; choose precision fp16, bf16 or fp32")
        wanted = ORDER if settings.precision == "auto" else (settings.precision,)
        here, folder = trt_vendor.machine(self.name), settings.engine_folder or engine_files.default_folder()
        model.file(role)  # named if it is not there
        first: BackendError | None = None
        for precision in wanted:
            try:
                return engine_files.find(folder, model, role, precision=precision, here=here)
            except BackendError as error:
                first = first or error
        assert first is not None
        raise first


class TensorRtRtxBackend(TensorRtBackend):
    """The same with TensorRT-RTX, whose engines fit every GPU that they were built for."""

    name: TensorRtName = "tensorrt-rtx"


def open_engine(file: engine_files.EngineFile, entry: RoleSpec) -> TrtEngine:
    """Load an engine that fits this machine, for the role that it was built from.

    Raises:
        BackendError: the file was changed, or TensorRT cannot read it.
        GpuError: there is not enough memory.
    """
    started = time.perf_counter()
    cuda = Cuda(trt_vendor.import_cudart())
    try:
        engine = TrtEngine(Loaded.open(file), entry, cuda)
    except BaseException:
        cuda.close()
        raise
    log.info("engine %s loaded in %.1f s", file.path.name, time.perf_counter() - started)
    return engine


@dataclass
class Loaded:
    """An engine that TensorRT has read, and what must live as long as it."""

    file: engine_files.EngineFile
    trt: Any
    engine: Any
    context: Any
    _logger: Any = field(repr=False)
    _runtime: Any = field(repr=False)
    _cache: Any = field(default=None, repr=False)
    """Of kernels that TensorRT-RTX compiled for this GPU."""

    @classmethod
    def open(cls, file: engine_files.EngineFile) -> Loaded:
        """See `open_engine`."""
        name = file.spec.machine.backend
        trt = trt_vendor.import_trt(name)
        logger = trt_vendor.logger(trt)
        runtime = trt.Runtime(logger)
        # Such an engine brings a small runtime along; its bytes were just seen to be those that were built here.
        runtime.engine_host_code_allowed = file.spec.options.version_compatible
        engine = runtime.deserialize_cuda_engine(file.content())
        if engine is None:
            raise BackendError(
                f"{TITLES[name]} cannot read {file.path} ({_last(logger)}); build it again with {engine_files.TOOL}"
            )
        cache = None
        if name == "tensorrt-rtx":
            config = engine.create_runtime_config()
            cache = _runtime_cache(config, _cache_path(file.path))
            context = engine.create_execution_context(config)
        else:
            context = engine.create_execution_context()
        if context is None:
            raise GpuError(f"the GPU has no room for {file.path.name} ({_last(logger)}); close what else uses it")
        return cls(file, trt, engine, context, logger, runtime, cache)

    def check_tensors(self) -> None:
        """Raise BackendError unless the engine's tensors are those that its side-car names, all of them on the GPU."""
        spec, engine, modes = self.file.spec, self.engine, self.trt.TensorIOMode
        wanted = {(each.name, True, each.shape, np.dtype(each.dtype)) for each in spec.inputs}
        wanted |= {(each.name, False, each.shape, np.dtype(each.dtype)) for each in spec.outputs}
        held = set()
        for index in range(engine.num_io_tensors):
            name = engine.get_tensor_name(index)
            dtype = np.dtype(self.trt.nptype(engine.get_tensor_dtype(name)))
            is_input = engine.get_tensor_mode(name) == modes.INPUT
            if engine.get_tensor_location(name) == self.trt.TensorLocation.DEVICE:
                held.add((name, is_input, tuple(engine.get_tensor_shape(name)), dtype))
        if held != wanted:
            odd = ", ".join(sorted(str(each[0]) for each in held ^ wanted))
            raise BackendError(
                f"{self.file.path} has other tensors than its side-car says ({odd}); build it again with "
                f"{engine_files.TOOL}"
            )

    def place(self, name: str, address: int) -> None:
        """Say where on the GPU a tensor lies; raises GpuError if TensorRT does not take it."""
        if not self.context.set_tensor_address(name, address):
            raise GpuError(f"TensorRT does not take the place of {name} in {self.file.path.name} ({self.last_error()})")

    def execute(self, stream: int) -> None:
        """Enqueue the engine; raises GpuError if TensorRT refuses."""
        if not self.context.execute_async_v3(stream):
            raise GpuError(f"TensorRT failed on {self.file.path.name} ({self.last_error()}); choose another backend")

    def can_be_captured(self, stream: int) -> bool:
        """Whether a run may become part of a CUDA graph; classic TensorRT only says so when it is tried."""
        ask = getattr(self.context, "is_stream_capturable", None)
        return ask is None or bool(ask(stream))

    def release(self) -> None:
        """Let TensorRT free what it holds, in the order that it wants."""
        self.context = self.engine = self._cache = None
        self._runtime = None

    def last_error(self) -> str:
        """The newest that TensorRT wrote."""
        return _last(self._logger)

    def keep_runtime_cache(self) -> None:
        """Save the kernels that were compiled, so that the next start need not."""
        if self._cache is None:
            return
        path = _cache_path(self.file.path)
        compiled = bytes(self._cache.serialize())
        try:
            if not path.is_file() or path.stat().st_size != len(compiled):
                engine_files.write_whole(path, compiled)
        except OSError as error:
            log.warning("%s cannot be written (%s); kernels are compiled again at every start", path, error.strerror)


def _runtime_cache(config: Any, path: Path) -> Any:
    cache = config.create_runtime_cache()
    if path.is_file() and not cache.deserialize(path.read_bytes()):
        log.info("%s is of another version or GPU; kernels are compiled anew", path)
    config.set_runtime_cache(cache)
    return cache


def _cache_path(engine: Path) -> Path:
    return engine.with_suffix(engine_files.KERNELS)


def _last(logger: Any) -> str:
    return logger.errors[-1] if logger.errors else "no reason given"
