"""Which frame of a driving video shows the driver in the pose most like the avatar's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppet.motion import MIN_AREA, inverse, is_usable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from puppet.types import Floats, Motion

AFFINE_WEIGHT = 0.1
"""Of turning and stretching beside places. Shifts tell pose and expression with less noise."""


def pose_distance(motion: Motion, other: Motion) -> float:
    """How far apart two poses are, whatever the place and size of the heads.

    Mean distance of the parts' shifts, both sets centred and divided by the root of their hull's area, and of the
    affines that lead from one to the other from the identity.

    Returns:
        0 for equal poses; infinity if either motion is unusable.
    """
    if not (is_usable(motion) and is_usable(other)):
        return float("inf")
    places = np.linalg.norm(_normalised(motion.shift) - _normalised(other.shift), axis=1).mean()
    between = motion.affine @ inverse(other.affine) - np.eye(2, dtype=np.float32)
    return float(places + AFFINE_WEIGHT * np.linalg.norm(between, axis=(1, 2)).mean())


def nearest(motions: Iterable[Motion], avatar: Motion) -> tuple[int, Motion] | None:
    """Number and motion of the frame whose pose is nearest to the avatar's; None if no motion is usable.

    Only the best so far is kept.
    """
    best: tuple[int, Motion] | None = None
    least = float("inf")
    for index, motion in enumerate(motions):
        distance = pose_distance(motion, avatar)
        if distance < least:
            best, least = (index, motion), distance
    return best


def _normalised(shift: Floats) -> Floats:
    centred = shift - shift.mean(axis=0)
    area = float(cv2.contourArea(cv2.convexHull(np.ascontiguousarray(centred, np.float32))))
    return np.asarray(centred / max(area, MIN_AREA) ** 0.5, np.float32)
