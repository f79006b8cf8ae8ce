"""A camera through OpenCV: opened by the interface that listed it, found again by name when it comes back."""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from puppet.sources.base import SourceLostError, SourceMode
from puppet.sources.cameras import CameraInfo, find_again, list_cameras
from puppet.types import Frame, Image

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

log = logging.getLogger(__name__)

SILENCE_S = 2
"""A camera that gives no frame for so long has stopped."""
STUCK_S = 3.0
"""Pictures that are black, or exactly the same, for so long are worth a word."""
BLACK = 12
"""Mean level, 0 to 255: below it, and without contrast, nothing can be seen."""
BLACK_CONTRAST = 40
UNPLUGGED = "was unplugged; plug it in again and it goes on by itself"
GRID = 16
"""Pixels between those that are looked at for that."""


class Camera:
    """One camera. Use it from one thread."""

    def __init__(
        self,
        info: CameraInfo,
        *,
        width: int = 1280,
        height: int = 720,
        fps: float = 30.0,
        lister: Callable[[], list[CameraInfo]] = list_cameras,
    ) -> None:
        """Choose it; nothing is opened yet.

        Args:
            info: from `list_cameras`.
            width: asked of the camera, pixels; it may settle for another size.
            height: the same.
            fps: asked of the camera, frames a second.
            lister: says which cameras there are now.
        """
        self.name = info.name
        self.info = info
        self._wanted = width, height, fps
        self._list = lister
        self._capture: Any = None
        self._count = 0
        self._has_worked = False
        self._watch = Watch()

    def open(self) -> SourceMode:
        """Find the camera, open it, and read one picture to be sure.

        Raises:
            SourceLostError: it is missing, not permitted, busy, or gives nothing.
        """
        self.close()
        self.info = self._find()
        _quieten()
        capture = cv2.VideoCapture(self.info.address, self.info.api)
        try:
            self._start(capture)
        except BaseException:
            capture.release()
            raise
        self._capture = capture
        self._has_worked = True
        self._watch = Watch()
        return _mode(capture)

    def read(self, stopping: threading.Event) -> Frame | None:
        """The next frame.

        Raises:
            SourceLostError: none came; the sentence says whether the camera was unplugged or has stopped.
        """
        if self._capture is None:
            raise SourceLostError(f"{self.name} is not open; open it first")
        started = time.perf_counter()
        is_good, picture = self._capture.read()
        captured_at = time.perf_counter()
        if stopping.is_set():
            return None
        if not is_good or picture is None:
            raise SourceLostError(self._why_silent(captured_at - started))
        image = to_rgb(picture)
        self._watch.look(image, captured_at)
        frame = Frame(image, self._count, captured_at)
        self._count += 1
        return frame

    def close(self) -> None:
        """Release the device, without which it could not come back under its old address."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def notice(self) -> str | None:
        """One sentence if its pictures are black or do not change."""
        finding = self._watch.finding
        return None if finding is None else f"{self.name} {finding}"

    def _find(self) -> CameraInfo:
        found = find_again(self.info, self._list())
        if found is None:
            is_lost = UNPLUGGED if self._has_worked else "is not there; plug it in, or choose another camera"
            raise SourceLostError(f"{self.name} {is_lost}")
        return found

    def _start(self, capture: Any) -> None:
        if not capture.isOpened():
            raise SourceLostError(f"{self.name} {self._why_not() or 'cannot be opened; plug it in again'}")
        self._ask(capture)
        started = time.perf_counter()
        if not capture.read()[0]:
            waited = time.perf_counter() - started
            capture.release()  # or the device would look busy because of us
            raise SourceLostError(self._why_silent(waited))

    def _ask(self, capture: Any) -> None:
        """MJPG first: raw pictures of this size do not fit through USB 2 at this rate."""
        width, height, fps = self._wanted
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        capture.set(cv2.CAP_PROP_FPS, fps)
        # One picture in the queue is enough, more are older ones; not every driver takes the hint.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)

    def _why_not(self) -> str | None:
        if sys.platform.startswith("linux"):
            return self.info.why_not()
        return "cannot be opened; close other programs that use it, and allow cameras in the privacy settings"

    def _why_silent(self, waited: float) -> str:
        """Why no picture came, once the device is known to be open."""
        if find_again(self.info, self._list()) is None:
            return f"{self.name} {UNPLUGGED}"
        if waited >= SILENCE_S / 2:
            return f"{self.name} is frozen: no picture for {waited:.0f} s; unplug it and plug it in again"
        # While our own handle holds the device it would look busy because of us.
        reason = self._why_not() if self._capture is None else None
        return f"{self.name} {reason or 'gives no pictures; close other programs that use it, or plug it in again'}"


class Watch:
    """Looks at a few pixels of each picture: black for long, or the same for long?"""

    finding: str | None = None
    """What is wrong, as the end of a sentence."""

    def __init__(self) -> None:
        self._last: Image | None = None
        self._moved_at: float | None = None
        self._seen_at: float | None = None

    def look(self, image: Image, now: float) -> None:
        """Take one picture, uint8 (H, W, 3), and the time in seconds."""
        sample = image[GRID // 2 :: GRID, GRID // 2 :: GRID].copy()
        is_same = self._last is not None and np.array_equal(sample, self._last)
        is_black = sample.mean() < BLACK and int(sample.max()) - int(sample.min()) < BLACK_CONTRAST
        self._last = sample
        self._moved_at = now if self._moved_at is None or not is_same else self._moved_at
        self._seen_at = now if self._seen_at is None or not is_black else self._seen_at
        if now - self._seen_at >= STUCK_S:
            self.finding = "shows only black; open its cover, turn the light on, or choose another camera"
        elif now - self._moved_at >= STUCK_S:
            self.finding = "is frozen: it gives the same picture again and again; unplug it and plug it in again"
        else:
            self.finding = None


def to_rgb(picture: Any) -> Image:
    """What OpenCV captured, BGR or grey, as uint8 (H, W, 3) RGB."""
    code = cv2.COLOR_GRAY2RGB if picture.ndim == 2 or picture.shape[2] == 1 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(picture, code), np.uint8)


def _mode(capture: Any) -> SourceMode:
    """What the camera settled for."""
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    letters = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24)) if code > 0 else ""
    return SourceMode(
        int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
        int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        float(capture.get(cv2.CAP_PROP_FPS)),
        letters.strip() if letters.isprintable() else "",
    )


def _quieten() -> None:
    """OpenCV waits ten seconds for a frame unless told before its first camera, and prints what we say in words."""
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(SILENCE_S))
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
