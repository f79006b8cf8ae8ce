"""Stand-ins for camera, model and virtual camera that a test holds by the strings."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from puppet.avatar import Avatar
from puppet.sources.base import SourceLostError, SourceMode
from puppet.types import Frame, Motion, Rendered

if TYPE_CHECKING:
    from collections.abc import Callable

    from puppet.settings import LiveSettings
    from puppet.sinks.base import OutputMode
    from puppet.types import Image

PATIENCE_S = 20.0
"""For anything to happen; machines are slow."""


def until(is_so: Callable[[], object], *, within: float = PATIENCE_S) -> None:
    """Wait until it is so; fail if it never is."""
    end, pause = time.perf_counter() + within, threading.Event()
    while not is_so():
        assert time.perf_counter() < end, "it did not happen in time"
        pause.wait(0.005)


def grey(level: int, *, width: int = 64, height: int = 48) -> Image:
    return np.full((height, width, 3), level, np.uint8)


class FakeSource:
    """Gives the pictures that the test feeds it."""

    name = "fake camera"

    def __init__(self) -> None:
        self.fed: queue.Queue[Image | Exception] = queue.Queue()
        self.refusal: Exception | None = None
        """Raised by `open` as long as it is set."""
        self.opened = self.closed = self.index = 0
        self.warning: str | None = None

    def feed(self, *levels: int) -> None:
        for level in levels:
            self.fed.put(grey(level))

    def open(self) -> SourceMode:
        self.opened += 1
        if self.refusal is not None:
            raise self.refusal
        return SourceMode(64, 48, 30.0, "MJPG")

    def read(self, stopping: threading.Event) -> Frame | None:
        while not stopping.is_set():
            try:
                item = self.fed.get(timeout=0.01)
            except queue.Empty:
                continue
            if isinstance(item, Exception):
                raise item
            self.index += 1
            return Frame(item, self.index - 1, time.perf_counter())
        return None

    def unplug(self) -> None:
        self.refusal = SourceLostError("fake camera is not there; plug it in")
        self.fed.put(SourceLostError("fake camera was unplugged; plug it in again"))

    def close(self) -> None:
        self.closed += 1

    def notice(self) -> str | None:
        return self.warning


class FakeSink:
    """Keeps what it is shown."""

    def __init__(self, name: str = "fake sink") -> None:
        self.name = name
        self.refusal: Exception | None = None
        self.failure: Exception | None = None
        self.pictures: list[Image] = []
        self.times: list[float] = []
        self.opened = self.closed = 0
        self.threads: set[str] = set()

    def open(self, mode: OutputMode) -> None:
        self.opened += 1
        self.threads.add(threading.current_thread().name)
        if self.refusal is not None:
            raise self.refusal

    def show(self, picture: Image, at: float) -> None:
        self.threads.add(threading.current_thread().name)
        if self.failure is not None:
            raise self.failure
        self.pictures.append(picture)
        self.times.append(at)

    def close(self) -> None:
        self.closed += 1

    def level(self) -> int:
        """Of the newest picture's middle; -1 before the first."""
        if not self.pictures:
            return -1
        height, width = self.pictures[-1].shape[:2]
        return int(self.pictures[-1][height // 2, width // 2].mean())


class FakePuppeteer:
    """Its avatar is whatever the driver shows; its motion lies where the driver's brightness says."""

    description = "fake model"
    notice = None
    parts, size = 3, 16
    part_names = ("left", "right", "top")

    def __init__(self) -> None:
        self.avatar: Avatar | None = None
        self.first: Motion | None = None
        self.calibrations: list[float] = []
        self.inferred: list[int] = []
        self.is_closed = False
        self.gate = threading.Event()
        """Shut, it keeps `read` waiting."""
        self.gate.set()
        self.failure: Exception | None = None

    def __enter__(self) -> FakePuppeteer:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_closed = True

    def make_avatar(self, picture: Image, *further: Image, name: str) -> Avatar:
        return Avatar(name, picture, self.read(picture), {})

    def set_avatar(self, avatar: Avatar) -> None:
        self.avatar = avatar

    def side(self, settings: LiveSettings) -> int:
        return self.size

    def calibrate(self, motion: Motion | None) -> None:
        self.first = motion
        if motion is not None:
            self.calibrations.append(float(motion.shift[0, 0]))

    def read(self, image: Image) -> Motion:
        assert self.gate.wait(PATIENCE_S)
        if self.failure is not None:
            raise self.failure
        x = float(image.mean()) / 255
        shift = np.array([[x - 0.3, 0], [x + 0.3, 0], [x, 0.4]], np.float32)
        return Motion(shift, np.broadcast_to(np.eye(2, dtype=np.float32), (3, 2, 2)).copy())

    def animate(self, driving: Motion, frame: Frame, settings: LiveSettings) -> Rendered:
        # The time it really took: a made-up one can be longer than the whole way from camera to sink.
        started = time.perf_counter()
        self.inferred.append(frame.index)
        rest = None if self.avatar is None else self.avatar.motion
        seconds = {"generator": time.perf_counter() - started}
        return Rendered(frame.image, frame, driving, driving, seconds, first=self.first, rest=rest)
