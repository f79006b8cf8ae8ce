"""Which square of a picture the model sees."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppet import framing
from puppet.framing import Square
from tests.media import flat

if TYPE_CHECKING:
    from puppet.types import Image


class RedSquares:
    """A stand-in for the detector: each pure red area is a face; it sees none that is under a tenth of the picture."""

    def find(self, image: Image, *, threshold: float = 0.5) -> list[SimpleNamespace]:
        red = (image[..., 0] > 128) & (image[..., 1] < 100)
        faces = []
        for columns in _runs(red.any(axis=0)):
            rows = _runs(red[:, columns].any(axis=1))[0]
            box = float(columns.start), float(rows.start), float(columns.stop), float(rows.stop)
            if box[2] - box[0] >= 0.1 * max(image.shape[:2]):
                faces.append(SimpleNamespace(box=box, score=threshold))
        return faces


def _runs(line: np.ndarray) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(np.int8), [0]])))
    return [slice(start, stop) for start, stop in edges.reshape(-1, 2)]


def with_faces(width: int, height: int, *boxes: tuple[int, int, int, int]) -> Image:
    image = flat(20, 120, 120, width=width, height=height)
    for left, top, right, bottom in boxes:
        image[top:bottom, left:right] = (255, 0, 0)
    return image


def test_crop_is_the_one_of_training() -> None:
    crop = framing.around_face((100, 200, 200, 280))

    assert crop.side == pytest.approx(180)
    assert crop.x + crop.side / 2 == pytest.approx(150)
    assert crop.y + crop.side / 2 == pytest.approx(240 - 8)


def test_centre_square_of_a_wide_and_a_high_picture() -> None:
    assert framing.centre_square(200, 100) == Square(50, 0, 100)
    assert framing.centre_square(100, 200) == Square(0, 50, 100)


def test_square_around_a_rectangle_keeps_its_centre() -> None:
    assert framing.square_around(10, 20, 40, 20) == Square(10, 10, 40)


def test_largest_face_is_taken() -> None:
    picture = with_faces(300, 200, (10, 10, 60, 60), (150, 50, 240, 140))

    assert framing.find_face(picture, RedSquares()) == (150, 50, 240, 140)


def test_face_nearest_to_the_last_one_is_taken() -> None:
    picture = with_faces(300, 200, (10, 10, 60, 60), (150, 50, 240, 140))

    assert framing.find_face(picture, RedSquares(), near=(0, 0, 50, 50)) == (10, 10, 60, 60)


def test_small_face_in_a_large_picture_is_found() -> None:
    picture = with_faces(2000, 1000, (1500, 700, 1580, 780))

    box = framing.find_face(picture, RedSquares())

    assert box is not None
    np.testing.assert_allclose(box, (1500, 700, 1580, 780), atol=3)


def test_what_only_a_tile_takes_for_a_face_is_none() -> None:
    class Gullible(RedSquares):
        """Sees faces only in pictures of the size of a tile."""

        def find(self, image: Image, *, threshold: float = 0.5) -> list[SimpleNamespace]:
            is_tile = image.shape[:2] == (100, 100)
            return [SimpleNamespace(box=(40.0, 40.0, 70.0, 70.0), score=0.9)] if is_tile else []

    assert framing.find_face(with_faces(200, 200), Gullible()) is None


def test_still_face_gives_the_plain_crop() -> None:
    boxes = [(100.0, 100.0, 180.0, 180.0)] * 4 + [(104.0, 98.0, 184.0, 178.0)]

    assert framing.around_faces(boxes) == framing.around_face(boxes[0])


@given(st.floats(-60, 60), st.floats(-60, 60))
def test_travelling_face_stays_in_the_crop(x: float, y: float) -> None:
    boxes = [(100.0, 100.0, 180.0, 180.0)] * 3 + [(100 + x, 100 + y, 180 + x, 180 + y)]

    crop = framing.around_faces(boxes)

    assert crop.side <= 1.8 * 80 * framing.MAX_WIDENING
    for left, top, right, bottom in boxes:
        assert crop.x <= left
        assert crop.y <= top
        assert right <= crop.x + crop.side
        assert bottom <= crop.y + crop.side


def test_clip_is_framed_by_the_median_of_its_faces() -> None:
    samples = [with_faces(300, 200, (100 + x, 60, 160 + x, 120)) for x in (0, 2, 4)] + [with_faces(300, 200)]

    crop, expected = framing.frame_clip(samples, RedSquares(), name="clip"), framing.around_face((102, 60, 162, 120))

    np.testing.assert_allclose([crop.x, crop.y, crop.side], [expected.x, expected.y, expected.side], atol=2)


def test_no_face_is_said_once_and_the_centre_used(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        square = framing.frame_picture(with_faces(300, 200), RedSquares(), name="cat.png")
        clip = framing.frame_clip([with_faces(300, 200)] * 3, RedSquares(), name="cat.mp4")

    assert square == clip == Square(50, 0, 200)
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "no face was found in cat.png", "no face was found in cat.mp4",
    ]  # fmt: skip


def test_real_detector_finds_no_face_in_noise(rng: np.random.Generator) -> None:
    from engines.faces import FaceFinder

    noise = rng.integers(0, 256, (200, 300, 3), dtype=np.uint8)

    assert framing.find_face(noise, FaceFinder()) is None
