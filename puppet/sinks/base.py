"""What the pipeline asks of a place for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from puppet.errors import SinkError

if TYPE_CHECKING:
    from puppet.types import Image


class SinkLostError(SinkError):
    """A sink failed for now; it may come back, so it is tried again."""


@dataclass(frozen=True)
class OutputMode:
    """Size and rate of the pictures; constant from start to end, because programs that read them rely on it."""

    width: int = 1280
    height: int = 720
    fps: float = 30.0

    def __str__(self) -> str:
        return f"{self.width}x{self.height} at {self.fps:g}"


class Sink(Protocol):
    """Opened, used and closed by one thread; after `close` it can be opened again."""

    name: str
    """As the user knows it."""

    def open(self, mode: OutputMode) -> None:
        """Get ready for pictures of that size and rate.

        Raises:
            SinkLostError: it cannot be opened now, and may be later.
            SinkError: it never will.
        """
        ...

    def show(self, picture: Image, at: float) -> None:
        """Take one picture.

        Args:
            picture: uint8 (H, W, 3) RGB; it is not changed afterwards by anyone.
            at: seconds on the clock of `time.perf_counter()`.

        Raises:
            SinkLostError: the sink has gone, and may come back.
            SinkError: it failed for good.
        """
        ...

    def close(self) -> None:
        """Finish; calling it twice is allowed.

        Raises:
            SinkError: what was shown could not be kept.
        """
        ...
