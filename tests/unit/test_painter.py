"""The painter between stand-ins for engines: which view of an avatar is painted, and how one passes into the next."""

from __future__ import annotations

import numpy as np
import pytest

from puppet.avatar import Avatar
from puppet.painter import Painter, Wanted
from puppet.types import Motion
from puppet.views import FADE_S

SIZE, MAP = 16, 8
REST = np.array([[-0.3, -0.2], [0.3, -0.2], [0.0, 0.1], [0.0, 0.4]], np.float32)


class FakeEngines:
    """Every picture is as bright as the pinned features say."""

    def __init__(self) -> None:
        self.pinned: dict[str, np.ndarray] = {}
        self.given: list[dict[str, np.ndarray]] = []
        self.pins = 0

    def pin(self, avatar: dict[str, np.ndarray]) -> None:
        self.pinned = avatar
        self.pins += 1

    def run(self, role: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.given.append(inputs)
        return {"image": np.full((1, SIZE, SIZE, 3), self.pinned["level"], np.uint8)}


def posed(mouth: float) -> Motion:
    shift = REST.copy()
    shift[3, 1] += mouth
    masks = np.zeros((5, MAP, MAP), np.float32)
    masks[4, round(5 + 4 * mouth), 4] = 1
    masks[0] = 1 - masks[4]
    return Motion(shift, np.stack([np.eye(2, dtype=np.float32)] * 4), masks)


def view(mouth: float, level: int, *further: Avatar) -> Avatar:
    picture = np.full((SIZE, SIZE, 3), level, np.uint8)
    return Avatar("face", picture, posed(mouth), {"level": np.uint8(level)}, picture, further)


def wanted(at: float, **changes: object) -> Wanted:
    usual = {"role": "generator", "more": {}, "size": SIZE, "has_own_masks": True, "is_from_first_view": False}
    return Wanted(at=at, **{**usual, **changes})


@pytest.fixture
def engines() -> FakeEngines:
    return FakeEngines()


@pytest.fixture
def painter(engines: FakeEngines) -> Painter:
    """With a closed and an open mouth."""
    painter = Painter(engines, model_size=SIZE)
    painter.set_avatar(view(0.0, 50, view(0.5, 150)))
    return painter


def level(painter: Painter, mouth: float, at: float, **changes: object) -> float:
    return float(painter.paint(posed(mouth), wanted(at, **changes)).image.mean())


def test_the_nearer_view_takes_over_within_the_fade(painter: Painter) -> None:
    assert level(painter, 0.0, 0.0) == 50
    assert level(painter, 0.5, FADE_S / 4) == 75
    assert level(painter, 0.5, FADE_S / 2) == 100
    assert level(painter, 0.5, 2 * FADE_S) == 150


def test_a_view_that_stays_is_pinned_once(painter: Painter, engines: FakeEngines) -> None:
    for index in range(5):
        level(painter, 0.0, 0.1 * index)

    assert engines.pins == 1


def test_masks_of_its_own_are_those_of_the_view_that_is_painted(painter: Painter, engines: FakeEngines) -> None:
    level(painter, 0.5, 0.0)
    level(painter, 0.5, 1.0)

    first, open_mouth = (engines.given[index]["target_segmentation"][0, 4] for index in (0, -1))
    np.testing.assert_array_equal(first, posed(0.5).segmentation[4])
    assert open_mouth.sum() == pytest.approx(1, abs=0.01)
    level(painter, 0.5, 2.0, has_own_masks=False)
    np.testing.assert_array_equal(engines.given[-1]["target_segmentation"][0], posed(0.5).segmentation)


def test_what_is_laid_over_comes_from_the_first_view(painter: Painter) -> None:
    level(painter, 0.5, 0.0)

    assert level(painter, 0.5, 1.0, is_from_first_view=True) == 50


def test_another_avatar_starts_with_its_first_view(painter: Painter) -> None:
    level(painter, 0.5, 0.0)
    level(painter, 0.5, 1.0)
    painter.set_avatar(view(0.0, 80))

    assert level(painter, 0.5, 1.1) == 80
