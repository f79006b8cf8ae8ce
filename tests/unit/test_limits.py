"""What holds parts together, sets their gains, and sets a tilted driver's movements upright."""

from __future__ import annotations

import math

import numpy as np
import pytest

from puppet import limits
from puppet.gains import GAZE, Gains
from puppet.motion import MotionBasis
from puppet.part_groups import of_head
from puppet.settings import LiveSettings
from puppet.tilt import MOST_TILT, upright
from puppet.types import Motion

NAMES = ("forehead", "right_cheek", "left_cheek", "nose", "right_eye", "left_eye", "upper_lip", "lower_lip", "body")
FACE = np.float32(
    [[0, -0.5], [-0.3, 0.1], [0.3, 0.1], [0, 0.05], [-0.2, -0.15], [0.2, -0.15], [0, 0.25], [0, 0.33], [0, 0.8]]
)
EYE = np.broadcast_to(np.eye(2, dtype=np.float32), (len(FACE), 2, 2)).copy()


def turned(degrees: float) -> np.ndarray:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.float32([[cosine, -sine], [sine, cosine]])


def pose(shift: np.ndarray, affine: np.ndarray = EYE) -> Motion:
    return Motion(shift.astype(np.float32), affine.astype(np.float32))


def test_a_soft_limit_keeps_what_is_usual_and_never_exceeds_the_most():
    values = np.linspace(0, 10, 5001)

    limited = limits.soft_limit(values, 1.0, 2.0)

    np.testing.assert_array_equal(limited[values <= 1], values[values <= 1])
    assert limited.max() <= 2
    steps = np.diff(limited)
    assert steps.min() >= 0
    assert np.abs(np.diff(steps)).max() < 0.01 * steps[0], "no corner"


def test_what_faces_do_is_left_as_it_is(rng):
    affine = EYE + rng.normal(0, 0.1, EYE.shape).astype(np.float32)
    way = np.float32([0.3, -0.1]) + rng.normal(0, 0.03, FACE.shape).astype(np.float32)

    assert limits.limit_affines(affine)[0] is affine
    assert limits.limit_shifts(way, FACE)[0] is way
    assert limits.hold_back_turn(way, FACE)[0] is way


def test_singular_values_come_within_limits_and_the_turn_stays():
    affine = EYE.copy()
    affine[2] = turned(30) @ np.diag([9.0, 0.02])

    limited, is_changed = limits.limit_affines(affine)

    assert is_changed.tolist() == [False, False, True] + [False] * 6
    values = np.linalg.svd(limited[2], compute_uv=False)
    np.testing.assert_allclose(np.log(values), [limits.MOST_STRETCH, -limits.MOST_STRETCH], atol=1e-3)
    np.testing.assert_allclose(limited[2] @ [1, 0] / values[0], turned(30)[:, 0], atol=1e-5)


def test_a_part_that_leaves_the_others_is_held_near_them():
    way = np.tile(np.float32([0.2, 0.1]), (len(FACE), 1))
    way[5] += np.float32([1.5, 0])

    limited, is_changed = limits.limit_shifts(way, FACE)

    assert is_changed[5]
    assert np.linalg.norm(limited[5] - way[0]) < 1
    assert np.linalg.norm(limited - limits.limit_shifts(limited, FACE)[0]) < limits.MOST_AWAY


def test_a_head_that_turns_too_far_is_held_back_as_a_whole():
    depth = np.float32([0.2, 0.1, 0.1, 0.5, 0.2, 0.2, 0.3, 0.3, -0.4])
    way = np.stack([depth, np.zeros_like(depth)], axis=1) * 2
    basis = MotionBasis(pose(FACE), pose(FACE), NAMES)

    target = basis.transfer(pose(FACE + way), LiveSettings())

    moved = target.shift - FACE
    share = limits.hold_back_turn(way, FACE)[1]
    assert share < 0.6
    np.testing.assert_allclose(moved - moved.mean(axis=0), share * (way - way.mean(axis=0)), atol=0.03)
    assert basis.limited == len(FACE)
    np.testing.assert_allclose(
        basis.transfer(pose(FACE + way), LiveSettings(limits=False)).shift, FACE + way, atol=1e-5
    )
    assert limits.MOST_TURNED < 0.2


