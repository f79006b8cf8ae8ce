"""The runtimes, by name. Listing and choosing them imports no vendor package."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from engines.backends.onnxrt import OnnxRuntimeBackend
from engines.backends.ovino import OpenVinoBackend
from engines.errors import BackendError

if TYPE_CHECKING:
    from engines.backends.base import Backend, BackendSettings
    from engines.model_folder import ModelFolder

log = logging.getLogger(__name__)

AUTO = "auto"
_BACKENDS: tuple[type[Backend], ...] = (OpenVinoBackend, OnnxRuntimeBackend)
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
    raise BackendError(f"there is no backend {name!r}; choose {AUTO}, {' or '.join(names())}")


def choose(name: str, model: ModelFolder, settings: BackendSettings) -> Backend:
    """The backend of that name, or with `auto` the first that can run the model here with these settings.

    Raises:
        BackendError: it cannot, or none can; the message says why of each.
    """
    reasons = []
    for backend in [get(each) for each in names()] if name == AUTO else [get(name)]:
        reason = backend.why_unavailable() or backend.why_unsuitable(model, settings)
        if reason is None:
            return backend
        log.info("backend %s not chosen: %s", backend.name, reason)
        reasons.append(f"{backend.name}: {reason}")
    raise BackendError("; ".join(reasons))
