"""Inside the machine: other programs that read the virtual camera, as a video call does."""

from __future__ import annotations

import re
import subprocess
import time

import cv2
import numpy as np

from puppet import v4l2
from tests.vm.program import AVATAR, BACKGROUND, HEIGHT, LOOPBACK, PATIENCE_S, WIDTH, SlowError, log, wait

LEVELS = 3
PLACES = (((100, 160), AVATAR), ((100, 12), BACKGROUND), ((60, 306), BACKGROUND))
"""Row, column and what is there: in the avatar, and on both sides of it."""
BANNER_ROW = round(0.9 * HEIGHT)


class Consumer:
    """Reads with OpenCV."""

    def __init__(self) -> None:
        # With exclusive_caps it is a camera from the first picture on.
        wait(lambda: v4l2.query(LOOPBACK).can_capture, f"{LOOPBACK} to be fed")
        self._capture = cv2.VideoCapture(str(LOOPBACK), cv2.CAP_V4L2)
        assert self._capture.isOpened(), f"{LOOPBACK} cannot be read"

    def read(self) -> np.ndarray:
        """One picture, uint8 (H, W, 3) RGB."""
        end = time.monotonic() + PATIENCE_S
        is_good = False
        while not is_good:
            # OpenCV gives up after some seconds; on a busy host that is too soon.
            if time.monotonic() > end:
                raise SlowError("no picture came from the virtual camera")
            is_good, picture = self._capture.read()
        return picture[..., ::-1]

    def sees(self, *, banner: bool) -> None:
        """Wait until pictures have a banner or none; they must be right all the time."""
        wait(lambda: has_banner(self.read()) is banner, "the banner" if banner else "the banner to go")

    def __enter__(self) -> Consumer:
        return self

    def __exit__(self, *_: object) -> None:
        self._capture.release()


def has_banner(picture: np.ndarray) -> bool:
    """Whether one lies over a picture, which must be right in every other way."""
    assert_right(picture)
    return bool(np.abs(picture[BANNER_ROW, 4].astype(int) - BACKGROUND).max() > LEVELS)


def assert_right(picture: np.ndarray) -> None:
    """Size, the avatar's colour in the middle, and the background's beside it."""
    assert picture.shape == (HEIGHT, WIDTH, 3), picture.shape
    for place, colour in PLACES:
        assert_colour(picture[place], colour)


def assert_colour(seen: object, colour: tuple[int, int, int]) -> None:
    distance = np.abs(np.asarray(seen, int)[:3] - colour).max()
    assert distance <= LEVELS, f"{seen}, expected {colour}"


def read_by_ffmpeg(*flags: str) -> list[np.ndarray]:
    """Three pictures, uint8 (H, W, 3) RGB, of the right size."""
    command = ["ffmpeg", "-nostdin", "-f", "v4l2", *flags, "-i", str(LOOPBACK), "-frames:v", "3"]
    done = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, timeout=PATIENCE_S, check=True
    )
    said = done.stderr.decode(errors="replace")
    found = re.search(r"Stream #0:0.*Video: .*", said)
    assert found is not None, said
    log(f"ffmpeg: {found.group()}")
    assert f"{WIDTH}x{HEIGHT}" in found.group()
    pictures = np.frombuffer(done.stdout, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)
    assert len(pictures) == 3
    return list(pictures)