def test_a_head_turned_too_far_to_the_side_still_nods():
    depth = np.float32([0.2, 0.1, 0.1, 0.5, 0.2, 0.2, 0.3, 0.3, -0.4])
    aside = np.stack([2 * depth, np.zeros_like(depth)], axis=1)
    nod = np.stack([np.zeros_like(depth), 0.1 * depth], axis=1)

    held, share = limits.hold_back_turn(aside + nod, FACE)

    without, _ = limits.hold_back_turn(aside, FACE)
    assert share < 0.6
    gain = float(((held - without)[:, 1] * nod[:, 1]).sum() / np.square(nod[:, 1]).sum())
    assert gain > 0.9


def test_a_view_that_shows_the_turned_head_lets_it_turn_so_far():
    depth = np.float32([0.2, 0.1, 0.1, 0.5, 0.2, 0.2, 0.3, 0.3, -0.4])
    way = np.stack([depth, np.zeros_like(depth)], axis=1) * 2
    view, other_side = pose(FACE + 0.9 * way), pose(FACE - 0.9 * way)

    for views, is_free in (([view], True), ([other_side], False), ([other_side, view], True)):
        basis = MotionBasis(pose(FACE), pose(FACE), NAMES, further=views)
        moved = basis.transfer(pose(FACE + way), LiveSettings()).shift - FACE
        assert np.allclose(moved, way, atol=1e-5) == is_free
        assert (basis.limited == 0) == is_free


@pytest.mark.parametrize("own", [0, 25])
@pytest.mark.parametrize("tilt", [0, 15, -30])
def test_a_tilted_driver_moves_any_avatar_upright(tilt, own):
    nod = np.float32([0, 0.1])
    avatar, tilted = pose(FACE @ turned(own).T), pose(FACE @ turned(tilt).T)
    basis = MotionBasis(avatar, tilted, NAMES)

    target = basis.transfer(pose((FACE + nod) @ turned(tilt).T), LiveSettings())

    np.testing.assert_allclose(target.shift - avatar.shift, np.tile(nod, (len(FACE), 1)), atol=1e-4)
    np.testing.assert_allclose(target.affine, EYE, atol=1e-5)


def test_a_part_of_a_tilted_driver_stretches_along_the_upright():
    tall, tilt = np.diag(np.float32([1, 1.3])), turned(20)
    basis = MotionBasis(pose(FACE), pose(FACE @ tilt.T), NAMES)

    target = basis.transfer(pose(FACE @ tilt.T, np.tile(tilt @ tall @ tilt.T, (len(FACE), 1, 1))), LiveSettings())

    np.testing.assert_allclose(target.affine, np.tile(tall, (len(FACE), 1, 1)), atol=1e-5)


def test_neither_turning_nor_nodding_nor_an_open_mouth_looks_like_a_tilt():
    turned_and_nodding = FACE * np.float32([0.8, 0.9]) + np.abs(FACE[:, :1]) * np.float32([0.3, 0.2])
    turned_and_nodding[7] += np.float32([0.02, 0.1])

    np.testing.assert_allclose(upright(turned_and_nodding, NAMES), np.eye(2), atol=1e-6)


def test_a_head_is_taken_for_tilted_no_farther_than_a_limit():
    found = upright(FACE @ turned(90).T, NAMES)

    assert math.atan2(found[0, 1], found[0, 0]) == pytest.approx(MOST_TILT)


@pytest.mark.parametrize(("shift", "names"), [(FACE @ turned(20).T, ()), (np.zeros_like(FACE), NAMES)])
def test_places_that_tell_no_tilt_change_nothing(shift, names):
    np.testing.assert_array_equal(upright(shift, names), np.eye(2))


