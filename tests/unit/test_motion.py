"""Relative motion: the published numbers, and what must hold for any motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from puppet import motion
from puppet.motion import MotionBasis
from puppet.settings import LiveSettings
from puppet.types import Motion

DATA = Path(__file__).parents[1] / "data"
PARTS = 5
PAPER = LiveSettings(adapt_tilt=False, limits=False)
PLAIN = PAPER.model_copy(update={"adapt_scale": False})


def _affines(draw: st.DrawFn) -> np.ndarray:
    """Rotations of up to 60 degrees, stretched by 0.6 to 1.6: what heads and faces do, and invertible."""
    angle = draw(hnp.arrays(np.float64, PARTS, elements=st.floats(-1, 1)))
    stretch = draw(hnp.arrays(np.float64, (PARTS, 2), elements=st.floats(0.6, 1.6)))
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=-1).reshape(PARTS, 2, 2)
    return (turn * stretch[:, None, :]).astype(np.float32)


@st.composite
def motions(draw: st.DrawFn) -> Motion:
    shift = draw(hnp.arrays(np.float32, (PARTS, 2), elements=st.floats(-1, 1, width=32)))
    masks = np.random.default_rng(draw(st.integers(0, 99))).random((PARTS + 1, 8, 8), np.float32)
    return Motion(shift, _affines(draw), masks / masks.sum(axis=0))


def read(values: np.lib.npyio.NpzFile, prefix: str, *, shift: str = "shift", affine: str = "affine") -> Motion:
    masks = f"{prefix}.segmentation"
    return Motion(
        values[f"{prefix}.{shift}"][0], values[f"{prefix}.{affine}"][0], values[masks][0] if masks in values else None
    )


def assert_close(found: Motion, expected: Motion, tolerance: float = 1e-4) -> None:
    """Products and inverses of float32 matrices with entries up to 1.6 lose a few of their 7 digits."""
    np.testing.assert_allclose(found.shift, expected.shift, atol=tolerance, rtol=tolerance)
    np.testing.assert_allclose(found.affine, expected.affine, atol=tolerance, rtol=tolerance)


def test_relative_motion_gives_the_published_numbers_of_mcs():
    values = np.load(DATA / "mcs_small.npz")
    basis = MotionBasis(read(values, "source"), read(values, "initial"))

    target = basis.transfer(read(values, "driving"), PLAIN)

    np.testing.assert_allclose(target.shift, values["relative.shift"][0], atol=1e-6)
    np.testing.assert_allclose(target.affine, values["relative.affine"][0], atol=1e-6)


@pytest.mark.parametrize(("golden", "adapt_scale"), [("relative", False), ("relative_adapted", True)])
def test_relative_motion_gives_the_published_numbers_of_fomm(golden, adapt_scale):
    values = np.load(DATA / "fomm_small.npz")
    source, initial, driving, expected = (
        read(values, prefix, shift="value", affine="jacobian") for prefix in ("source", "initial", "driving", golden)
    )

    target = MotionBasis(source, initial).transfer(driving, PAPER.model_copy(update={"adapt_scale": adapt_scale}))

    assert_close(target, expected, 1e-6)
    assert target.segmentation is None


def test_hull_scale_is_the_published_movement_scale():
    values = np.load(DATA / "fomm_small.npz")

    scale = motion.hull_scale(values["source.value"][0], values["initial.value"][0])

    assert scale == pytest.approx(float(values["movement_scale"]), abs=1e-6)


def test_parts_in_a_line_have_no_hull_and_scale_one(rng):
    line = np.stack([np.arange(PARTS), np.arange(PARTS)], axis=-1).astype(np.float32)

    assert motion.hull_scale(line, rng.random((PARTS, 2), np.float32)) == 1


@given(avatar=motions(), first=motions(), strength=st.floats(0, 2), masks=st.sampled_from(["avatar", "driving"]))
def test_the_first_frame_gives_back_the_avatars_motion(avatar, first, strength, masks):
    target = MotionBasis(avatar, first).transfer(first, LiveSettings(strength=strength, masks=masks))

    assert_close(target, avatar)
    expected = avatar.segmentation if masks == "avatar" else first.segmentation
    np.testing.assert_allclose(target.segmentation, expected, atol=0.02)  # older OpenCV samples at 1/32 pixel


@given(avatar=motions(), first=motions(), driving=motions())
def test_the_way_back_undoes_the_way_there(avatar, first, driving):
    there = MotionBasis(avatar, first).transfer(driving, PLAIN)

    back = MotionBasis(there, driving).transfer(first, PLAIN)

    assert_close(back, avatar, 1e-3)


@given(avatar=motions(), first=motions(), second=motions(), third=motions())
def test_two_steps_add_up_to_one(avatar, first, second, third):
    halfway = MotionBasis(avatar, first).transfer(second, PLAIN)

    in_two = MotionBasis(halfway, second).transfer(third, PLAIN)

    assert_close(in_two, MotionBasis(avatar, first).transfer(third, PLAIN), 1e-3)


@given(avatar=motions(), first=motions(), driving=motions())
def test_strength_zero_holds_the_avatar_still(avatar, first, driving):
    target = MotionBasis(avatar, first).transfer(driving, LiveSettings(strength=0))

    assert_close(target, avatar)
    np.testing.assert_allclose(target.segmentation, avatar.segmentation, atol=0.02)


@given(avatar=motions(), first=motions(), driving=motions(), strength=st.floats(0, 2))
def test_shifts_grow_with_strength(avatar, first, driving, strength):
    basis = MotionBasis(avatar, first)

    full = basis.transfer(driving, PAPER).shift - avatar.shift
    some = basis.transfer(driving, PAPER.model_copy(update={"strength": strength})).shift - avatar.shift

    np.testing.assert_allclose(some, np.float32(strength) * full, atol=1e-3)


@given(driving=motions())
def test_powers_zero_one_and_two_are_exact_and_meet_in_between(driving):
    identity = np.broadcast_to(np.eye(2, dtype=np.float32), (PARTS, 2, 2))

    np.testing.assert_array_equal(motion.power(driving.affine, 0), identity)
    np.testing.assert_allclose(motion.power(driving.affine, 1), driving.affine, atol=1e-6)
    np.testing.assert_allclose(motion.power(driving.affine, 1 + 1e-6), driving.affine, atol=1e-5)
    np.testing.assert_allclose(motion.power(driving.affine, 2), driving.affine @ driving.affine, atol=1e-5)


@given(avatar=motions(), first=motions(), driving=motions())
def test_absolute_motion_is_the_drivers_whatever_the_strength(avatar, first, driving):
    settings = LiveSettings(mode="absolute", masks="driving", strength=0.3)

    target = MotionBasis(avatar, first).transfer(driving, settings)

    assert_close(target, driving, 0)
    assert target.segmentation is driving.segmentation


@given(avatar=motions(), target=motions())
def test_carried_masks_sum_to_one_and_are_never_negative(avatar, target):
    carried = motion.carry_masks(avatar, target)

    assert carried.dtype == np.float32
    assert carried.min() >= 0
    np.testing.assert_allclose(carried.sum(axis=0), 1, atol=1e-5)


def sampled(plane: np.ndarray, point: np.ndarray) -> float:
    """Bilinear, zero outside; the point in [-1, 1], x then y."""
    x, y = (point + 1) / 2 * (np.array(plane.shape[::-1]) - 1)
    total = 0.0
    for row in (int(np.floor(y)), int(np.floor(y)) + 1):
        for column in (int(np.floor(x)), int(np.floor(x)) + 1):
            if 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]:
                total += (1 - abs(x - column)) * (1 - abs(y - row)) * plane[row, column]
    return total


def test_a_carried_mask_reads_the_avatars_where_the_backward_map_points(rng):
    avatar, target = (
        Motion(rng.uniform(-0.4, 0.4, (2, 2)).astype(np.float32), (np.eye(2) + rng.normal(0, 0.2, (2, 2, 2))))
        for _ in range(2)
    )
    avatar = Motion(avatar.shift, avatar.affine, np.stack([np.zeros((6, 9)), *rng.random((2, 6, 9)) / 2]))

    carried = motion.carry_masks(avatar, target)

    parts = np.empty((2, 6, 9))
    for part, row, column in np.ndindex(parts.shape):
        z = np.array([2 * column / 8 - 1, 2 * row / 5 - 1])
        linear = avatar.affine[part] @ np.linalg.inv(target.affine[part])
        parts[part, row, column] = sampled(
            avatar.segmentation[part + 1], avatar.shift[part] + linear @ (z - target.shift[part])
        )
    np.testing.assert_allclose(carried[1:], parts, atol=0.02)  # they sum to less than one: nothing is divided
    np.testing.assert_allclose(carried[0], 1 - parts.sum(axis=0), atol=0.04)


def test_a_driving_motion_without_masks_carries_the_avatars(some_motion):
    bare = Motion(some_motion.shift + np.float32(0.1), some_motion.affine)

    target = MotionBasis(some_motion, some_motion).transfer(bare, LiveSettings(masks="driving"))

    np.testing.assert_array_equal(target.segmentation, motion.carry_masks(some_motion, target))


@pytest.fixture
def some_motion(rng) -> Motion:
    masks = rng.random((PARTS + 1, 8, 8), np.float32)
    affine = np.eye(2, dtype=np.float32) + rng.normal(0, 0.05, (PARTS, 2, 2)).astype(np.float32)
    return Motion(rng.uniform(-1, 1, (PARTS, 2)).astype(np.float32), affine, masks / masks.sum(axis=0))


def _broken(good: Motion, flaw: str) -> Motion:
    shift, affine = good.shift.copy(), good.affine.copy()
    masks = good.segmentation.copy()
    if flaw == "nan shift":
        shift[1, 0] = np.nan
    elif flaw == "infinite affine":
        affine[2, 1, 1] = np.inf
    elif flaw == "nan mask":
        masks[0, 3, 3] = np.nan
    elif flaw == "singular affine":
        affine[3] = [[1, 2], [0.5, 1]]
    else:
        shift[0, 1] = 1e20
    return Motion(shift, affine, masks)


@pytest.mark.parametrize("flaw", ["nan shift", "infinite affine", "nan mask", "singular affine", "far away"])
@pytest.mark.parametrize("mode", ["relative", "absolute"])
def test_an_unusable_motion_shows_the_last_good_one_and_is_counted(some_motion, flaw, mode):
    settings = LiveSettings(mode=mode)
    basis = MotionBasis(some_motion, some_motion)
    good = Motion(some_motion.shift + np.float32(0.1), some_motion.affine, some_motion.segmentation)
    before = basis.transfer(good, settings)

    held = basis.transfer(_broken(good, flaw), settings)

    assert held is before
    assert basis.held == 1


def test_before_any_good_motion_the_avatar_stays_as_it_is(some_motion):
    basis = MotionBasis(some_motion, some_motion)

    assert basis.transfer(_broken(some_motion, "nan shift"), PLAIN) is some_motion


def test_half_way_to_a_half_turn_is_held_rather_than_flattened(some_motion):
    upside_down = Motion(some_motion.shift, -some_motion.affine, some_motion.segmentation)
    basis = MotionBasis(some_motion, some_motion)

    target = basis.transfer(upside_down, LiveSettings(strength=0.5, limits=False))

    assert target is some_motion
    assert basis.held == 1


@pytest.mark.parametrize("flaw", ["nan shift", "singular affine"])
def test_a_basis_of_unusable_motions_is_refused(some_motion, flaw):
    with pytest.raises(ValueError, match="first motion is not finite or has an affine"):
        MotionBasis(some_motion, _broken(some_motion, flaw))


def test_a_basis_of_different_numbers_of_parts_is_refused(some_motion):
    fewer = Motion(some_motion.shift[:3], some_motion.affine[:3])

    with pytest.raises(ValueError, match="avatar has 5 parts, the first frame 3"):
        MotionBasis(some_motion, fewer)


def test_masks_cannot_be_carried_where_there_are_none(some_motion):
    with pytest.raises(ValueError, match="no segmentation"):
        motion.carry_masks(Motion(some_motion.shift, some_motion.affine), some_motion)
