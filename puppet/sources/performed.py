"""The scripted performance in real time: something moves though there is no camera."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from puppet.pacing import Ticks
from puppet.sources.base import Performed, SourceMode
from puppet.sources.scripted import pose_at

if TYPE_CHECKING:
    import threading

    from puppet.types import Frame

RATE = 30.0
"""Frames a second."""
SIDE = 16
"""Pixels of the picture that stands for a camera's; the avatar's takes its place."""


class Performance:
    """Gives the performance's pose at each moment, for whatever avatar is there."""

    name = "scripted performance"

    def __init__(self, *, fps: float = RATE) -> None:
        self._period = 1 / fps
        self._picture = np.full((SIDE, SIDE, 3), 128, np.uint8)
        self._ticks = Ticks(self._period, 0.0)
        self._started = 0.0
        self._count = 0

    def open(self) -> SourceMode:
        """Begin, in the avatar's own pose."""
        self._started = time.perf_counter()
        self._ticks = Ticks(self._period, self._started)
        return SourceMode(SIDE, SIDE, 1 / self._period)

    def read(self, stopping: threading.Event) -> Frame | None:
        """The pose of this moment."""
        if stopping.wait(self._ticks.wait(time.perf_counter())):
            return None
        now = time.perf_counter()
        frame = Performed(self._picture, self._count, now, pose_at(now - self._started))
        self._count += 1
        return frame

    def close(self) -> None:
        """There is nothing to free."""

    def notice(self) -> str | None:
        """Nothing can be wrong with it."""
        return None
