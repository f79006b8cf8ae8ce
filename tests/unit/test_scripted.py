"""The scripted performance: natural, repeatable, and tied to the parts by their names."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppet.errors import SourceError
from puppet.motion import is_usable
from puppet.sources import scripted
from puppet.sources.head import BODY_FOLLOWS, Head, Pose
from puppet.types import Motion
from tests.media import flat

PLACES = {
    "hair": (0, -0.55), "forehead": (0, -0.25), "right_brow": (-0.2, -0.12), "left_brow": (0.2, -0.12),
    "right_lid": (-0.2, -0.05), "right_eye": (-0.2, 0.0), "left_lid": (0.2, -0.05), "left_eye": (0.2, 0.0),
    "nose": (0, 0.15), "upper_lip": (0, 0.32), "lower_lip": (0, 0.4), "chin": (0, 0.55),
    "right_ear": (-0.5, 0.1), "left_ear": (0.5, 0.1), "body": (0, 0.9), "part_7": (0.1, 0.2),
    "right_iris": (-0.19, 0.0), "left_iris": (0.21, 0.0),
}  # fmt: skip
NAMES = tuple(PLACES)
FACE = tuple(name for name in NAMES if name != "body")


@pytest.fixture
def rest(rng: np.random.Generator) -> Motion:
    affine = np.eye(2) + rng.normal(0, 0.1, (len(NAMES), 2, 2))
    return Motion(np.array(list(PLACES.values()), np.float32), affine.astype(np.float32))


@pytest.fixture
def avatar(rest: Motion) -> SimpleNamespace:
    return SimpleNamespace(image=flat(1, 2, 3), motion=rest)


def moved(rest: Motion, **pose: float) -> dict[str, np.ndarray]:
    """How far each part moves."""
    return dict(zip(NAMES, Head(rest, NAMES).posed(Pose(**pose)).shift - rest.shift, strict=True))


def stretched(rest: Motion, **pose: float) -> dict[str, np.ndarray]:
    """The linear map of each part."""
    maps = Head(rest, NAMES).posed(Pose(**pose)).affine @ np.linalg.inv(rest.affine)
    return dict(zip(NAMES, maps, strict=True))


def test_neutral_pose_is_the_avatars_own_motion(rest: Motion) -> None:
    posed = Head(rest, NAMES).posed(Pose())

    np.testing.assert_allclose(posed.shift, rest.shift, atol=1e-6)
    np.testing.assert_allclose(posed.affine, rest.affine, atol=1e-6)
    assert posed.segmentation is None


def test_performance_starts_and_ends_in_the_avatars_own_pose(avatar: SimpleNamespace) -> None:
    motions = [motion for _, motion in scripted.Scripted(seconds=5).motions(avatar, NAMES)]

    for motion in (motions[0], motions[-1]):
        np.testing.assert_allclose(motion.shift, avatar.motion.shift, atol=2e-3)


def test_same_performance_every_time(avatar: SimpleNamespace) -> None:
    first, second = (list(scripted.Scripted().motions(avatar, NAMES)) for _ in range(2))

    assert len(first) == 200
    for (frame, motion), (again, repeated) in zip(first, second, strict=True):
        assert (frame.index, frame.captured_at) == (again.index, again.captured_at)
        np.testing.assert_array_equal(motion.shift, repeated.shift)


def test_every_motion_is_usable_and_no_part_jumps(avatar: SimpleNamespace) -> None:
    motions = [motion for _, motion in scripted.Scripted().motions(avatar, NAMES)]

    steps = np.diff([motion.shift for motion in motions], axis=0)
    assert all(is_usable(motion) for motion in motions)
    # A lid falls its whole way in 4 frames; nothing else is faster. 0.05 is 6 pixels of 256.
    assert np.abs(steps).max() < 0.05


@given(st.floats(0, 60))
def test_loop_has_no_seam(seconds: float) -> None:
    before, after = scripted.pose_at(seconds), scripted.pose_at(seconds + 1e-4)

    for name, value in vars(before).items():
        assert abs(value - vars(after)[name]) < 0.01, name


def test_turn_moves_the_nose_more_than_hair_and_ears(rest: Motion) -> None:
    way = moved(rest, yaw=0.25)

    ears = (way["left_ear"][0] + way["right_ear"][0]) / 2
    assert way["nose"][0] > way["upper_lip"][0] > way["left_eye"][0] > 2 * ears > 0
    assert way["nose"][0] > 1.1 * way["hair"][0] > 0
    assert way["body"][0] < 0.1 * way["nose"][0]


def test_hair_beside_the_head_and_the_neck_move_less_than_the_face(rest: Motion) -> None:
    names = (*NAMES, "right_hair", "left_hair", "neck", "left_shoulder")
    places = np.float32([[-0.55, 0.2], [0.55, 0.2], [0, 0.75], [0.6, 0.9]])
    shift = np.concatenate([rest.shift, places])
    motion = Motion(shift, np.tile(np.eye(2, dtype=np.float32), (len(names), 1, 1)))

    way = dict(zip(names, Head(motion, names).posed(Pose(yaw=0.25)).shift - shift, strict=True))

    assert abs(way["right_hair"][0] + way["left_hair"][0]) / 2 < 0.3 * way["hair"][0]
    assert abs(way["left_shoulder"][0]) < abs(way["neck"][0]) + 0.01 < 0.3 * way["nose"][0]


def test_turn_narrows_the_side_turned_away(rest: Motion) -> None:
    maps = stretched(rest, yaw=0.25)

    assert maps["left_ear"][0, 0] < 1 < maps["right_ear"][0, 0]


def test_nod_moves_the_face_down_and_tilt_turns_it(rest: Motion) -> None:
    assert all(moved(rest, pitch=0.15)[name][1] > 0 for name in FACE)
    tilt = stretched(rest, roll=0.1)["nose"]
    np.testing.assert_allclose(tilt, [[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]], atol=1e-3)


def test_blink_lowers_lids_by_the_eyes_height_and_flattens_eyes(rest: Motion) -> None:
    way, maps = moved(rest, blink=1.0), stretched(rest, blink=1.0)

    # Lids of this face are 0.05 high.
    np.testing.assert_allclose(way["left_lid"], [0, 1.25 * 0.05], atol=0.005)
    assert way["left_lid"][1] > way["left_eye"][1] > 0
    assert maps["right_eye"][1, 1] < 0.6
    assert maps["right_eye"][0, 0] == pytest.approx(1, abs=0.1)
    for name in ("nose", "chin", "upper_lip", "hair", "body"):
        np.testing.assert_allclose(way[name], 0, atol=1e-6)


def test_irises_move_with_their_eyes_and_look_by_themselves(rest: Motion) -> None:
    for pose in ({"blink": 1.0}, {"smile": 1.0}, {"yaw": 0.2}):
        way = moved(rest, **pose)
        np.testing.assert_allclose(way["left_iris"], way["left_eye"], atol=3e-3)
        np.testing.assert_allclose(stretched(rest, **pose)["left_iris"], stretched(rest, **pose)["left_eye"], atol=2e-2)

    looking = moved(rest, gaze=1.0)
    assert looking["left_iris"][0] == pytest.approx(looking["right_iris"][0], rel=0.01)
    assert 0.02 < looking["left_iris"][0] < 0.06
    np.testing.assert_allclose(looking["left_eye"], 0, atol=1e-6)


def test_eyes_look_where_the_head_is_about_to_turn() -> None:
    turns = [scripted.pose_at(time) for time in (0.75, 2.1)]

    assert turns[0].gaze < -0.5 < turns[0].yaw
    assert turns[1].gaze > 0.5 > turns[1].yaw
    assert scripted.pose_at(4.0).gaze == 0


def test_larger_eyes_close_further(rest: Motion) -> None:
    shift = rest.shift.copy()
    for name in ("left_lid", "right_lid"):
        shift[NAMES.index(name), 1] -= 0.05
    drawn = Motion(shift, rest.affine)

    assert moved(drawn, blink=1.0)["left_lid"][1] == pytest.approx(2 * moved(rest, blink=1.0)["left_lid"][1], rel=0.1)


def test_smaller_face_moves_less(rest: Motion) -> None:
    small = Motion(rest.shift * np.float32(0.6), rest.affine)

    assert moved(small, yaw=0.2)["nose"][0] == pytest.approx(0.6 * moved(rest, yaw=0.2)["nose"][0], rel=0.05)


def test_sides_mirror_each_other(rest: Motion) -> None:
    way = moved(rest, smile=1.0, brows=1.0, blink=0.5)

    for part in ("eye", "brow", "ear"):
        np.testing.assert_allclose(way[f"left_{part}"], way[f"right_{part}"] * [-1, 1], atol=1e-6)


def test_blink_closes_holds_and_opens_in_time() -> None:
    start = scripted.BLINKS[0]
    at = {since: scripted.pose_at(start + since).blink for since in (0.0, 0.15, 0.25, 0.45)}

    assert at[0.0] == at[0.45] == pytest.approx(0, abs=1e-6)
    assert at[0.15] == at[0.25] == pytest.approx(1)


def test_talking_moves_lower_lip_and_chin_and_not_the_eyes(rest: Motion) -> None:
    way = moved(rest, jaw=1.0)

    assert way["chin"][1] > 0.05
    assert way["lower_lip"][1] > 0.05
    np.testing.assert_allclose(way["left_eye"], 0, atol=1e-6)


def test_smile_widens_the_mouth(rest: Motion) -> None:
    assert stretched(rest, smile=1.0)["upper_lip"][0, 0] > 1.1


def test_unknown_part_moves_with_the_head(rest: Motion) -> None:
    way = moved(rest, yaw=0.2)

    assert way["part_7"][0] == pytest.approx(way["nose"][0], rel=0.35)
    assert way["part_7"][0] > 3 * BODY_FOLLOWS * way["nose"][0]


def test_parts_and_names_must_agree(rest: Motion) -> None:
    with pytest.raises(ValueError, match="1 part names for"):
        Head(rest, ("nose",))


@pytest.mark.parametrize(("text", "frames"), [("scripted", 200), ("scripted:2", 50), ("scripted:0.5", 12)])
def test_length_is_read_from_the_name(text: str, frames: int) -> None:
    assert scripted.parse(text).clip.frames == frames


@pytest.mark.parametrize(
    "text", ["scripted:", "scripted:long", "scripted:0", "scripted:-3", "scripted:1e9", "scripted:nan"]
)
def test_impossible_length_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match=r"scripted"):
        scripted.parse(text)
