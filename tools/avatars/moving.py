"""A portrait in motion: what to do when, and a small point renderer that shows it.

The picture of a person is taken apart into coloured points (skin, hair, cloth, eyes); they are moved by the face units
and a turn of the neck, and drawn again, nearest last. Points the camera did not see keep a plain shaded colour.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = NDArray[np.float64]

SECONDS, FPS = 6.0, 25
KEYS: dict[str, tuple[tuple[float, float], ...]] = {
    "yaw": ((0.0, 0), (0.7, 0), (1.3, 15), (1.6, 14), (2.3, -15), (2.6, -14), (3.1, 0), (5.0, 0), (5.4, 4), (6.0, 0)),
    "pitch": ((0.0, 0), (2.8, 0), (3.1, 9), (3.4, -6), (3.65, 6), (3.9, 0), (6.0, 0)),
    "roll": ((0.0, 0), (0.7, 0), (1.4, -4), (2.4, 5), (3.0, 0), (5.0, 0), (5.4, 7), (5.7, 5), (6.0, 0)),
    "gaze": ((0.0, 0), (0.6, 0), (0.9, 8), (1.5, 0), (1.8, -8), (2.5, 0), (6.0, 0)),
    "eyeBlink": ((0.0, 0), (0.44, 0), (0.52, 1), (0.56, 1), (0.68, 0), (2.60, 0), (2.68, 1), (2.72, 1), (2.84, 0),
                 (4.76, 0), (4.84, 1), (4.88, 1), (5.0, 0), (6.0, 0)),
    "jawOpen": ((0.0, 0), (3.8, 0), (3.95, 0.5), (4.08, 0.12), (4.22, 0.62), (4.36, 0.1), (4.5, 0.4), (4.64, 0.05),
                (4.9, 0), (6.0, 0)),
    "mouthPucker": ((0.0, 0), (3.98, 0), (4.08, 0.55), (4.2, 0), (4.28, 0), (4.38, 0.6), (4.5, 0), (6.0, 0)),
    "mouthSmile": ((0.0, 0), (4.7, 0), (5.1, 0.75), (5.5, 0.75), (5.9, 0), (6.0, 0)),
    "browInnerUp": ((0.0, 0), (3.7, 0), (4.1, 0.7), (4.6, 0.2), (5.1, 0.5), (5.8, 0), (6.0, 0)),
    "cheekSquint": ((0.0, 0), (4.8, 0), (5.1, 0.5), (5.5, 0.5), (5.9, 0), (6.0, 0)),
}  # fmt: skip
TWO_SIDED = ("eyeBlink", "mouthSmile", "cheekSquint")
PIVOT = np.array([0.0, -0.30, 6.45])


@dataclasses.dataclass(frozen=True)
class Pose:
    """One moment: turns in degrees and face units by name, 0 to 1."""

    yaw: float
    pitch: float
    roll: float
    gaze: float
    units: Mapping[str, float]


def pose_at(seconds: float) -> Pose:
    """The pose at a time of the clip; it begins and ends neutral, looking at the camera."""
    value = {name: _eased(keys, seconds) for name, keys in KEYS.items()}
    units: dict[str, float] = {}
    for name in KEYS:
        if name in TWO_SIDED:
            units[f"{name}Left"] = units[f"{name}Right"] = value[name]
        elif name not in ("yaw", "pitch", "roll", "gaze"):
            units[name] = value[name]
    return Pose(yaw=value["yaw"], pitch=value["pitch"], roll=value["roll"], gaze=value["gaze"], units=units)


def unit_names() -> list[str]:
    """All face units that the clip uses."""
    return list(pose_at(0.0).units)


def turn(points: Array, pose: Pose, *, stiff: Array | float = 1.0) -> Array:
    """Turns points (n, 3) about the top of the neck; `stiff` (n,) is 1 on the head and 0 on the chest."""
    yaw, pitch, roll = (np.radians(angle) for angle in (pose.yaw, pose.pitch, pose.roll))
    share = np.broadcast_to(np.asarray(stiff, dtype=float), (len(points),))
    moved = points - PIVOT
    for angle, (first, second) in ((roll, (0, 2)), (pitch, (1, 2)), (yaw, (0, 1))):
        cosine, sine = np.cos(angle * share), np.sin(angle * share)
        a, b = moved[:, first].copy(), moved[:, second].copy()
        moved[:, first], moved[:, second] = cosine * a - sine * b, sine * a + cosine * b
    return moved + PIVOT


def neck_share(height: Array) -> Array:
    """How much of the head's turn reaches a height: 1 above the jaw, 0 at the collar bones."""
    t = np.clip((height - 5.75) / (6.45 - 5.75), 0, 1)
    return t * t * (3 - 2 * t)


@dataclasses.dataclass(frozen=True)
class Camera:
    """Straight in front: `place` (3,), the width of the picture in decimetres at `depth`, and its side in pixels."""

    place: tuple[float, float, float]
    width: float
    side: int

    def project(self, points: Array, depth: float) -> tuple[Array, Array, Array]:
        """Pixel columns and rows, and distances from the camera; `depth` is y of the plane that is `width` wide."""
        away = points[:, 1] - self.place[1]
        scale = (depth - self.place[1]) / away * self.side / self.width
        column = (points[:, 0] - self.place[0]) * scale + self.side / 2
        row = self.side / 2 - (points[:, 2] - self.place[2]) * scale
        return column, row, away


def splat(
    canvas: Array, distance: Array, pixels: tuple[Array, Array, Array], colours: Array, *, reach: int = 1
) -> None:
    """Draws points into `canvas` (side, side, 3), each over `reach` x `reach` pixels, keeping the nearest.

    Args:
        canvas: changed in place.
        distance: (side, side) distance of what is drawn so far, changed in place.
        pixels: columns, rows and distances of the points, each (n,).
        colours: (n, 3).
        reach: side of the square that a point covers.
    """
    side = len(canvas)
    column, row, away = pixels
    order = np.argsort(-away, kind="stable")
    for dy in range(reach):
        for dx in range(reach):
            x = np.floor(column[order] + dx - (reach - 1) / 2).astype(np.int64)
            y = np.floor(row[order] + dy - (reach - 1) / 2).astype(np.int64)
            seen = (x >= 0) & (x < side) & (y >= 0) & (y < side)
            seen[seen] &= away[order][seen] < distance[y[seen], x[seen]]
            canvas[y[seen], x[seen]] = colours[order][seen]
            distance[y[seen], x[seen]] = away[order][seen]


def _eased(keys: tuple[tuple[float, float], ...], seconds: float) -> float:
    """Between two keys the value runs along an S-curve."""
    times = [time for time, _ in keys]
    after = min(max(int(np.searchsorted(times, seconds, side="right")), 1), len(keys) - 1)
    (start, low), (end, high) = keys[after - 1], keys[after]
    t = min(max((seconds - start) / (end - start), 0.0), 1.0)
    return low + (high - low) * t * t * (3 - 2 * t)
