"""What the pipeline asks of a source of frames that come by themselves, as a camera's do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from puppet.errors import SourceError
from puppet.types import Frame

if TYPE_CHECKING:
    import threading

    from puppet.sources.head import Pose


class SourceLostError(SourceError):
    """A source failed for now; it may come back, so it is tried again."""


@dataclass(frozen=True)
class SourceMode:
    """What a source agreed to give."""

    width: int
    height: int
    fps: float
    """Frames a second as promised; 0 if it does not say."""
    format: str = ""
    """How the pictures are carried, such as MJPG; empty if that says nothing."""

    def __str__(self) -> str:
        rate = f" at {self.fps:g}" if self.fps else ""
        return f"{self.width}x{self.height}{rate}{' ' + self.format if self.format else ''}"


@dataclass(frozen=True, eq=False)
class Performed(Frame):
    """A frame whose motion is not read off a picture: the head's pose says it."""

    pose: Pose


class Source(Protocol):
    """Opened, read and closed by one thread; after `close` it can be opened again."""

    name: str
    """As the user knows it."""

    def open(self) -> SourceMode:
        """Start it.

        Raises:
            SourceLostError: it cannot be opened now, and may be later.
            SourceError: it never will.
        """
        ...

    def read(self, stopping: threading.Event) -> Frame | None:
        """Wait for the next frame; None if `stopping` was set meanwhile.

        Raises:
            SourceLostError: there is no next frame.
        """
        ...

    def close(self) -> None:
        """Free it; calling it twice is allowed."""
        ...

    def notice(self) -> str | None:
        """One sentence if its pictures come but cannot be right (black, always the same)."""
        ...
