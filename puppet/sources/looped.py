"""A video file played in real time, over and over, in place of a camera."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from puppet.errors import SourceError
from puppet.sources.base import SourceLostError, SourceMode
from puppet.sources.video_file import VideoFile
from puppet.types import Frame

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator
    from pathlib import Path

log = logging.getLogger(__name__)

MOST_BEHIND = 0.25
"""Seconds: a machine too slow to decode in time plays slower from there instead of hurrying on for ever."""


class LoopedVideo:
    """Gives each frame at its presentation time, counted from when the pass began."""

    def __init__(self, path: Path) -> None:
        """Look at the file.

        Raises:
            SourceError: it is not there, or is no video.
        """
        self.name = path.name
        self._video = VideoFile(path)
        self._frames: Generator[Frame, None, None] | None = None
        self._count = 0
        self._offset = 0.0
        self._next_pass = 0.0

    def open(self) -> SourceMode:
        """Begin at the first frame."""
        self._frames = self._video.frames()
        self._offset = time.perf_counter()
        first = self._video.first()
        return SourceMode(first.shape[1], first.shape[0], float(self._video.clip.rate))

    def read(self, stopping: threading.Event) -> Frame | None:
        """The next frame when its time has come; after the last one comes the first."""
        frame = self._decode()
        due = self._offset + frame.captured_at
        now = time.perf_counter()
        if now - due > MOST_BEHIND:
            self._offset += now - due
        elif due > now and stopping.wait(due - now):
            return None
        self._next_pass = self._offset + frame.captured_at + 1 / float(self._video.clip.rate)
        numbered = Frame(frame.image, self._count, time.perf_counter())
        self._count += 1
        return numbered

    def close(self) -> None:
        """Close the file."""
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    def notice(self) -> str | None:
        """Nothing: what the file shows is what was asked for."""
        return None

    def _decode(self) -> Frame:
        if self._frames is None:
            raise SourceLostError(f"{self.name} is not open; open it first")
        frame = next(self._frames, None)
        if frame is None:
            self._offset = max(self._next_pass, time.perf_counter() - MOST_BEHIND)
            self._frames = self._video.frames()
            frame = next(self._frames, None)
        if frame is None:
            raise SourceError(f"{self.name} has no frames any more; choose another source")
        return frame
