"""What the command line asks for, checked; the only place that looks at the environment."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from engines.model_folder import BUNDLED
from puppet.errors import ConfigError
from puppet.framing import Square, square_around

DEFAULT_MODEL = BUNDLED
AVATARS = Path(__file__).parent / "assets" / "avatars"
FIRST_AVATAR = "elena"
"""The bundled picture that a new user sees first."""
SCRIPTED = "scripted"

Reference = Literal["first", "best"] | NonNegativeInt
Crop = Literal["auto", "none"] | Square


class RenderConfig(BaseModel):
    """One run of `render`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    avatar: Path = Field(description="picture to animate")
    driving: str = Field(description="video whose motion it takes, or scripted[:SECONDS]")
    output: Path
    model: Path = Field(DEFAULT_MODEL, description="model folder")
    light: bool = Field(default=False, description="this model, even if it has a larger sister")
    backend: str = "auto"
    threads: NonNegativeInt = 0
    size: Literal[256, 512, 768, 1024] | None = Field(None, description="None leaves the choice to LiveSettings")
    mode: Literal["relative", "absolute"] = "relative"
    strength: float = Field(1.0, ge=0, le=2)
    mouth: float = Field(1.0, ge=0, le=2)
    eyes: float = Field(1.0, ge=0, le=2)
    head: float = Field(1.0, ge=0, le=2)
    limits: bool = True
    adapt_tilt: bool = True
    smoothing: float = Field(0.0, ge=0, le=1, description="0: every frame exactly as it was read")
    masks: Literal["driving", "avatar"] | None = Field(None, description="None leaves the choice to LiveSettings")
    reference: Reference = Field("first", description="frame from which relative motion counts; number from 0")
    crop: Crop = Field("auto", description="of the driving video")
    avatar_crop: Crop = "auto"
    swap: tuple[str, ...] = ()
    swap_inverse: bool = False
    swap_mask: Literal["both", "driving", "avatar"] = "both"
    swap_hard: bool = False
    swap_feather: float = Field(0.25, ge=0, le=1)
    swap_colour: bool = True
    side_by_side: bool = False
    overlay: Literal["parts"] | None = None
    force: bool = False

    @property
    def is_scripted(self) -> bool:
        """Whether the driving motion is our own instead of a video's."""
        return self.driving == SCRIPTED or self.driving.startswith(f"{SCRIPTED}:")


def render_config(values: dict[str, object]) -> RenderConfig:
    """Check what was asked for.

    Raises:
        ConfigError: a value is out of range, or two do not go together.
    """
    try:
        config = RenderConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-") if first["loc"] else "arguments"
        raise ConfigError(f"--{name} {first.get('input')!r}: {first['msg'].lower()}") from error
    inputs = {"avatar": config.avatar}
    if config.is_scripted:
        _refuse_video_options(config)
    else:
        inputs["driving video"] = Path(config.driving)
    for name, path in inputs.items():
        if config.output.exists() and path.exists() and os.path.samefile(config.output, path):
            raise ConfigError(f"--output {config.output} is the {name} itself; give another name")
    return config


def parse_crop(text: str, *, flag: str = "--crop") -> Literal["auto", "none"] | Square:
    """Read `auto`, `none` or `X,Y,W,H`; of a rectangle, the smallest square around it.

    Args:
        text: what was given.
        flag: by which flag, for the message.

    Raises:
        ConfigError: it is none of these.
    """
    if text in ("auto", "none"):
        return text  # type: ignore[return-value]
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"{flag} {text!r}: write auto, none, or four numbers X,Y,W,H in pixels") from error
    is_finite = all(math.isfinite(value) for value in (x, y, width, height))
    if not is_finite or min(width, height) < 1 or max(abs(x), abs(y), width, height) > 1e5:
        raise ConfigError(f"{flag} {text!r}: width and height must be at least 1, and no number beyond 100000")
    return square_around(x, y, width, height)


def parse_reference(text: str) -> Literal["first", "best"] | int:
    """Read `first`, `best` or a frame number.

    Raises:
        ConfigError: it is none of these.
    """
    if text in ("first", "best"):
        return text  # type: ignore[return-value]
    if not text.isdecimal():
        raise ConfigError(f"--reference {text!r}: write first, best, or the number of a frame, counted from 0")
    return int(text)


def default_avatar() -> Path:
    """The bundled picture that is used when none was chosen.

    Raises:
        ConfigError: there is none.
    """
    pictures = avatars()
    if not pictures:
        raise ConfigError(f"there are no avatar pictures in {AVATARS}; choose a picture of your own with --avatar")
    return pictures[0]


def avatars() -> list[Path]:
    """The bundled pictures, the one that a new user sees first in front."""
    return sorted(AVATARS.glob("*.png"), key=lambda path: (path.stem != FIRST_AVATAR, path.stem))


def has_screen() -> bool:
    """Whether a window can be opened."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def _refuse_video_options(config: RenderConfig) -> None:
    """What needs a driving picture cannot go with `scripted`."""
    reasons = {
        "--swap": bool(config.swap),
        "--reference": config.reference != "first",
        "--masks driving": config.masks == "driving",
        "--smoothing": config.smoothing > 0,
    }
    for flag, is_set in reasons.items():
        if is_set:
            raise ConfigError(f"{flag} needs a driving video, and {SCRIPTED} has no pictures; leave one of them out")
