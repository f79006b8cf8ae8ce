"""One head's turn is carried over to another that stands otherwise in its picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from puppet.head_pose import PLACES, RIGID, read_pose, turned_alike
from puppet.motion import MotionBasis
from puppet.settings import LiveSettings
from puppet.types import Motion

NAMES = (*PLACES, "body")
FACE = np.array([*PLACES.values(), (0.0, 2.0, 0.5)])
FREE = LiveSettings(limits=False)
UPRIGHT = np.eye(2, dtype=np.float32)


def turn(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Degrees; positive turns the nose to the right, downwards, and tilts clockwise."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def seen(*angles: float, size: float = 0.3, face: np.ndarray = FACE) -> Motion:
    shift = size * (face @ turn(*angles).T)[:, :2]
    return Motion(shift.astype(np.float32), np.tile(np.eye(2, dtype=np.float32), (len(face), 1, 1)))


def way(avatar: Motion, first: Motion, driving: Motion, *, settings: LiveSettings = FREE) -> np.ndarray:
    """How far the parts of the face go."""
    moved = MotionBasis(avatar, first, NAMES).transfer(driving, settings).shift - avatar.shift
    face = moved[:-1]
    return np.asarray(face - face[[NAMES.index(name) for name in RIGID]].mean(axis=0))


@pytest.mark.parametrize("camera", [(0, 0, 0), (30, 0, 0), (-25, 10, 0), (0, -15, 0), (15, 0, 20)])
@pytest.mark.parametrize("own", [(0, 0, 0), (-20, 5, 0)])
@pytest.mark.parametrize("does", [(0, 8, 0), (12, 0, 0), (0, 0, 10), (10, -6, -5)])
def test_an_avatar_turns_as_its_driver_from_wherever_either_is_seen(camera, own, does):
    avatar, first = seen(*own), seen(*camera)
    driving, wanted = (seen(*np.add(start, does)) for start in (camera, own))

    found = way(avatar, first, driving)

    expected = way(avatar, avatar, wanted, settings=FREE.model_copy(update={"adapt_tilt": False}))
    size = np.abs(expected).max()
    # Lids go with their eyes, and both lips together.
    assert np.abs(found - expected).max() < 0.15 * size


def test_without_it_a_nod_of_a_turned_driver_tilts_the_avatar():
    avatar, first, driving = seen(0, 0, 0), seen(30, 0, 0), seen(30, 8, 0)
    ends = [NAMES.index("forehead"), NAMES.index("chin")]

    with_it, without = (
        way(avatar, first, driving, settings=FREE.model_copy(update={"adapt_tilt": adapt}))[ends, 0]
        for adapt in (True, False)
    )

    assert abs(with_it[0] - with_it[1]) < 0.2 * abs(without[0] - without[1])


def test_nothing_is_added_where_both_stand_alike(rng):
    shift = (seen(10, 5, 3).shift + rng.normal(0, 0.01, (len(NAMES), 2))).astype(np.float32)
    pose = read_pose(shift, NAMES)
    assert pose is not None

    alike = turned_alike(pose, pose, seen(25, 0, 0).shift, scale=1.0, upright=UPRIGHT)

    assert alike is not None
    np.testing.assert_allclose(alike.way, 0, atol=1e-6)
    np.testing.assert_allclose(alike.stretch, np.tile(np.eye(2), (len(NAMES), 1, 1)), atol=1e-6)


def test_parts_narrow_as_the_avatar_is_seen_and_not_as_the_driver_was():
    front, aside = (read_pose(seen(yaw, 0, 0).shift, NAMES) for yaw in (0, 30))
    assert front is not None
    assert aside is not None
    nose = NAMES.index("nose")

    alike = turned_alike(front, aside, seen(42, 0, 0).shift, scale=1.0, upright=UPRIGHT)

    assert alike is not None
    driven = np.cos(np.radians(42)) / np.cos(np.radians(30))
    np.testing.assert_allclose(alike.stretch[nose] @ [driven, 0], [np.cos(np.radians(12)), 0], atol=0.02)


def test_an_avatar_turns_no_farther_than_limits_allow():
    front = seen(0, 0, 0)
    free, limited = (
        [way(front, front, seen(yaw, 0, 0), settings=LiveSettings(limits=limits)) for yaw in (20, 65)]
        for limits in (False, True)
    )

    nose = NAMES.index("nose")
    np.testing.assert_allclose(limited[0], free[0], atol=1e-3)
    assert free[0][nose, 0] < limited[1][nose, 0] < 0.75 * free[1][nose, 0]
    # What is left is a head that is turned less, not one whose parts went past each other.
    forty = way(front, front, seen(40, 0, 0))
    assert np.abs(limited[1] - forty).max() < 0.25 * np.abs(forty).max()


def test_nothing_jumps_while_a_head_turns_away():
    front, aside = (read_pose(seen(yaw, 0, 0).shift, NAMES) for yaw in (0, 30))
    assert front is not None
    assert aside is not None

    turns = [
        turned_alike(front, aside, seen(30 + yaw, yaw / 3, 0).shift, scale=1.0, upright=UPRIGHT, limits=True)
        for yaw in np.arange(-60, 45, 0.5)
    ]

    for of in ("way", "stretch"):
        steps = np.diff([getattr(turn, of) for turn in turns if turn is not None], axis=0)
        assert len(steps) == len(turns) - 1
        assert np.abs(steps).max() < 0.02, of


def test_at_rest_nothing_is_added(rng):
    avatar, first = ((rng.uniform(-0.5, 0.5, (len(NAMES), 2))).astype(np.float32) for _ in range(2))
    poses = read_pose(avatar, NAMES), read_pose(first, NAMES)
    assert poses[0] is not None
    assert poses[1] is not None

    alike = turned_alike(*poses, first, scale=1.5, upright=UPRIGHT)

    assert alike is not None
    np.testing.assert_allclose(alike.way, 0, atol=1e-6)
    np.testing.assert_allclose(alike.stretch, np.tile(np.eye(2), (len(NAMES), 1, 1)), atol=1e-5)


def test_what_a_face_does_beside_turning_is_kept():
    avatar, first = seen(0, 0, 0), seen(25, 0, 0)
    chin = NAMES.index("chin")
    driving = Motion(first.shift.copy(), first.affine)
    driving.shift[chin, 1] += 0.06

    moved = MotionBasis(avatar, first, NAMES).transfer(driving, FREE).shift - avatar.shift

    assert moved[chin, 1] == pytest.approx(0.06, rel=0.02)
    assert np.abs(np.delete(moved, chin, axis=0)).max() < 1e-3


def test_the_body_is_left_alone():
    pose, other = (read_pose(seen(yaw, 0, 0).shift, NAMES) for yaw in (0, 30))
    assert pose is not None
    assert other is not None

    alike = turned_alike(pose, other, seen(30, 10, 0).shift, scale=1.0, upright=UPRIGHT)

    assert alike is not None
    assert np.abs(alike.way).max() > 0.005
    np.testing.assert_array_equal(alike.way[-1], 0)
    np.testing.assert_array_equal(alike.stretch[-1], np.eye(2))


def test_parts_that_say_too_little_are_driven_as_before():
    assert read_pose(seen(0, 0, 0).shift[1:], tuple("abcdefghijklmnopqrs")) is None
    assert read_pose(np.zeros((len(NAMES), 2), np.float32), NAMES) is None
    pose = read_pose(seen(0, 0, 0).shift, NAMES)
    assert pose is not None
    nothing = np.zeros((len(NAMES), 2), np.float32)
    assert turned_alike(pose, pose, nothing, scale=1.0, upright=UPRIGHT) is None


@given(hnp.arrays(np.float32, (3, len(NAMES), 2), elements=st.floats(-1, 1, width=32)))
def test_whatever_is_read_stays_finite_and_small(shifts):
    avatar, first = (read_pose(shift, NAMES) for shift in shifts[:2])
    if avatar is None or first is None:
        return

    alike = turned_alike(avatar, first, shifts[2], scale=1.0, upright=UPRIGHT)

    if alike is not None:
        assert np.isfinite(alike.way).all()
        assert np.abs(alike.way).max() < 30
        assert np.abs(alike.stretch).max() < 200
