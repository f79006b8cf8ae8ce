"""What may be changed while a picture is being driven; flags, panel and saved settings follow from these fields."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class LiveSettings(BaseModel):
    """How driving motion is carried over to the avatar; a change makes a new object: `LiveSettings(**changed)`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["relative", "absolute"] = Field(
        default="relative",
        title="Motion",
        description="relative: the avatar makes the driver's movements since the first frame, from its own pose; "
        "absolute: it takes the driver's place and pose",
    )
    strength: float = Field(
        default=1.0,
        ge=0.0,
        le=2.0,
        title="Strength",
        description="size of the movements in relative motion: 0 holds the avatar still, 1 is as driven, 2 doubles",
    )
    masks: Literal["driving", "avatar"] = Field(
        default="avatar",
        title="Part masks",
        description="which pixels move with a part: the driver's, or the avatar's own carried along by the motion",
    )
    adapt_scale: bool = Field(
        default=True,
        title="Adapt to head size",
        description="scale movements by the ratio of the avatar's size to the driver's in relative motion",
    )
    swap: tuple[str, ...] = Field(
        default=(),
        title="Part swap",
        description="parts to take from the avatar into the driving picture; none drives the avatar's whole picture",
    )
    swap_hard: bool = Field(
        default=False,
        title="Hard edges",
        description="cut swapped parts out at mask value 0.5 instead of blending them in",
    )
    swap_mask: Literal["driving", "avatar"] = Field(
        default="driving",
        title="Swap mask",
        description="whose mask says where a swapped part lies: the driver's, or the avatar's, warped",
    )
