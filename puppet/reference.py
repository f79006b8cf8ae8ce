"""Which frame of a driving video shows the driver in the pose most like the avatar's."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppet.motion import MIN_AREA, inverse, is_usable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from puppet.types import Floats, Motion

HELD = 7
"""Frames over which a pose must be held, about a quarter of a second: longer than lids stay half closed."""
AFFINE_WEIGHT = 0.1
"""Of turning and stretching beside places. Shifts tell pose and expression with less noise."""


class Poses:
    """Poses that others are compared with."""

    def __init__(self, motions: Sequence[Motion]) -> None:
        """Take usable motions, at least one."""
        self._places = np.stack([_normalised(motion.shift) for motion in motions])
        self._affines = np.stack([motion.affine for motion in motions])

    def distances(self, other: Motion) -> Floats:
        """How far apart each pose and the other are, whatever the place and size of the heads.

        Mean distance of the parts' shifts, both sets centred and divided by the root of their hull's area, and of the
        affines that lead from one to the other from the identity.

        Args:
            other: usable.

        Returns:
            float32 (N,), 0 for equal poses.
        """
        places = np.linalg.norm(self._places - _normalised(other.shift), axis=2).mean(axis=1)
        between = self._affines @ inverse(other.affine) - np.eye(2, dtype=np.float32)
        return np.asarray(places + AFFINE_WEIGHT * np.linalg.norm(between, axis=(2, 3)).mean(axis=1), np.float32)


def pose_distance(motion: Motion, other: Motion) -> float:
    """How far apart two poses are, as `Poses.distances` says; infinity if either motion is unusable."""
    if not (is_usable(motion) and is_usable(other)):
        return float("inf")
    return float(Poses([motion]).distances(other)[0])


def nearest(motions: Iterable[Motion], avatar: Motion) -> tuple[int, Motion] | None:
    """Number and motion of the frame around which the pose stays nearest to the avatar's; None if none is usable.

    The mean over a few frames counts, so that no blink is chosen because it passes through the avatar's eyes.
    Only those few frames are kept.
    """
    held: deque[tuple[float, int, Motion]] = deque(maxlen=HELD)
    steadiest: tuple[float, int, Motion] | None = None
    single: tuple[float, int, Motion] | None = None
    for index, motion in enumerate(motions):
        distance = pose_distance(motion, avatar)
        held.append((distance, index, motion))
        if single is None or distance < single[0]:
            single = distance, index, motion
        mean = sum(entry[0] for entry in held) / HELD
        if len(held) == HELD and (steadiest is None or mean < steadiest[0]):
            steadiest = mean, *held[HELD // 2][1:]
    best = steadiest if steadiest is not None and steadiest[0] < float("inf") else single
    return None if best is None or best[0] == float("inf") else best[1:]


def _normalised(shift: Floats) -> Floats:
    centred = shift - shift.mean(axis=0)
    area = float(cv2.contourArea(cv2.convexHull(np.ascontiguousarray(centred, np.float32))))
    return np.asarray(centred / max(area, MIN_AREA) ** 0.5, np.float32)
