"""What the window begins with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from puppet.sinks.base import OutputMode
from puppet.sources.cameras import list_cameras

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from puppet.gui.commands import Commands, Folders
    from puppet.gui.models import Opener
    from puppet.saved_settings import SavedSettings
    from puppet.sources.cameras import CameraInfo


@dataclass(frozen=True)
class Start:
    """How the window begins."""

    saved: SavedSettings
    avatar: Path
    avatars: Sequence[Path] = ()
    """The bundled ones."""
    source: str | None = None
    """What was asked for; None is as last time, else the first camera, else the performance."""
    capture: OutputMode = field(default_factory=OutputMode)
    """Asked of a camera."""
    sentence: str | None = None
    """To be told at once."""
    opener: Opener | None = None
    """What opened the model, and opens others."""
    offers_engines: bool = False
    """Whether to look for a GPU that could run the model with engines that are still to be built."""
    folders: Folders | None = None
    list_cameras: Callable[[], list[CameraInfo]] = list_cameras
    when_ready: Callable[[Commands], None] = lambda commands: None
    """Called once, when the first avatar is there."""
    should_end: Callable[[], bool] = lambda: False
    """Looked at on every tick: a signal came, or the time is up."""
