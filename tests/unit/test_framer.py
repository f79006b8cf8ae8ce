"""The square that follows the head: a head whose place and size in the whole picture are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from puppet.framer import CLOSEST, WIDEST, Framer
from puppet.settings import CameraSettings
from puppet.types import Motion

RATE = 30
PICTURE = np.zeros((480, 640, 3), np.uint8)
SHAPE = np.float32([[-0.3, -0.3], [0.3, -0.3], [0, 0.35], [0, 0]])
SETTINGS = CameraSettings()
START = 90.0
"""Half the face's box, pixels; large enough for the search in the whole picture."""


class Scene:
    """A head in front of a camera, read through the framer's square as a model would."""

    def __init__(self, settings: CameraSettings = SETTINGS) -> None:
        self.place, self.size = np.array([320.0, 240.0]), START
        self.searched = 0
        self.framer = Framer(lambda: SimpleNamespace(find=self._find))
        self.settings, self.now = settings, 0.0
        self.first = self.read()

    def _find(self, image: np.ndarray, *, threshold: float = 0.5) -> list[SimpleNamespace]:
        self.searched += 1
        scale = image.shape[1] / 640
        low, high = (self.place - self.size) * scale, (self.place + self.size) * scale
        return [SimpleNamespace(box=(*low, *high), score=threshold)]

    def read(self) -> Motion:
        square, self.has_moved = self.framer.square(PICTURE, self.settings, self.now)
        self.square = square
        points = self.place + SHAPE * self.size
        shift = (points - (square.x, square.y)) / square.side * 2 - 1
        return Motion(shift.astype(np.float32), np.stack([np.eye(2, dtype=np.float32)] * 4))

    def run(self, seconds: float, *, is_lost: bool = False) -> Motion:
        for _ in range(round(seconds * RATE)):
            self.now += 1 / RATE
            motion = self.read()
            self.framer.follow(motion, self.first, is_lost=is_lost, now=self.now)
        return motion


def test_a_head_that_goes_and_stays_is_followed_smoothly():
    scene = Scene()
    scene.place += (90, -30)
    sides = []
    for _ in range(6 * RATE):
        scene.run(1 / RATE)
        sides.append(scene.square.x)

    away = scene.run(0.1).shift.mean(axis=0) - scene.first.shift.mean(axis=0)
    assert np.linalg.norm(away) < 0.12
    assert 0 < np.diff(sides).max() < 4  # pixels from frame to frame
    assert not scene.has_moved, "nothing is calibrated anew"
    assert scene.searched == 1, "no second network"


def test_a_gesture_is_seen_before_it_is_centred_away():
    scene = Scene()
    scene.place += (40, 0)

    moved = scene.run(0.2).shift.mean(axis=0) - scene.first.shift.mean(axis=0)

    assert moved[0] > 0.8 * 40 / scene.square.side * 2


def test_talking_does_not_move_the_square():
    scene = Scene()
    before = scene.square
    scene.place += (6, -4)
    scene.run(3)

    assert scene.square == before


@pytest.mark.parametrize(("size", "limit"), [(120, None), (65, None), (300, WIDEST), (20, CLOSEST)])
def test_it_zooms_with_the_head_within_limits(size, limit):
    scene = Scene()
    side = scene.square.side
    scene.size = float(size)
    scene.run(8)

    if limit is None:
        assert scene.square.side / side == pytest.approx(size / START, rel=0.15)
    else:
        assert scene.square.side / side == pytest.approx(limit)


def test_it_stays_with_the_picture_and_can_be_switched_off():
    scene = Scene()
    scene.place = np.array([900.0, 240.0])
    scene.run(10)
    assert scene.square.x + scene.square.side / 2 <= 640

    still = Scene(CameraSettings(follow_head=False))
    before = still.square
    still.place += (90, 0)
    still.run(3)
    assert still.square == before


def test_a_lost_face_is_looked_for_once_a_second_and_found_elsewhere():
    scene = Scene()
    scene.place = np.array([150.0, 300.0])
    scene.run(3.5, is_lost=True)

    assert 3 <= scene.searched <= 4
    again = scene.run(0.1)
    np.testing.assert_allclose(again.shift, scene.first.shift, atol=0.05)


def test_calibrating_anew_begins_anew():
    scene = Scene()
    scene.place += (60, 0)
    scene.run(3)
    scene.framer.renew()

    np.testing.assert_allclose(scene.read().shift, scene.first.shift, atol=0.02)
