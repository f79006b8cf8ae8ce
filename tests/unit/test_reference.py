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


def test_nearest_frame_is_found_among_many(avatar: Motion, rng: np.random.Generator) -> None:
    clip = [Motion(avatar.shift + rng.normal(0, 0.1, (8, 2)).astype(np.float32), avatar.affine) for _ in range(20)]
    clip[13] = Motion(avatar.shift + np.float32(0.001), avatar.affine)

    found = nearest(iter(clip), avatar)

    assert found is not None
    assert found[0] == 13
    assert found[1] is clip[13]


def test_unusable_frames_are_never_chosen(avatar: Motion) -> None:
    broken = Motion(np.full_like(avatar.shift, np.nan), avatar.affine)

    assert nearest([broken, broken], avatar) is None
    found = nearest([broken, avatar], avatar)
    assert found is not None
    assert found[0] == 1
