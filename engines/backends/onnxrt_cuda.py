"""ONNX Runtime's CUDA provider: stands in on NVIDIA GPUs for which there is no TensorRT.

It runs a model folder's graphs as they are, with nothing to build. Inputs stay where they are on the GPU, so an
avatar is copied once.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.backends.base import Array, Backend, BackendSettings, Engine
from engines.backends.onnxrt import failures
from engines.errors import BackendError, GpuError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engines.model_folder import ModelFolder
    from engines.spec import RoleName, RoleSpec

log = logging.getLogger(__name__)

PROVIDER = "CUDAExecutionProvider"
DEVICE, NUMBER = "cuda", 0
OPTIONS = {"device_id": str(NUMBER), "use_tf32": "0"}
"""TF32 rounds to eleven bits and is on by itself; what is called fp32 shall be it."""
CAPTURED = {**OPTIONS, "enable_cuda_graph": "1"}
"""The launches of a frame are captured once and repeated as one, which is why inputs and outputs keep their places;
graphs of which a part stays on the CPU are launched one by one."""
HOW = "pip uninstall -y onnxruntime; pip install 'onnxruntime-gpu[cuda,cudnn]'"
"""Both packages bring the same module, so that one has to go."""
CUDA_WORDS = re.compile(r"\bCUDA (failure [^;\n]*|Provider not available)")
FATAL, ERROR = 4, 3
"""Severities of ONNX Runtime's own log, which goes to standard error; every session warns there of nothing of ours."""


def import_onnxruntime() -> Any:
    """The `onnxruntime` module.

    Raises:
        ImportError: it is not installed.
    """
    import onnxruntime

    return onnxruntime


class OnnxRuntimeCudaBackend(Backend):
    """`onnxruntime-gpu`, first GPU, in the folder's own arithmetic."""

    name = "onnxrt-cuda"
    needs_gpu = True

    def why_unavailable(self) -> str | None:
        """See `Backend`."""
        try:
            return _why_no_cuda(import_onnxruntime())
        except ImportError as error:
            return f"ONNX Runtime cannot be imported ({error}); install it with: {HOW}"

    def why_unsuitable(self, model: ModelFolder, settings: BackendSettings) -> str | None:
        """See `Backend`."""
        held = model.spec.precision
        if held == "int8":
            return f"{model.path} holds int8 graphs, which are for processors; choose the model folder without them"
        if settings.precision in ("auto", held):
            return None
        return f"{model.path} holds {held} graphs, which ONNX Runtime takes as they are; choose precision {held}"

    def describe(self, settings: BackendSettings) -> str:
        """See `Backend`."""
        precision = "" if settings.precision == "auto" else f", {settings.precision}"
        return f"ONNX Runtime {import_onnxruntime().__version__}, CUDA{precision}"

    def load(self, model: ModelFolder, role: RoleName, settings: BackendSettings) -> Engine:
        """See `Backend`."""
        reason = self.why_unavailable() or self.why_unsuitable(model, settings)
        if reason:
            raise BackendError(reason)
        return OnnxRuntimeCudaEngine(model.file(role), model.spec.roles[role])


class OnnxRuntimeCudaEngine(Engine):
    """One inference session, with inputs and outputs on the GPU; what `run` gives are fresh arrays."""

    def __init__(self, path: Path, spec: RoleSpec) -> None:
        """Load a graph.

        Raises:
            BackendError: it is none.
            GpuError: it does not come to run on the GPU.
        """
        super().__init__({each.name: each for each in spec.inputs}, {each.name: each for each in spec.outputs})
        self._path = path
        self._pinned: set[str] = set()
        self._session = _session(path)
        self._binding = self._session.io_binding()
        self._there: dict[str, Any] = {}
        self._made: dict[str, Any] = {}
        ort = import_onnxruntime()
        try:
            for each in spec.inputs:
                self._there[each.name] = _on_gpu(ort, np.zeros(each.shape, each.dtype))
                self._binding.bind_ortvalue_input(each.name, self._there[each.name])
            for each in spec.outputs:
                self._made[each.name] = _on_gpu(ort, np.zeros(each.shape, each.dtype))
                self._binding.bind_ortvalue_output(each.name, self._made[each.name])
        except failures() as error:
            raise self._failure(error) from error

    def pin(self, tensors: Mapping[str, Array]) -> None:
        """See `Engine`; the tensors are copied to the GPU, once."""
        self.check(tensors)
        self._open()
        self._copy_in(tensors)
        self._pinned |= set(tensors)

    def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """See `Engine`.

        Raises:
            GpuError: the GPU is lost, or out of memory.
        """
        self.check_complete(self._pinned, tensors)
        self._open()
        self._copy_in(tensors)
        try:
            self._session.run_with_iobinding(self._binding)
            return {name: value.numpy() for name, value in self._made.items()}
        except failures() as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """See `Engine`."""
        self._session = self._binding = None
        self._there.clear()
        self._made.clear()
        self._pinned.clear()

    def _copy_in(self, tensors: Mapping[str, Array]) -> None:
        try:
            for name, tensor in tensors.items():
                self._there[name].update_inplace(np.asarray(tensor, order="C"))
            self._binding.synchronize_inputs()
        except failures() as error:
            raise self._failure(error) from error

    def _open(self) -> None:
        if self._session is None:
            raise BackendError(f"the engine of {self._path.name} is closed; load it again")

    def _failure(self, error: Exception) -> GpuError:
        return GpuError(f"ONNX Runtime failed on the GPU with {self._path.name} ({_first(error)}); free its memory, "
                        "or choose another backend")  # fmt: skip


@cache
def _why_no_cuda(ort: Any) -> str | None:
    """None if something can be put on the GPU; asked once, because it loads CUDA."""
    if PROVIDER not in ort.get_available_providers():
        return f"this ONNX Runtime ({ort.__version__}) has no CUDA; on an NVIDIA GPU replace it: {HOW}"
    said = io.StringIO()
    ort.set_default_logger_severity(FATAL)  # it writes to standard error itself
    try:
        with contextlib.redirect_stdout(said):
            ort.preload_dlls()
        _on_gpu(ort, np.zeros(1, np.float32))
    except failures() as error:
        return f"ONNX Runtime finds no CUDA that it can use ({_first(error)}); is the driver there? {HOW}"
    finally:
        ort.set_default_logger_severity(ERROR)
        log.info("loading CUDA: %s", said.getvalue().strip() or "done")
    return None


def _on_gpu(ort: Any, value: Array) -> Any:
    return ort.OrtValue.ortvalue_from_numpy(value, DEVICE, NUMBER)


def _session(path: Path) -> Any:
    try:
        session = _opened(path, CAPTURED)
    except BackendError as refusal:
        log.info("launched piece by piece: %s", refusal)
        session = _opened(path, OPTIONS)
    if PROVIDER not in session.get_providers():
        raise GpuError(f"ONNX Runtime does not run {path.name} on the GPU; {HOW}")
    return session


def _opened(path: Path, how: dict[str, str]) -> Any:
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = ERROR
    try:
        # Without a fall-back of its own, which would run on the CPU and print that.
        return ort.InferenceSession(str(path), options, providers=[(PROVIDER, how)], enable_fallback=0)
    except failures() as error:
        raise BackendError(f"ONNX Runtime cannot load {path} ({_first(error)}); import the model again") from error


def _first(error: Exception) -> str:
    """What it says of CUDA, without places in its source; else one line of what may be many."""
    found = CUDA_WORDS.search(str(error))
    if found is not None:
        return found.group().strip()
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
