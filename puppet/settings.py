"""What may be changed while a picture is being driven; flags, panel and saved settings follow from these fields."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads the annotations at run time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Channel = Annotated[int, Field(ge=0, le=255)]


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
    mouth: float = Field(
        default=1.0,
        ge=0.0,
        le=2.0,
        title="Mouth",
        description="size of the mouth's movements in relative motion, beside those of the head",
    )
    eyes: float = Field(
        default=1.0,
        ge=0.0,
        le=2.0,
        title="Eyes and brows",
        description="size of the movements of eyes, lids and brows in relative motion, beside those of the head",
    )
    head: float = Field(
        default=1.0,
        ge=0.0,
        le=2.0,
        title="Head",
        description="size of the movements of the head, and of all that is neither mouth nor eyes, in relative motion",
    )
    masks: Literal["driving", "avatar"] = Field(
        default="avatar",
        title="Part masks",
        description="which pixels move with a part: the driver's, or the avatar's own carried along by the motion",
    )
    size: Literal["auto", 256, 512, 768, 1024] = Field(
        default="auto",
        title="Picture size",
        description="pixels of a side; above the model's own, detail comes from the avatar picture; auto: "
        "what this machine is fast enough for",
    )
    adapt_scale: bool = Field(
        default=True,
        title="Adapt to head size",
        description="scale movements by the ratio of the avatar's size to the driver's in relative motion",
    )
    adapt_tilt: bool = Field(
        default=True,
        title="Adapt to head pose",
        description="allow for a driver whose head was tilted or turned in the reference frame, in relative motion",
    )
    limits: bool = Field(
        default=True,
        title="Keep parts together",
        description="hold parts back that would be moved or stretched beyond what faces do, in relative motion",
    )
    swap: tuple[str, ...] = Field(
        default=(),
        title="Part swap",
        description="parts to take from the avatar into the driving picture; none drives the avatar's whole picture",
    )
    swap_inverse: bool = Field(
        default=False,
        title="The other way round",
        description="all of the avatar, and the chosen parts of the driver",
    )
    swap_mask: Literal["both", "driving", "avatar"] = Field(
        default="both",
        title="Swap mask",
        description="whose mask says where a swapped part lies: the driver's, the avatar's, carried along, or both",
    )
    swap_hard: bool = Field(
        default=False,
        title="Hard edges",
        description="cut swapped parts out at mask value 0.5 instead of blending them in",
    )
    swap_feather: float = Field(
        default=0.25,
        ge=0.0,
        le=1.0,
        title="Feathering",
        description="how softly a swapped part passes over into the rest; 0 leaves the mask as the model made it",
    )
    swap_colour: bool = Field(
        default=True,
        title="Match colours",
        description="give swapped skin the tone and light of the skin around it; hair, lips and eyes keep their colour",
    )


class SwapPreset(BaseModel):
    """A way to swap parts, to be called again; fields as in `LiveSettings`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    swap: tuple[str, ...]
    swap_inverse: bool = False
    swap_mask: Literal["both", "driving", "avatar"] = "both"
    swap_hard: bool = False
    swap_feather: float = Field(0.25, ge=0.0, le=1.0)
    swap_colour: bool = True


class CameraSettings(BaseModel):
    """Which part of the camera's picture the model sees, and how it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    auto_framing: bool = Field(
        default=True,
        title="Find my face",
        description="frame the face whenever motion is calibrated; off: the middle of the picture is used",
    )
    follow_head: bool = Field(
        default=True,
        title="Follow my head",
        description="move and zoom the model's part of the picture slowly to where the head stays, and find it again "
        "when it was lost",
    )
    zoom: float = Field(
        default=1.0,
        ge=0.5,
        le=3.0,
        title="Zoom",
        description="size of the face in the model's picture; a change calibrates anew",
    )
    shift_x: float = Field(
        default=0.0,
        ge=-0.5,
        le=0.5,
        title="Move right",
        description="how far the model's part of the picture lies to the right, over its width",
    )
    shift_y: float = Field(
        default=0.0,
        ge=-0.5,
        le=0.5,
        title="Move down",
        description="how far the model's part of the picture lies below, over its height",
    )
    smoothing: float = Field(
        default=0.5,
        ge=0.0,
        le=1.0,
        title="Smoothing",
        description="calms trembling while the head rests; quick movements pass; 0 is off",
    )
    auto_calibrate: bool = Field(
        default=True,
        title="Calibrate by itself",
        description="in the first seconds, take a steadier moment nearer to the avatar's pose as the reference",
    )
    auto_recalibrate: bool = Field(
        default=False,
        title="Keep calibrating",
        description="later too, pass gently to a reference that is much nearer to the avatar's pose",
    )
    ease_to_rest: bool = Field(
        default=True,
        title="Rest while I am away",
        description="let the avatar come to rest within a second when the face is lost; follow again when it is there",
    )
    mirror_preview: bool = Field(
        default=True,
        title="Mirror my picture",
        description="show the camera's picture as a mirror does; the output does not change",
    )


class OutputSettings(BaseModel):
    """What is shown to others; size and rate of the output stay as they were at the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    show: Literal["avatar", "camera", "nothing"] = Field(
        default="avatar",
        title="Show",
        description="the avatar, the camera's own picture (pass-through), or nothing but the background",
    )
    mirror: bool = Field(default=False, title="Mirror output", description="turn left and right round for others")
    fit: Literal["centre", "fill"] = Field(
        default="centre",
        title="Fit",
        description="centre: the whole picture with background beside it; fill: cut off above and below",
    )
    background: Literal["blur", "colour", "picture"] = Field(
        default="blur",
        title="Background",
        description="what is beside the avatar: its own edges blurred, one colour, or a picture",
    )
    colour: tuple[Channel, Channel, Channel] = Field(
        default=(32, 34, 38),
        title="Background colour",
        description="red, green and blue, 0 to 255",
    )
    picture: Path | None = Field(default=None, title="Background picture", description="picture file, cut to fit")
    overlay: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        title="Show parts",
        description="how strongly the model's parts are painted over the avatar; 0 is off",
    )
    badge: bool = Field(
        default=True,
        title="AI badge",
        description="a small sign in the corner that says that the picture is made by AI",
    )
    banner: bool = Field(
        default=True,
        title="Say when the camera is lost",
        description="one line in the output while the last picture is held",
    )


class Settings(BaseModel):
    """All that may change while the program runs, in one piece."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    live: LiveSettings = LiveSettings()
    camera: CameraSettings = CameraSettings()
    output: OutputSettings = OutputSettings()
