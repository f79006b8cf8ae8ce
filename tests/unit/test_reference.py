"""The frame of a driving video that is most like the avatar."""

from __future__ import annotations

import numpy as np
import pytest

from puppet.reference import nearest, pose_distance
from puppet.types import Motion


@pytest.fixture
def avatar(rng: np.random.Generator) -> Motion:
    return Motion(rng.uniform(-0.6, 0.6, (8, 2)).astype(np.float32), np.tile(np.eye(2, dtype=np.float32), (8, 1, 1)))


def test_place_and_size_of_the_head_do_not_count(avatar: Motion) -> None:
    elsewhere = Motion(avatar.shift * 0.5 + np.float32([0.2, -0.3]), avatar.affine)

    assert pose_distance(avatar, elsewhere) == pytest.approx(0, abs=1e-6)


def test_moved_part_and_turned_part_count(avatar: Motion) -> None:
    shift, affine = avatar.shift.copy(), avatar.affine.copy()
    shift[3] += 0.1
    affine[3] = [[0.9, -0.3], [0.3, 0.9]]

    assert pose_distance(avatar, Motion(shift, avatar.affine)) > 0.01
    assert pose_distance(avatar, Motion(avatar.shift, affine)) > 0.001


def off(avatar: Motion, way: float) -> Motion:
    """The avatar's pose, but for one part."""
    shift = avatar.shift.copy()
    shift[2] += np.float32(way)
    return Motion(shift, avatar.affine)


def test_nearest_frame_is_found(avatar: Motion) -> None:
    clip = [off(avatar, 0.02 * abs(index - 13)) for index in range(40)]

    found = nearest(iter(clip), avatar)

    assert found is not None
    assert found[0] == 13
    assert found[1] is clip[13]


def test_pose_that_passes_in_a_moment_is_not_chosen(avatar: Motion) -> None:
    clip = [off(avatar, 0.3) for _ in range(20)] + [off(avatar, 0.05) for _ in range(20)]
    clip[8] = avatar

    found = nearest(clip, avatar)

    assert found is not None
    assert found[0] >= 20


def test_unusable_frames_are_never_chosen(avatar: Motion) -> None:
    broken = Motion(np.full_like(avatar.shift, np.nan), avatar.affine)

    assert nearest([broken, broken], avatar) is None
    found = nearest([broken, avatar], avatar)
    assert found is not None
    assert found[0] == 1
