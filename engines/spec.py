"""What `model.json` says: the contract between a model folder and every program that reads it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

FORMAT_VERSION = 1
"""Version of the model folder's format; a reader refuses newer ones."""

Dtype = Literal["uint8", "float32", "float16", "bool"]
Family = Literal["mcs", "fomm", "compact"]
RoleName = Literal["segmenter", "encoder", "generator", "swapper"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TensorSpec(_Frozen):
    """One input or output of a graph."""

    name: str
    shape: tuple[int, ...]
    dtype: Dtype


class Parity(_Frozen):
    """How far a graph's output is from the networks it was exported from, on one seeded input."""

    max_difference: float = Field(ge=0)
    mean_difference: float = Field(ge=0)


class RoleSpec(_Frozen):
    """One graph of the folder."""

    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    parity: dict[str, Parity] = Field(default_factory=dict, description="by output name")


class ModelSpec(_Frozen):
    """The whole of `model.json`."""

    format_version: int = FORMAT_VERSION
    name: str
    family: Family
    size: int = Field(ge=32, description="side of the square pictures, pixels")
    parts: int = Field(ge=1, description="moving parts, background not counted")
    part_names: tuple[str, ...] = Field(description="one per part, background not counted")
    align_corners: bool
    precision: Literal["fp32", "fp16", "int8"] = "fp32"
    licence: str = Field(description="of the weights")
    provenance: str = Field(description="where the weights come from: checkpoint, its sha256, or the training run")
    configuration: dict[str, JsonValue] = Field(default_factory=dict, description="of the networks, by the family")
    roles: dict[RoleName, RoleSpec]
