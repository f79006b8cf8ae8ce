"""Pictures larger than the model's show the avatar's own detail, moved, where the model shows the avatar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from engines.backends.base import BackendSettings
from puppet.enlargement import Enlarger
from puppet.errors import PuppetError
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame

if TYPE_CHECKING:
    from engines.model_folder import ModelFolder

MODEL, LARGE, SIDE = 256, 512, 64


@pytest.fixture
def detailed(rng) -> np.ndarray:
    """Waves with more detail than a picture of half the size holds."""
    noise = rng.integers(0, 256, (LARGE, LARGE, 3)).astype(np.float32)
    return np.clip(128 + 2 * (cv2.GaussianBlur(noise, (0, 0), 0.8) - 128), 0, 255).astype(np.uint8)


def small(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (MODEL, MODEL), interpolation=cv2.INTER_AREA)


def map_of(move_x: float = 0.0, move_y: float = 0.0) -> np.ndarray:
    """A deformation that reads so many pixels of the model's picture to the right and below."""
    nodes = np.linspace(-1, 1, SIDE, dtype=np.float32)
    return np.stack(np.meshgrid(nodes, nodes), axis=-1) + np.float32([move_x, move_y]) * np.float32(2 / (MODEL - 1))


def test_an_avatar_at_rest_is_shown_pixel_by_pixel(detailed):
    enlarger = Enlarger(detailed, size=LARGE, model_size=MODEL)

    enlarged = enlarger.enlarge(small(detailed), small(detailed), map_of())

    np.testing.assert_array_equal(enlarged, detailed)


@pytest.mark.parametrize(("x", "y"), [(8, 0), (0, -4), (3, 5)])
def test_detail_moves_with_the_deformation(detailed, x, y):
    enlarger = Enlarger(detailed, size=LARGE, model_size=MODEL)
    moved = np.roll(small(detailed), (-y, -x), axis=(0, 1))

    enlarged = enlarger.enlarge(moved, moved, map_of(x, y))

    wanted = np.roll(detailed, (-2 * y, -2 * x), axis=(0, 1))
    inside = slice(32, -32)
    difference = np.abs(enlarged[inside, inside].astype(int) - wanted[inside, inside])
    assert difference.mean() < 1  # OpenCV reads at 1/32 of a pixel


def test_a_turned_deformation_reads_the_right_places_up_to_the_edges():
    across = np.linspace(40, 200, LARGE, dtype=np.float32)
    slope = np.repeat(np.tile(across, (LARGE, 1))[..., None], 3, axis=2).astype(np.uint8)
    wider = map_of() * np.float32(0.5)
    enlarger = Enlarger(slope, size=LARGE, model_size=MODEL)
    inner = cv2.resize(slope[:, LARGE // 4 : -LARGE // 4], (MODEL, MODEL), interpolation=cv2.INTER_AREA)

    enlarged = enlarger.enlarge(inner, inner, wider)

    wanted = np.linspace(80, 160, LARGE)
    assert np.abs(enlarged[:, :, 0] - wanted).max() <= 2


def test_where_the_model_shows_something_else_its_own_picture_is_enlarged(detailed):
    painted = small(detailed)
    painted[64:128, 64:128] = (200, 40, 40)  # such as the inside of a mouth
    enlarger = Enlarger(detailed, size=LARGE, model_size=MODEL)

    enlarged = enlarger.enlarge(painted, small(detailed), map_of())

    np.testing.assert_allclose(enlarged[160:224, 160:224].mean(axis=(0, 1)), (200, 40, 40), atol=1)
    assert enlarged[160:224, 160:224].std(axis=(0, 1)).max() < 2
    np.testing.assert_array_equal(enlarged[300:], detailed[300:])


@pytest.fixture(scope="module")
def enlargeable(tmp_path_factory) -> ModelFolder:
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train)")
    from tests.tiny_model import write

    return write(tmp_path_factory.mktemp("enlargeable") / "model", can_enlarge=True)


@pytest.mark.parametrize("size", [256, 512, 768])
def test_the_puppeteer_gives_the_size_that_is_set(enlargeable, detailed, size):
    with Puppeteer(enlargeable, engine_settings=BackendSettings(threads=1)) as puppeteer:
        puppeteer.check_size(size)
        puppeteer.set_avatar(puppeteer.make_avatar(detailed, name="detailed"))
        frame = Frame(np.full((32, 32, 3), 128, np.uint8), 0, 0.0)
        rendered = puppeteer.render(frame, LiveSettings(size=size))
        swapped = puppeteer.render(frame, LiveSettings(size=size, swap=("left",)))

    wanted = cv2.resize(detailed, (size, size), interpolation=cv2.INTER_AREA if size < LARGE else cv2.INTER_CUBIC)
    np.testing.assert_array_equal(rendered.image, wanted)
    assert rendered.seconds["enlargement"] > 0
    assert swapped.image.shape == (size, size, 3)


def test_a_model_without_what_it_takes_keeps_its_size_and_says_so_when_asked(tiny_model):
    with Puppeteer(tiny_model, engine_settings=BackendSettings(threads=1)) as puppeteer:
        puppeteer.set_avatar(puppeteer.make_avatar(np.full((64, 64, 3), 90, np.uint8), name="grey"))
        rendered = puppeteer.render(Frame(np.full((32, 32, 3), 128, np.uint8), 0, 0.0), LiveSettings(size=512))

        assert rendered.image.shape == (32, 32, 3)
        with pytest.raises(PuppetError, match=r"--size 512: tiny gives pictures of 32 pixels only"):
            puppeteer.check_size(512)
