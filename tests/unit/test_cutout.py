"""The avatar's outline on a made-up picture: red hair above a skin-coloured face, before green."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from puppet.cutout import SIDE, CutOut, carry_out
from puppet.types import Motion

MAP = 16
HAIR, FACE = np.float32([0, 1, 0]), np.float32([0, 0, 1])


@pytest.fixture
def picture(rng) -> np.ndarray:
    image = np.full((SIDE, SIDE, 3), (40, 120, 60), np.uint8)
    cv2.circle(image, (64, 64), 44, (160, 40, 30), -1)
    cv2.circle(image, (64, 80), 28, (220, 175, 150), -1)
    return np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def motion() -> Motion:
    """With masks like a network's: too small, soft, and in blocks."""
    person, face = np.zeros((2, SIDE, SIDE), np.float32)
    cv2.circle(person, (64, 64), 36, 1, -1)
    cv2.circle(face, (64, 80), 26, 1, -1)
    small = [cv2.GaussianBlur(cv2.resize(plane, (MAP, MAP)), (0, 0), 1) for plane in (person, face)]
    face = np.minimum(small[1], small[0])
    masks = np.stack([1 - small[0], small[0] - face, face]).astype(np.float32)
    return Motion(np.zeros((2, 2), np.float32), np.stack([np.eye(2, dtype=np.float32)] * 2), masks)


def still(*, right: float = 0.0) -> np.ndarray:
    """A deformation that leaves everything where it is, or moves it to the right."""
    line = np.linspace(-1, 1, MAP, dtype=np.float32)
    return np.stack(np.meshgrid(line - np.float32(right), line), axis=-1)


def test_the_outline_is_the_pictures_and_not_the_masks(picture, motion):
    outline = CutOut(picture, motion).outline(still())

    truth = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(truth, (64, 64), 44, 1, -1)
    assert np.abs(outline - truth).mean() < 0.02
    assert np.abs(cv2.resize(1 - motion.segmentation[0], (SIDE, SIDE)) - truth).mean() > 0.06


def test_hair_beyond_the_masks_is_hair_and_background_is_none(picture, motion):
    cut_out = CutOut(picture, motion)

    hair, face = cut_out.parts(HAIR, still()), cut_out.parts(FACE, still())

    assert hair[26, 64] > 0.9 > 0.1 > face[26, 64]
    assert face[84, 64] > 0.7
    assert max(hair[5, 5], hair[120, 120]) < 0.01


def test_it_moves_with_the_deformation(picture, motion):
    cut_out = CutOut(picture, motion)
    step = 2 * 10 / (SIDE - 1)

    moved, rest = cut_out.outline(still(right=step)), cut_out.outline(still())

    # OpenCV places to a thirty-second of a cell of the deformation, a quarter of a pixel here.
    np.testing.assert_allclose(moved[:, 10:], rest[:, :-10], atol=0.15)


def test_without_a_deformation_the_parts_motion_carries_the_outline(picture, motion):
    cut_out = CutOut(picture, motion)
    step = np.float32([2 * 2 / (MAP - 1), 0])

    carried = cut_out.carried(Motion(motion.shift + step, motion.affine))

    still_there = cut_out.carried(motion)
    np.testing.assert_allclose(carried.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(carried[1:, :, 2:], still_there[1:, :, :-2], atol=0.05)
    assert still_there[0, 3, 8] < 0.2 < motion.segmentation[0, 3, 8], "hair beyond the mask is in"


def test_a_picture_that_is_all_person_or_none_is_taken_as_it_is(picture, motion):
    full = np.zeros((3, MAP, MAP), np.float32)
    full[1] = 1
    empty = full[[1, 0, 2]]

    for masks, expected in ((full, 1), (empty, 0)):
        outline = CutOut(picture, Motion(motion.shift, motion.affine, masks)).outline(still())
        assert np.all(outline == expected)


def test_the_same_picture_gives_the_same_outline(picture, motion):
    first, second = (CutOut(picture, motion).outline(still()) for _ in range(2))

    np.testing.assert_array_equal(first, second)


def test_an_avatar_without_masks_is_refused(picture, motion):
    with pytest.raises(ValueError, match="without masks"):
        CutOut(picture, Motion(motion.shift, motion.affine))


def test_a_gap_that_the_masks_reach_over_is_background(rng):
    """As below a bob: hair at both sides, a neck in the middle, and background in between."""
    picture = np.full((SIDE, SIDE, 3), (170, 150, 190), np.uint8)
    picture[10:80, 20:108] = (30, 25, 25)
    picture[30:128, 48:80] = (210, 160, 130)
    picture = np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
    person = np.zeros((SIDE, SIDE), np.float32)
    person[10:80, 20:108] = person[80:90, 36:92] = person[30:128, 48:80] = 1
    masks = np.stack([1 - person, person])[:, ::2, ::2]
    motion = Motion(np.zeros((1, 2), np.float32), np.eye(2, dtype=np.float32)[None], masks)

    outline = CutOut(picture, motion).outline(still())

    assert max(outline[86, 40], outline[86, 88]) < 0.1
    assert min(outline[40, 30], outline[100, 64]) > 0.9


def test_colours_of_the_person_are_carried_out_beyond_the_outline():
    image = np.full((64, 64, 3), (0, 200, 0), np.uint8)
    image[:, :32] = (200, 0, 0)
    outline = cv2.GaussianBlur((np.arange(SIDE) < SIDE / 2).astype(np.float32)[None].repeat(SIDE, 0), (0, 0), 0.8)
    where = np.broadcast_to(np.arange(64) < 36, (64, 64))

    carried = carry_out(image, outline, where)

    np.testing.assert_array_equal(carried[:, :30], image[:, :30])
    np.testing.assert_array_equal(carried[:, 36:], image[:, 36:])
    np.testing.assert_allclose(carried[:, 33:36], np.broadcast_to((200, 0, 0), (64, 3, 3)), atol=12)
