"""From the driver's head to the avatar's: how large, how wide and how tilted one is beside the other.

Both are compared where relative motion starts from. A driver who holds the head tilted there nods along a tilted line;
on an upright avatar that must be an upright nod.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from puppet.types import Floats

LEAST_STRETCH, MOST_STRETCH = 0.75, 1.33
"""Of the avatar's width over height beside the driver's, along any line: a turned head may look slimmer still."""
MOST_TILT = math.radians(40)
FEWEST = 4
"""Parts; fewer tell nothing of a head's shape."""
LEAST_SPREAD = 1e-3
"""Of the parts, half sides, along any line: below, they lie on one."""


def bearing(avatar: Floats, first: Floats) -> Floats:
    """The matrix, float32 (2, 2) with determinant 1, that takes directions at the driver's head to the avatar's.

    It is the linear part of the affine map that fits one set of places to the other best (least squares), without its
    size, its tilt and stretch within limits; the identity where the places tell nothing.

    Args:
        avatar: the avatar's shifts, float32 (K, 2).
        first: the driver's in the first frame, float32 (K, 2).
    """
    identity = np.eye(2, dtype=np.float32)
    start, goal = first - first.mean(axis=0), avatar - avatar.mean(axis=0)
    spread = min(np.linalg.svd(each, compute_uv=False)[-1] for each in (start, goal))
    if len(first) < FEWEST or spread < LEAST_SPREAD:
        return identity
    fitted = (np.linalg.pinv(start) @ goal).T
    left, values, right = np.linalg.svd(fitted)
    if values[-1] < LEAST_SPREAD or np.linalg.det(fitted) <= 0:
        return identity
    values = np.clip(values / math.sqrt(values[0] * values[1]), LEAST_STRETCH, MOST_STRETCH)
    turn = left @ right
    angle = math.atan2(turn[1, 0], turn[0, 0])
    within = float(np.clip(angle, -MOST_TILT, MOST_TILT))
    cosine, sine = math.cos(within), math.sin(within)
    stretch = right.T @ np.diag(values / math.sqrt(values[0] * values[1])) @ right
    return np.asarray(np.array([[cosine, -sine], [sine, cosine]]) @ stretch, np.float32)
