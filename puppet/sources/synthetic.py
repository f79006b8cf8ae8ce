"""A source that writes the clock into its pixels, and the reading of it where the picture comes out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppet.pacing import Ticks
from puppet.sources.base import SourceMode
from puppet.types import Frame

if TYPE_CHECKING:
    import threading

    from puppet.types import Image

BITS = 32
COLUMNS = 16
ROWS = 3
"""Of blocks: two rows of bits, and one of their check sum and a frame of known blocks."""
TICK = 1e-5
"""Seconds that one count of the clock stands for; it starts over after twelve hours."""
DARK, LIGHT = 32, 224


class ClockSource:
    """A moving pattern with the time of its making in a band across its middle."""

    name = "clock"

    def __init__(self, *, width: int = 1280, height: int = 720, fps: float = 30.0) -> None:
        self._size = width, height
        self._period = 1 / fps
        self._ticks = Ticks(self._period, 0.0)
        self._count = 0
        y, x = np.mgrid[0:height, 0:width]
        self._pattern = np.stack([x * 255 // width, y * 255 // height, (x + y) // 4 % 256], axis=-1).astype(np.uint8)

    def open(self) -> SourceMode:
        """Begin."""
        self._ticks = Ticks(self._period, time.perf_counter())
        return SourceMode(*self._size, 1 / self._period)

    def read(self, stopping: threading.Event) -> Frame | None:
        """The next picture, when its time has come."""
        if stopping.wait(self._ticks.wait(time.perf_counter())):
            return None
        image = np.roll(self._pattern, 4 * (self._count % 64), axis=1)
        now = time.perf_counter()
        write_clock(image, now)
        frame = Frame(image, self._count, now)
        self._count += 1
        return frame

    def close(self) -> None:
        """There is nothing to free."""

    def notice(self) -> str | None:
        """Nothing can be wrong with it."""
        return None


def write_clock(image: Image, seconds: float) -> None:
    """Paint the time, as light and dark blocks, into the middle square of a picture, uint8 (H, W, 3), in place."""
    count = round(seconds / TICK) % 2**BITS
    bits = [count >> place & 1 for place in range(BITS)]
    check = _check_sum(count)
    last = [check >> place & 1 for place in range(8)] + [0, 1] * 4
    rows = np.array([bits[:COLUMNS], bits[COLUMNS:], last], bool)
    top, left, block = _place(image)
    blocks = np.repeat(np.where(rows, LIGHT, DARK).astype(np.uint8)[..., None], 3, axis=2)
    size = (COLUMNS * block, ROWS * block)
    image[top : top + size[1], left : left + size[0]] = cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST)


def read_clock(image: Image, now: float) -> float | None:
    """The time painted into the middle square of a picture, the one nearest to now; None if it cannot be read.

    The picture may have been scaled and coded since, as long as its middle square still is the same.
    """
    top, left, block = _place(image)
    rows = top + block // 2 + block * np.arange(ROWS)
    columns = left + block // 2 + block * np.arange(COLUMNS)
    values = image[rows][:, columns].mean(axis=-1)
    bits = (values > (DARK + LIGHT) / 2).astype(int)
    if list(bits[2, 8:]) != [0, 1] * 4:
        return None
    count = sum(int(bit) << place for place, bit in enumerate(bits[:2].reshape(-1)))
    check = sum(int(bit) << place for place, bit in enumerate(bits[2, :8]))
    if check != _check_sum(count):
        return None
    now_count, turn = round(now / TICK), 1 << BITS
    return (now_count + turn // 2 - (now_count - count + turn // 2) % turn) * TICK


def _place(image: Image) -> tuple[int, int, int]:
    """Upper edge, left edge and side of a block: the band spans seven eighths of the middle square."""
    height, width = image.shape[:2]
    side = min(height, width)
    block = side * 7 // 8 // COLUMNS
    return (height - ROWS * block) // 2, (width - COLUMNS * block) // 2, block


def _check_sum(count: int) -> int:
    return sum(count.to_bytes(4, "little")) % 256
