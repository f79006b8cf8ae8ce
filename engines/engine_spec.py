"""What lies beside an engine file: what it was built from, with what, for what, and how it did."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads the annotations at run time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engines.spec import RoleName, TensorSpec  # noqa: TC001

ENGINE_FORMAT = 1
"""Version of the side-car's format; a reader refuses newer ones."""

EnginePrecision = Literal["fp32", "fp16", "bf16"]
TensorRtName = Literal["tensorrt", "tensorrt-rtx"]
TITLES: dict[TensorRtName, str] = {"tensorrt": "TensorRT", "tensorrt-rtx": "TensorRT-RTX"}


TARGET_MASKS = "target_segmentation"
CARRY_MASKS = "carry_masks"
"""A further input of engines that paint: whether the avatar's own masks are carried along instead of taking others."""
CARRIED_MASKS = "carried_segmentation"
"""A further output of theirs: the masks that were used."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Machine(_Frozen):
    """What an engine is built for, or what it shall run on."""

    backend: TensorRtName
    version: str = Field(description="of TensorRT")
    cuda: str | None = Field(None, description="version of CUDA that the bindings bring, such as 13.0")
    driver: str | None = Field(None, description="newest CUDA that the driver knows; None without a driver")
    device: str | None = Field(None, description="name of the GPU; None without one")
    capabilities: tuple[str, ...] = Field((), description="compute capabilities, such as 8.9")


class BuildOptions(_Frozen):
    """How an engine is built; what is None is TensorRT's own choice."""

    precision: EnginePrecision = "fp16"
    workspace_mib: int | None = Field(None, ge=1, description="scratch memory that the engine may use, MiB")
    optimisation: int | None = Field(None, ge=0, le=5, description="0 builds fastest, 5 searches longest")
    version_compatible: bool = Field(default=False, description="loads into later versions of the same major one, too")


class EngineParity(_Frozen):
    """How far an output of the saved engine is from ONNX Runtime in float32, over all inputs that were compared."""

    max_difference: float = Field(ge=0)
    mean_difference: float = Field(ge=0)
    psnr: float | None = Field(None, description="of pictures, dB; None for other tensors")


class Latency(_Frozen):
    """Milliseconds from the copy in to the end of the copy out."""

    p50: float = Field(ge=0)
    p99: float = Field(ge=0)


class EngineSpec(_Frozen):
    """The whole of a side-car."""

    format_version: int = ENGINE_FORMAT
    model: str = Field(description="its name")
    family: str
    role: RoleName
    model_sha256: str = Field(description="of model.json")
    onnx_sha256: str = Field(description="of the role's ONNX file")
    engine_sha256: str
    engine_bytes: int = Field(ge=1)
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    machine: Machine
    options: BuildOptions
    built_at: datetime
    build_s: float = Field(ge=0, description="seconds")
    parity: dict[str, EngineParity] = Field(default_factory=dict, description="by output; empty if not verified")
    latency: Latency | None = Field(None, description="None if not measured")

    def difference(self, here: Machine) -> str | None:
        """Why the engine must not be loaded on this machine, as words after its name; None if it may be."""
        built = self.machine
        target, this = None, None
        if not set(here.capabilities) & set(built.capabilities):
            target, this = f"compute capability {_listed(built.capabilities)}", _listed(here.capabilities)
        elif here.backend == "tensorrt" and built.device != here.device:
            # The same capability would run it, but its kernels were chosen by timing another card.
            target, this = built.device, here.device
        is_other_version = built.version != here.version and not (
            self.options.version_compatible and _may_load(built.version, here.version)
        )
        title = TITLES[built.backend]
        if target and is_other_version:
            return f"was built for {target} with {title} {built.version}; this is {this} with {here.version}"
        if target:
            return f"was built for {target}; this is {this}"
        return f"was built with {title} {built.version}; this is {here.version}" if is_other_version else None


def _listed(capabilities: tuple[str, ...]) -> str:
    return ", ".join(capabilities) or "no GPU"


def _may_load(built: str, here: str) -> bool:
    """Whether a later version of the same major one runs here."""
    old, new = _numbers(built), _numbers(here)
    return old[:1] == new[:1] and old <= new


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
