"""How the parts of a face move with a head: a pose and an expression become shifts and affines, by part name.

The head is an ellipsoid seen by a camera in front of it. Lengths are in face units: half the side of the face box,
about 7 cm on a grown-up. Convention: x to the right of the picture, y down, z towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from puppet.framing import FACE_TO_CROP, RAISED
from puppet.types import Motion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.types import Floats

Array = NDArray[np.float64]

FACE_UNIT = 1 / FACE_TO_CROP
"""In coordinates of a crop, [-1, 1], when it is framed as `framing.around_face` does."""
FACE_CENTRE = (0.0, 2 * RAISED / FACE_TO_CROP)
SEMI_AXES = (1.0, 1.35, 1.1)
"""Of the ellipsoid."""
PIVOT = (0.0, 0.45, 0.0)
"""Top of the neck, about which the head turns; relative to the centre of the face."""
CAMERA_DISTANCE = 8.0
STEEPEST = 1.0
"""Slope of the surface at the head's edge, where the ellipsoid's own grows without bound."""

DEPTHS = {
    "hair": 0.85, "forehead": 1.0, "brow": 1.05, "lid": 0.97, "eye": 0.95, "nose": 1.3, "lip": 1.17, "mouth": 1.17,
    "chin": 1.0, "jaw": 0.9, "cheek": 0.85, "ear": 0.25,
}  # fmt: skip
"""Of parts by a word of their name; others lie on the ellipsoid."""
FLAT = ("hair", "forehead", "nose", "lip", "mouth", "chin", "eye", "lid", "brow")
"""Parts whose patch faces the viewer more than the ellipsoid does at their place."""
FLATTENING = 0.5
BODY = ("body", "neck", "shoulder", "shoulders", "torso", "chest", "background")
BODY_FOLLOWS = 0.1
"""How much of the head's movement the body makes."""


@dataclass(frozen=True)
class Pose:
    """Where the head is, and what the face does; zeros are the avatar's own picture."""

    yaw: float = 0.0
    """Radians; positive turns to the right of the picture."""
    pitch: float = 0.0
    """Radians; positive looks down."""
    roll: float = 0.0
    """Radians; positive tilts clockwise in the picture."""
    x: float = 0.0
    """Face units."""
    y: float = 0.0
    """Face units."""
    breath: float = 0.0
    """[0, 1]: chest and shoulders raised."""
    blink: float = 0.0
    """[0, 1]: 1 is closed."""
    jaw: float = 0.0
    """[0, 1]: 1 is a wide-open vowel."""
    smile: float = 0.0
    """[0, 1]."""
    brows: float = 0.0
    """[-1, 1]: raised or lowered."""

    def scaled(self, gain: float) -> Pose:
        """All of it, smaller or larger."""
        return Pose(**{name: value * gain for name, value in vars(self).items()})


@dataclass(frozen=True)
class _Part:
    """What a name tells."""

    words: frozenset[str]
    depth: float | None
    flatness: float
    follows: float

    @classmethod
    def of(cls, name: str) -> _Part:
        words = frozenset(name.lower().replace("-", "_").split("_"))
        depth = next((DEPTHS[word] for word in DEPTHS if word in words), None)
        flatness = FLATTENING if words & set(FLAT) else 1.0
        return cls(words, depth, flatness, BODY_FOLLOWS if words & set(BODY) else 1.0)


