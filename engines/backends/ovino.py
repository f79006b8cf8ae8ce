"""OpenVINO on the CPU: the fastest there, with bfloat16 arithmetic where the CPU has it."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.backends.base import Array, Backend, BackendSettings, Engine
from engines.backends.ovino_graph import keep_coordinates, merge_doublings
from engines.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engines.model_folder import ModelFolder
    from engines.spec import RoleName, RoleSpec

DEVICE = "CPU"
TELEMETRY = "openvino_telemetry"
_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}
"""An eight-bit graph says itself which layers are rounded; the rest is float32."""


def import_openvino() -> Any:
    """The `openvino` module, imported without its telemetry, which would report every start to its vendor.

    The package falls back to a stub when `openvino_telemetry` cannot be imported (openvino/tools/ovc, 2026.4); that
    also saves a thread and a fifth of a second. An `openvino` that is already imported stays as it is.

    Raises:
        ImportError: it is not installed.
    """
    if "openvino" in sys.modules or TELEMETRY in sys.modules:
        import openvino

        return openvino
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]  # makes its import raise ImportError
    try:
        import openvino
    finally:
        del sys.modules[TELEMETRY]
    return openvino


@cache
def openvino_core() -> Any:
    """The one `openvino.Core` of this process, which stays to its end.

    On processors with AMX OpenVINO gives the main thread a stack for signals and frees it with its last Core (seen with
    2026.4.1); the next Ctrl-C would then end the program with a segmentation fault.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    return import_openvino().Core()


class OpenVinoBackend(Backend):
    """The `openvino` package, CPU; `auto` precision is bf16 where OpenVINO itself would choose it.

    Coordinates are float32 in either; see `ovino_graph`.
    """

    name = "ovino"

    def why_unavailable(self) -> str | None:
        """See `Backend`."""
        try:
            import_openvino()
        except ImportError as error:
            return f"OpenVINO cannot be imported ({error}); install it with: pip install openvino"
        if DEVICE not in openvino_core().available_devices:
            return "OpenVINO does not support this processor; choose backend onnxrt"
        return None

    def why_unsuitable(self, model: ModelFolder, settings: BackendSettings) -> str | None:
        """See `Backend`."""
        if settings.precision == "int8" and model.spec.precision != "int8":
            return (
                f"{model.path} holds no int8 graphs; choose precision bf16 or fp32, or make some with tools/quantise.py"
            )
        if settings.precision == "fp16":
            return "OpenVINO computes in bf16 or fp32 on this processor, not in fp16; choose precision fp32"
        if settings.precision == "bf16" and not _has_bf16():
            return "this processor does not compute in bf16; choose precision fp32"
        return None

    def describe(self, settings: BackendSettings) -> str:
        """See `Backend`."""
        openvino = import_openvino()
        version = openvino.__version__.split("-")[0]
        device = openvino_core().get_property(DEVICE, "FULL_DEVICE_NAME")
        return f"OpenVINO {version}, {device}, {_precision(settings)}, {settings.thread_text}"

    def load(self, model: ModelFolder, role: RoleName, settings: BackendSettings) -> Engine:
        """See `Backend`."""
        reason = self.why_unavailable() or self.why_unsuitable(model, settings)
        if reason:
            raise BackendError(reason)
        path = model.file(role)
        return OpenVinoEngine(_compile(path, settings), model.spec.roles[role], path)


class OpenVinoEngine(Engine):
    """One inference request. Inputs are read where they lie; outputs lie in the request until the next run."""

    def __init__(self, compiled: Any, spec: RoleSpec, path: Path) -> None:
        super().__init__({each.name: each for each in spec.inputs}, {each.name: each for each in spec.outputs})
        self._path = path
        self._request = compiled.create_infer_request()
        self._tensor = import_openvino().Tensor
        self._pinned: dict[str, Array] = {}
        self._given: dict[str, Array] = {}

    def pin(self, tensors: Mapping[str, Array]) -> None:
        """See `Engine`; the arrays are copied, once."""
        self.check(tensors)
        for name, tensor in tensors.items():
            self._pinned[name] = np.array(tensor, order="C")
            self._set(name, self._pinned[name])

    def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """See `Engine`."""
        self.check_complete(self._pinned, tensors)
        if self._request is None:
            raise BackendError(f"the engine of {self._path.name} is closed; load it again")
        for name, tensor in tensors.items():
            # OpenVINO refuses to share memory that is read-only or not contiguous; only those are copied.
            self._given[name] = np.require(tensor, requirements=["C", "W"])
            self._set(name, self._given[name])
        try:
            self._request.infer()
        except RuntimeError as error:
            raise BackendError(f"OpenVINO failed on {self._path.name}: {error}") from error
        return {name: self._request.get_tensor(name).data for name in self.outputs}

    def close(self) -> None:
        """See `Engine`."""
        self._request = None
        self._pinned.clear()
        self._given.clear()

    def _set(self, name: str, tensor: Array) -> None:
        self._request.set_tensor(name, self._tensor(tensor, shared_memory=True))


def _compile(path: Path, settings: BackendSettings) -> Any:
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": _HINTS[_precision(settings)],
    }
    if settings.threads:
        options["INFERENCE_NUM_THREADS"] = settings.threads
    core = openvino_core()
    try:
        graph = core.read_model(path)
        merge_doublings(graph)
        if _precision(settings) == "bf16":
            keep_coordinates(graph)
        return core.compile_model(graph, DEVICE, options)
    except RuntimeError as error:
        raise BackendError(f"OpenVINO cannot load {path} ({error}); import the model again") from error


def _precision(settings: BackendSettings) -> str:
    if settings.precision != "auto":
        return settings.precision
    return "bf16" if prefers_bf16() else "fp32"


def prefers_bf16() -> bool:
    """Whether OpenVINO would choose bf16 here; it does where the processor itself computes in it."""
    openvino = import_openvino()
    chosen = openvino_core().get_property(DEVICE, "INFERENCE_PRECISION_HINT")
    return bool(chosen == openvino.Type.bf16)


def _has_bf16() -> bool:
    """Whether bf16 works here, if only by emulation."""
    return "BF16" in openvino_core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")
