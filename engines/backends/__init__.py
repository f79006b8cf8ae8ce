"""The runtimes, by name. Listing and choosing them imports no vendor package."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from engines.backends.onnxrt import OnnxRuntimeBackend
from engines.backends.onnxrt_cuda import OnnxRuntimeCudaBackend
from engines.backends.ovino import OpenVinoBackend
from engines.backends.trt import TensorRtBackend, TensorRtRtxBackend
from engines.errors import BackendError

if TYPE_CHECKING:
    from engines.backends.base import Backend, BackendSettings
    from engines.model_folder import ModelFolder

log = logging.getLogger(__name__)

AUTO = "auto"
_BACKENDS: tuple[type[Backend], ...] = (
    TensorRtBackend,
    TensorRtRtxBackend,
    OnnxRuntimeCudaBackend,
    OpenVinoBackend,
    OnnxRuntimeBackend,
)
"""In the order in which `auto` prefers them."""


def names() -> tuple[str, ...]:
    """All backends, usable here or not, in the order in which `auto` prefers them."""
    return tuple(backend.name for backend in _BACKENDS)


def get(name: str) -> Backend:
    """The backend of that name.

    Raises:
        BackendError: there is none.
    """
    for backend in _BACKENDS:
        if backend.name == name:
            return backend()
    raise BackendError(f"there is no backend {name!r}; choose {', '.join((AUTO, *names()[:-1]))} or {names()[-1]}")


def suitable(name: str, model: ModelFolder, settings: BackendSettings) -> list[Backend]:
    """The backend of that name, or with `auto` all that can run the model here with these settings, best first.

    Raises:
        BackendError: it cannot, or none can; the message says why of each.
    """
    found, reasons = [], []
    for backend in [get(each) for each in names()] if name == AUTO else [get(name)]:
        reason = backend.why_unavailable() or backend.why_unsuitable(model, settings)
        if reason is None:
            found.append(backend)
            continue
        log.info("backend %s not chosen: %s", backend.name, reason)
        reasons.append(f"{backend.name}: {reason}")
    if not found:
        raise BackendError("; ".join(reasons))
    return found
