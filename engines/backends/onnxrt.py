"""ONNX Runtime on the CPU: runs everywhere, and is the reference that other backends are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engines.backends.base import Array, Backend, BackendSettings, Engine
from engines.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engines.model_folder import ModelFolder
    from engines.spec import RoleName, RoleSpec


class OnnxRuntimeBackend(Backend):
    """`onnxruntime`, CPU, float32."""

    name = "onnxrt"

    def why_unavailable(self) -> str | None:
        """See `Backend`."""
        try:
            import onnxruntime  # noqa: F401
        except ImportError as error:
            return f"ONNX Runtime cannot be imported ({error}); install it with: pip install onnxruntime"
        return None

    def why_unsuitable(self, model: ModelFolder, settings: BackendSettings) -> str | None:
        """See `Backend`."""
        if settings.precision in ("auto", "fp32"):
            return None
        return f"ONNX Runtime computes in fp32 here, not in {settings.precision}; choose precision fp32, or ovino"

    def describe(self, settings: BackendSettings) -> str:
        """See `Backend`."""
        import onnxruntime

        return f"ONNX Runtime {onnxruntime.__version__}, CPU, fp32, {settings.thread_text}"

    def load(self, model: ModelFolder, role: RoleName, settings: BackendSettings) -> Engine:
        """See `Backend`."""
        reason = self.why_unavailable() or self.why_unsuitable(model, settings)
        if reason:
            raise BackendError(reason)
        path = model.file(role)
        return OnnxRuntimeEngine(_session(path, settings.threads), model.spec.roles[role], path)


class OnnxRuntimeEngine(Engine):
    """One inference session; outputs are fresh arrays."""

    def __init__(self, session: Any, spec: RoleSpec, path: Path) -> None:
        super().__init__({each.name: each for each in spec.inputs}, {each.name: each for each in spec.outputs})
        self._session = session
        self._path = path
        self._pinned: dict[str, Array] = {}

    def pin(self, tensors: Mapping[str, Array]) -> None:
        """See `Engine`; the arrays are copied."""
        self.check(tensors)
        self._pinned |= {name: np.array(tensor, order="C") for name, tensor in tensors.items()}

    def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """See `Engine`."""
        self.check_complete(self._pinned, tensors)
        if self._session is None:
            raise BackendError(f"the engine of {self._path.name} is closed; load it again")
        names = list(self.outputs)
        try:
            values = self._session.run(names, {**self._pinned, **tensors})
        except failures() as error:
            raise BackendError(f"ONNX Runtime failed on {self._path.name}: {error}") from error
        return dict(zip(names, values, strict=True))

    def close(self) -> None:
        """See `Engine`."""
        self._session = None
        self._pinned.clear()


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # it writes to standard error itself; errors reach us as exceptions
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except failures() as error:
        raise BackendError(f"ONNX Runtime cannot load {path} ({error}); import the model again") from error


def failures() -> tuple[type[Exception], ...]:
    """Everything ONNX Runtime raises: its exceptions have no common base but Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    kinds = (getattr(state, name) for name in dir(state))
    return (RuntimeError, *(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Exception)))
