"""A sink that keeps nothing: for measuring, and for running with no output but a status line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from puppet.sinks.base import OutputMode
    from puppet.types import Image


class NullSink:
    """Counts pictures."""

    name = "nothing"

    def __init__(self) -> None:
        self.shown = 0
        self.is_open = False

    def open(self, mode: OutputMode) -> None:
        """Begin."""
        self.is_open = True

    def show(self, picture: Image, at: float) -> None:
        """Count it."""
        self.shown += 1

    def close(self) -> None:
        """End."""
        self.is_open = False