def test_a_stronger_mouth_opens_wider_and_leaves_the_rest():
    way = np.tile(np.float32([0.1, 0.05]), (len(FACE), 1))
    way[7] += np.float32([0, 0.1])
    settings = LiveSettings(mouth=1.5)

    scaled = Gains(NAMES).shifts(way, FACE, settings)

    np.testing.assert_allclose(scaled[7], way[7] + np.float32([0, 0.05]), atol=1e-5)
    np.testing.assert_allclose(np.delete(scaled, 7, axis=0), np.delete(way, 7, axis=0), atol=1e-5)
    assert Gains(NAMES).strengths(settings).tolist() == [1, 1, 1, 1, 1, 1, 1.5, 1.5, 1]


def test_a_still_head_lets_the_mouth_move():
    way = np.tile(np.float32([0.1, 0.05]), (len(FACE), 1))
    way[7] += np.float32([0, 0.1])

    scaled = Gains(NAMES).shifts(way, FACE, LiveSettings(head=0))

    np.testing.assert_allclose(np.delete(scaled, 7, axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled[7], (0, 0.1), atol=1e-5)


def test_without_names_only_the_head_has_a_gain(rng):
    way = rng.normal(0, 0.1, FACE.shape).astype(np.float32)
    gains = Gains([f"part {number}" for number in range(len(FACE))])

    assert not gains.has_regions
    np.testing.assert_allclose(gains.shifts(way, FACE, LiveSettings(mouth=2, head=0.5)), way / 2)


OUTER_NAMES = (*NAMES, "right_hair", "left_hair", "neck", "right_shoulder", "left_shoulder")
OUTER = np.concatenate([FACE, np.float32([[-0.5, 0], [0.5, 0], [0, 0.6], [-0.7, 0.9], [0.7, 0.9]])])


@pytest.mark.parametrize(("settings", "eyes"), [(LiveSettings(), 1.0), (LiveSettings(eyes=2.0), 2.0)])
def test_irises_go_farther_beside_their_eyes_than_was_read(settings, eyes):
    names = (*NAMES, "left_iris")
    rest = np.vstack([FACE, FACE[NAMES.index("left_eye")]]).astype(np.float32)
    way = np.full_like(rest, 0.1)
    way[-1] += np.float32([0.0, 0.02])

    given = Gains(names).shifts(way, rest, settings)

    np.testing.assert_allclose(given[:-1], way[:-1], atol=1e-5)
    np.testing.assert_allclose(given[-1] - way[-2], [0, GAZE * eyes * 0.02], atol=1e-5)


def test_parts_beside_the_head_are_told_by_their_names():
    assert of_head(OUTER_NAMES).tolist() == [True] * len(NAMES) + [False] * 5
    assert of_head(("hair", "right_ear", "left_ear", "nose")).all()
    assert of_head(("neck", "left_shoulder", "nose")).all(), "too few would be left"


def test_shoulders_neither_hold_a_turned_head_back_nor_come_along_with_it(rng):
    way = np.zeros_like(FACE) + np.float32([0.05, 0])
    way[3] += np.float32([0.5, 0])  # the nose goes far
    outer = np.concatenate([way, np.zeros((5, 2), np.float32)])
    head = of_head(OUTER_NAMES)

    held, share = limits.hold_back_turn(outer, OUTER, head)

    assert share == limits.hold_back_turn(way, FACE)[1] < 1
    np.testing.assert_allclose(held[: len(FACE)], limits.hold_back_turn(way, FACE)[0], atol=1e-6)
    np.testing.assert_array_equal(held[len(FACE) :], 0)
    apart = np.where(head[:, None], 0.5, 0).astype(np.float32) * np.ones_like(OUTER)
    assert limits.limit_shifts(apart, OUTER, head)[0] is apart


def test_a_crooked_shoulder_is_no_tilt_of_the_head():
    shift = OUTER.copy()
    shift[-1] += np.float32([0, -0.4])

    np.testing.assert_allclose(upright(shift, OUTER_NAMES), np.eye(2), atol=1e-6)


def test_long_hair_does_not_make_the_head_larger(rng):
    long = OUTER.copy()
    long[len(NAMES) : len(NAMES) + 2] *= 3

    affine = np.tile(EYE[:1], (len(OUTER), 1, 1))

    assert MotionBasis(pose(long, affine), pose(OUTER, affine), OUTER_NAMES).scale == 1
