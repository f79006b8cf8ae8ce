"""What a face does, read off its mesh: mouth and eyes open, head turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engines.faces import Mesh

GESTURES = ("mouth", "eyes", "gaze", "yaw", "pitch", "roll")

_OUTER_EYE_CORNERS = (33, 263)
_INNER_LIPS = ((13, 14), (82, 87), (312, 317))
_LIDS = ((160, 144), (159, 145), (158, 153)), ((385, 380), (386, 374), (387, 373))
_EYE_WIDTHS = (33, 133), (362, 263)
"""Both corners of the right and of the left eye."""
RIGHT = [98, 33, 133, 127, 234, 67, 109, 103, 54, 21, 162]
LEFT = [327, 263, 362, 356, 454, 297, 338, 332, 284, 251, 389]
"""Points of nose, eye corners, temples and forehead that mirror each other, by the person's own sides."""
# What neither speech nor brows nor lids move much.
_RIGID = [10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, *RIGHT, *LEFT]


@dataclass(frozen=True)
class Gesture:
    """One frame's gesture.

    Angles are those of the head, as trackers give them: it nods about the line through its ears, wherever it is turned
    and tilted, and tilts in the picture.
    """

    mouth: float
    """Gap between the inner lips over the distance of the outer eye corners, in three dimensions."""
    eyes: float
    """Gap between the lids over the eye's width, mean of both eyes."""
    gaze: float
    """How far the irises are from the middle of their eyes to the right of the picture, in widths of an eye, mean of
    both; 0 where they were not looked for."""
    yaw: float
    """Degrees from the reference; positive turns the nose towards the right edge of the picture."""
    pitch: float
    """Degrees from the reference; positive turns the nose downwards."""
    roll: float
    """Degrees from the reference; positive turns clockwise in the picture."""


def gesture(mesh: Mesh, reference: Mesh) -> Gesture:
    """Read off the gesture of a frame.

    Args:
        mesh: of the frame.
        reference: of the same clip's first frame; the angles are measured from it.
    """
    points = mesh.points.astype(np.float64)
    eye_distance = _distance(points, _OUTER_EYE_CORNERS)
    mouth = float(np.mean([_distance(points, pair) for pair in _INNER_LIPS])) / eye_distance
    openings = [
        np.mean([_distance(points, pair) for pair in lids]) / _distance(points, width)
        for lids, width in zip(_LIDS, _EYE_WIDTHS, strict=True)
    ]
    before = head_axes(reference)
    now = rotation(reference.points[_RIGID], mesh.points[_RIGID]) @ before
    yaw, pitch, roll = ((to - start + 180) % 360 - 180 for start, to in zip(angles(before), angles(now), strict=True))
    return Gesture(mouth, float(np.mean(openings)), _gaze(mesh), yaw, pitch, roll)


def _gaze(mesh: Mesh) -> float:
    if mesh.irises is None:
        return 0.0
    asides = []
    for iris, (outer, inner) in zip(mesh.irises.astype(np.float64), _EYE_WIDTHS, strict=True):
        start, end = mesh.points[[outer, inner], :2].astype(np.float64)
        across = end - start if end[0] > start[0] else start - end
        asides.append((iris - (start + end) / 2) @ across / (across @ across))
    return float(np.mean(asides))


def head_axes(mesh: Mesh) -> NDArray[np.float64]:
    """A head's axes, the columns of (3, 3) with determinant +1: to its left, down, and away from the camera.

    The first is what right and left points of the face have between them. Where down is about it says no more than from
    where the pitch is counted: here it is 0.
    """
    across = (mesh.points[LEFT].astype(np.float64) - mesh.points[RIGHT]).mean(axis=0)
    across /= np.linalg.norm(across)
    roll = np.arctan2(across[1], across[0])
    down = np.array([-np.sin(roll), np.cos(roll), 0.0])
    return np.stack([across, down, np.cross(across, down)], axis=1)


def rotation(points: NDArray[np.float32], turned: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rotation that takes one point set to the other, after shift and scale (Kabsch, 1976).

    Args:
        points: (N, 3).
        turned: (N, 3), in the same order.

    Returns:
        (3, 3) with determinant +1: `turned ~ scale * points @ R.T + shift`.
    """
    first = points.astype(np.float64) - points.mean(axis=0)
    second = turned.astype(np.float64) - turned.mean(axis=0)
    left, _, right = np.linalg.svd(second.T @ first)
    sign = np.sign(np.linalg.det(left @ right))
    result: NDArray[np.float64] = left @ np.diag([1.0, 1.0, sign]) @ right
    return result


def angles(matrix: NDArray[np.float64]) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of R = Rz(roll) Ry(-yaw) Rx(pitch).

    Convention: x to the right, y down, z away from the camera.
    """
    yaw = np.arcsin(np.clip(matrix[2, 0], -1, 1))
    pitch = np.arctan2(matrix[2, 1], matrix[2, 2])
    roll = np.arctan2(matrix[1, 0], matrix[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def _distance(points: NDArray[np.float64], pair: tuple[int, int]) -> float:
    return float(np.linalg.norm(points[pair[0]] - points[pair[1]]))
