"""What is remembered from one run to the next, in one JSON file of the user's configuration folder."""

from __future__ import annotations

import json
import logging
import os
from functools import reduce
from operator import getitem
from pathlib import Path  # noqa: TC003 - pydantic reads the annotations at run time
from typing import Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from puppet.errors import SinkError
from puppet.framing import Square  # noqa: TC001 - see above
from puppet.images import write_bytes
from puppet.settings import Settings, SwapPreset

log = logging.getLogger(__name__)

NAME = "settings.json"
MOST_AVATARS = 200
MOST_PRESETS = 30


class SavedSettings(BaseModel):
    """How the last run ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    settings: Settings = Settings()
    source: str | None = Field(None, description="a camera's name, a video file, or scripted; None: never chosen")
    avatar: Path | None = Field(None, description="picture that was driven")
    added_avatars: tuple[Path, ...] = Field((), description="pictures of the user's own", max_length=MOST_AVATARS)
    crops: dict[Path, Square] = Field({}, description="parts of pictures, chosen by hand", max_length=MOST_AVATARS)
    folder: Path | None = Field(None, description="whose pictures are on the strip, too")
    model: Path | None = Field(None, description="model folder; None: the bundled one")
    light: bool = Field(default=False, description="the smaller of the bundled models, even if there is time for more")
    swap_presets: dict[str, SwapPreset] = Field({}, description="by the user's own names", max_length=MOST_PRESETS)
    has_agreed: bool = Field(default=False, description="the notice on consent and disclosure was read")
    ghost: float = Field(0.0, ge=0.0, le=1.0, description="how strongly the avatar lies over the camera's picture")
    geometry: str = Field("", description="of the window, as Qt writes it, base64")


def default_path() -> Path:
    """The file, there or not."""
    return platformdirs.user_config_path("puppet", appauthor=False) / NAME


def load(path: Path) -> tuple[SavedSettings, str | None]:
    """Read the file; what this version does not know in it, as a setting that was renamed, is left out.

    Returns:
        The settings, and one sentence if a file was there that could not be used; it was put aside then.
    """
    try:
        return _read(path), None
    except FileNotFoundError:
        return SavedSettings(), None
    except OSError as error:
        return SavedSettings(), f"the settings in {path} cannot be read ({error.strerror}); the defaults are used"
    except ValidationError as error:
        reason = error.errors()[0]
        where = ".".join(str(part) for part in reason["loc"]) or "the file"
        return SavedSettings(), _put_aside(path, f"{where}: {reason['msg'].lower()}")


def save(saved: SavedSettings, path: Path) -> None:
    """Write the file, in place at once or not at all; the folder is made.

    Raises:
        SinkError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SinkError(f"{path.parent} cannot be made ({error.strerror}); the settings are not remembered") from error
    write_bytes(path, saved.model_dump_json(indent=2).encode())


def _read(path: Path) -> SavedSettings:
    content = path.read_bytes()
    try:
        return SavedSettings.model_validate_json(content)
    except ValidationError as error:
        unknown = [each["loc"] for each in error.errors() if each["type"] == "extra_forbidden"]
        if not unknown:
            raise
    known = json.loads(content)
    for *way, name in unknown:
        log.info("the setting %s in %s is not known and left out", name, path)
        del reduce(getitem, way, known)[name]
    return SavedSettings.model_validate(known)


def _put_aside(path: Path, reason: str) -> str:
    aside = path.with_suffix(".broken.json")
    try:
        os.replace(path, aside)
    except OSError as error:
        log.info("%s stays where it is: %s", path, error)
        aside = path
    return f"the saved settings cannot be used ({reason}); the defaults are, and the old file is kept as {aside}"