class Head:
    """One avatar's face, ready to be posed."""

    def __init__(self, rest: Motion, part_names: Sequence[str]) -> None:
        """Take the avatar's own motion.

        Raises:
            ValueError: there are not as many names as parts.
        """
        if len(part_names) != len(rest.shift):
            raise ValueError(f"{len(part_names)} part names for {len(rest.shift)} parts")
        self.rest = rest
        self._parts = [_Part.of(name) for name in part_names]
        self._points = self._place()
        self._slopes = np.array(
            [_slope(point) * part.flatness for point, part in zip(self._points, self._parts, strict=True)]
        )
        self._lid_travel = self._measure_lids()

    def posed(self, pose: Pose) -> Motion:
        """The parts when the head is in this pose: shift (K, 2), affine (K, 2, 2); no segmentation."""
        turn = _rotation(pose)
        local = np.array([_expression(part, pose, self._lid_travel) for part in self._parts])  # (K, 4)
        points = self._points + np.pad(local[:, :2], ((0, 0), (0, 1)))
        moved = _project(_about_pivot(turn, points) + np.array([pose.x, pose.y, 0])) - _project(self._points)
        follows = np.array([part.follows for part in self._parts])[:, None]
        moved = moved * follows + np.array([0, -0.03 * pose.breath]) * (follows < 1)
        maps = self._linear(turn, local[:, 2:], follows[..., None])
        shift = self.rest.shift + FACE_UNIT * moved
        affine = maps @ self.rest.affine
        return Motion(shift.astype(np.float32), affine.astype(np.float32))

    def _linear(self, turn: Array, scale: Array, follows: Array) -> Array:
        """How a patch of surface around each part is turned and stretched in the picture, (K, 2, 2).

        Over a surface z(x, y) the picture's x' depends on x by R_xx + R_xz dz/dx, and so on for the other entries.
        """
        seen = turn[:2, :2] + turn[:2, 2][None, :, None] * self._slopes[:, None, :]
        seen = np.eye(2) + follows * (seen - np.eye(2))
        return np.asarray(seen * scale[:, None, :])

    def _place(self) -> Array:
        """(K, 3): the parts in face units; the picture gives x and y, the name or the ellipsoid gives z."""
        flat: Floats = (self.rest.shift - np.array(FACE_CENTRE, np.float32)) / FACE_UNIT
        depth = [
            _surface(point) if part.depth is None else part.depth for point, part in zip(flat, self._parts, strict=True)
        ]
        towards = 1 - np.array(depth) / CAMERA_DISTANCE
        return np.column_stack([flat * towards[:, None], depth])

    def _measure_lids(self) -> float:
        """How far the upper lids fall in a blink, face units: twice their height over the middle of the eye."""
        heights = {word: self._mean_y(word) for word in ("lid", "eye")}
        if heights["lid"] is None or heights["eye"] is None:
            return 0.13
        return float(np.clip(2 * (heights["eye"] - heights["lid"]), 0.06, 0.3))

    def _mean_y(self, word: str) -> float | None:
        values = [point[1] for point, part in zip(self._points, self._parts, strict=True) if word in part.words]
        return float(np.mean(values)) if values else None


def _expression(part: _Part, pose: Pose, lid_travel: float) -> tuple[float, float, float, float]:
    """What the face itself adds to the head's movement: x, y in face units, then the patch's width and height."""
    words = part.words
    if "lid" in words:
        return 0.0, lid_travel * pose.blink, 1.0, 1 - 0.6 * pose.blink
    if "eye" in words or "eyes" in words:
        narrowed = max(pose.blink, 0.25 * pose.smile)
        return 0.0, 0.45 * lid_travel * pose.blink, 1.0, 1 - 0.82 * narrowed
    if "brow" in words or "brows" in words:
        return 0.0, -0.08 * pose.brows + 0.02 * pose.blink, 1.0, 1.0
    if "forehead" in words:
        return 0.0, -0.02 * pose.brows, 1.0, 1 - 0.05 * pose.brows
    if "cheek" in words:
        return 0.0, -0.05 * pose.smile + 0.03 * pose.jaw, 1.0, 1.0
    if "chin" in words or "jaw" in words:
        return 0.0, 0.17 * pose.jaw - 0.01 * pose.smile, 1.0, 1.0
    return _mouth(words, pose)


def _mouth(words: frozenset[str], pose: Pose) -> tuple[float, float, float, float]:
    if not words & {"lip", "lips", "mouth"}:
        return 0.0, 0.0, 1.0, 1.0
    width = 1 + 0.16 * pose.smile - 0.08 * pose.jaw
    if "upper" in words:
        return 0.0, -0.03 * pose.smile - 0.02 * pose.jaw, width, 1.0 + 0.1 * pose.jaw
    if "lower" in words:
        return 0.0, 0.15 * pose.jaw - 0.02 * pose.smile, width, 1.0 + 0.25 * pose.jaw
    return 0.0, 0.08 * pose.jaw - 0.025 * pose.smile, width, 1.0 + 0.9 * pose.jaw


def _rotation(pose: Pose) -> Array:
    """(3, 3): roll, after pitch, after yaw."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (pose.yaw, pose.pitch, pose.roll) for f in (np.cos, np.sin))
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(roll @ pitch @ yaw)


def _about_pivot(turn: Array, points: Array) -> Array:
    pivot = np.array(PIVOT)
    return np.asarray((points - pivot) @ turn.T + pivot)


def _project(points: Array) -> Array:
    """(K, 2) as the camera sees them."""
    return np.asarray(points[:, :2] / (1 - points[:, 2:] / CAMERA_DISTANCE))


def _surface(point: Floats) -> float:
    """Height of the ellipsoid over (x, y); 0 from its edge on."""
    a, b, c = SEMI_AXES
    return float(c * np.sqrt(max(0.0, 1 - (point[0] / a) ** 2 - (point[1] / b) ** 2)))


def _slope(point: Array) -> Array:
    """(dz/dx, dz/dy) of the ellipsoid, no steeper than `STEEPEST`."""
    a, b, c = SEMI_AXES
    height = max(_surface(point.astype(np.float32)) / c, 0.2)
    slope = np.array([-c * point[0] / (a * a * height), -c * point[1] / (b * b * height)])
    return np.asarray(slope / max(1.0, float(np.hypot(*slope)) / STEEPEST))
