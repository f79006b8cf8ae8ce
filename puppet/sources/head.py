"""How the parts of a face move with a head: a pose and an expression become shifts and affines, by part name.

The head is an ellipsoid seen by a camera in front of it. Lengths are in face units: half the width of the face between
the ears, about 7 cm on a grown-up. Convention: x to the right of the picture, y down, z towards the viewer.

Depths and expressions are medians of what mesh points did in real footage between frames that differ in just that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from puppet import part_groups
from puppet.types import Motion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.types import Floats

Array = NDArray[np.float64]

FACE_UNIT = 0.5
"""In coordinates of a crop, [-1, 1], when it is framed as `framing.around_face` does."""
FACE_CENTRE = (0.0, 0.03)
"""In the same coordinates: between the eyes and the tip of the nose."""
EYE_DISTANCE = 0.94
EYE_HEIGHT = 0.4
"""Above the centre of the face."""
LID_HEIGHT = 0.042 / FACE_UNIT
"""Of the middle of an open upper lid over the middle of its eye."""
UNIT_LIMITS = (0.5, 1.6)
"""Of a measured face unit, over `FACE_UNIT`: beyond them the eyes were not read right."""
SEMI_AXES = (1.0, 1.35, 1.1)
"""Of the ellipsoid."""
PIVOT = (0.0, 0.5, 0.0)
"""Top of the neck, about which the head turns; relative to the centre of the face."""
CAMERA_DISTANCE = 8.0
STEEPEST = 1.0
"""Slope of the surface at the head's edge, where the ellipsoid's own grows without bound."""
DEPTHS = {
    "hair": 1.1, "forehead": 1.0, "brow": 1.0, "lid": 0.95, "eye": 0.95, "iris": 0.95, "nose": 1.3, "lip": 1.12,
    "mouth": 1.12, "chin": 1.0, "jaw": 0.9, "cheek": 0.86, "ear": 0.25,
}  # fmt: skip
"""Of parts by a word of their name; others lie on the ellipsoid."""
FLAT = frozenset({"hair", "forehead", "nose", "lip", "mouth", "chin", "eye", "iris", "lid", "brow"})
"""Parts whose patch faces the viewer more than the ellipsoid does at their place."""
FLATTENING = 0.5
LOOSE_DEPTH = 0.0
"""Of hair that falls beside the head, about as far back as its middle."""
BODY = frozenset({"body", "shoulder", "shoulders", "torso", "chest", "background"})
BODY_FOLLOWS = 0.06
"""How much of the head's movement the body makes."""
NECK, NECK_FOLLOWS = "neck", 0.3


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
    gaze: float = 0.0
    """[-1, 1]: 1 looks as far to the right of the picture as people do before they turn their head."""

    def scaled(self, gain: float) -> Pose:
        """All of it, smaller or larger."""
        return Pose(**{name: value * gain for name, value in vars(self).items()})


@dataclass(frozen=True)
class _Move:
    """What one expression does to one part. `out` and the two turns are mirrored on the other side of the face."""

    out: float = 0.0
    aside: float = 0.0
    down: float = 0.0
    width: float = 1.0
    height: float = 1.0
    slant: float = 0.0
    """How far x moves with y."""
    tilt: float = 0.0
    """How far y moves with x."""


_MOVES: dict[str, dict[str, _Move]] = {
    "blink": {
        "lid": _Move(down=1.25 * LID_HEIGHT, width=0.96, height=0.48, slant=0.08, tilt=0.05),
        "eye": _Move(down=0.65 * LID_HEIGHT, width=0.96, height=0.5, slant=0.02, tilt=0.05),
        "forehead": _Move(down=0.01, height=0.97),
    },
    "jaw": {
        "lower_lip": _Move(down=0.19, width=1.02, height=1.5),
        "upper_lip": _Move(down=-0.01, width=1.02, height=1.3),
        "lip": _Move(down=0.09, height=1.9),
        "mouth": _Move(down=0.09, height=1.9),
        "chin": _Move(down=0.14, height=0.92),
        "jaw": _Move(down=0.14),
        "ear": _Move(down=0.015, width=1.04),
    },
    "smile": {
        "lower_lip": _Move(down=-0.01, width=1.24, height=1.08),
        "upper_lip": _Move(down=-0.05, width=1.26, height=0.9),
        "lip": _Move(down=-0.03, width=1.25),
        "mouth": _Move(down=-0.03, width=1.25),
        "cheek": _Move(out=0.022, down=-0.035, slant=0.08, tilt=0.02),
        "nose": _Move(down=-0.01, width=1.06),
        "eye": _Move(down=-0.004, height=0.93, slant=-0.05),
        "lid": _Move(down=0.006, height=0.97),
        "chin": _Move(down=0.015),
    },
    "brows": {
        "brow": _Move(down=-0.11, height=1.14, slant=-0.05, tilt=0.045),
        "forehead": _Move(down=-0.065, height=0.9),
        "hair": _Move(down=-0.02),
        "lid": _Move(down=-0.012),
        "eye": _Move(down=-0.004, height=1.04),
    },
    "gaze": {"iris": _Move(aside=0.05)},
}


class Head:
    """One avatar's face, ready to be posed."""

    def __init__(self, rest: Motion, part_names: Sequence[str]) -> None:
        """Take the avatar's own motion.

        Raises:
            ValueError: there are not as many names as parts.
        """
        if len(part_names) != len(rest.shift):
            raise ValueError(f"{len(part_names)} part names for {len(rest.shift)} parts")
        self._rest = rest
        self._words = [part_groups.words(name) for name in part_names]
        self._is_loose = [part_groups.is_loose(name) for name in part_names]
        self._unit, self._centre = self._measure()
        self._points = self._place()
        self._slopes = np.array([_slope(point) * self._flatness(index) for index, point in enumerate(self._points)])
        self._follows = np.array([_follows(words) for words in self._words])
        self._moves = {expression: self._expressed(expression) for expression in _MOVES}

    def posed(self, pose: Pose) -> Motion:
        """The parts when the head is in this pose: shift (K, 2), affine (K, 2, 2); no segmentation."""
        turn = _rotation(pose)
        gains = {expression: getattr(pose, expression) for expression in _MOVES}
        local = sum(gain * self._moves[name][0] for name, gain in gains.items())  # (K, 2)
        stretch = np.eye(2) + sum(gain * self._moves[name][1] for name, gain in gains.items())  # (K, 2, 2)
        points = self._points + np.pad(local, ((0, 0), (0, 1)))
        moved = _project(_about_pivot(turn, points) + np.array([pose.x, pose.y, 0])) - _project(self._points)
        moved = moved * self._follows[:, None]
        moved[self._follows < 1, 1] -= 0.03 * pose.breath
        maps = self._seen(turn) @ stretch
        shift = self._rest.shift + self._unit * moved
        affine = maps @ self._rest.affine
        return Motion(shift.astype(np.float32), affine.astype(np.float32))

    def _seen(self, turn: Array) -> Array:
        """How a patch of surface around each part is turned and stretched in the picture, (K, 2, 2).

        Over a surface z(x, y) the picture's x' depends on x by R_xx + R_xz dz/dx, and so on for the other entries.
        """
        seen = turn[:2, :2] + turn[:2, 2][None, :, None] * self._slopes[:, None, :]
        return np.asarray(np.eye(2) + self._follows[:, None, None] * (seen - np.eye(2)))

    def _expressed(self, expression: str) -> tuple[Array, Array]:
        """Offsets (K, 2), face units, and linear maps less the identity (K, 2, 2), of one expression at its full."""
        offsets, maps = np.zeros((len(self._words), 2)), np.zeros((len(self._words), 2, 2))
        lids = self._lid_scale() if expression == "blink" else 1.0
        for index, words in enumerate(self._words):
            moving = words | {"eye"} if "iris" in words else words
            fitting = [name for name in _MOVES[expression] if set(name.split("_")) <= moving]
            if not fitting:
                continue
            move = _MOVES[expression][max(fitting, key=len)]
            side = float(np.sign(self._points[index, 0]))
            offsets[index] = side * move.out + move.aside, lids * move.down
            maps[index] = [[move.width - 1, side * move.slant], [side * move.tilt, move.height - 1]]
        return offsets, maps

    def _measure(self) -> tuple[float, Array]:
        """Face unit and centre of the face in this picture, by its eyes where the parts are named."""
        eyes = [shift for shift, words in zip(self._rest.shift, self._words, strict=True) if "eye" in words]
        if len(eyes) != 2:
            return FACE_UNIT, np.array(FACE_CENTRE)
        distance = float(np.hypot(*(eyes[0] - eyes[1])))
        unit = FACE_UNIT * float(np.clip(distance / (EYE_DISTANCE * FACE_UNIT), *UNIT_LIMITS))
        return unit, np.mean(eyes, axis=0) + np.array([0, EYE_HEIGHT * unit])

    def _place(self) -> Array:
        """(K, 3): the parts in face units; the picture gives x and y, the name or the ellipsoid gives z."""
        flat = (self._rest.shift - self._centre) / self._unit
        depths = []
        for point, words, is_loose in zip(flat, self._words, self._is_loose, strict=True):
            named = [depth for word, depth in DEPTHS.items() if word in words]
            depths.append(LOOSE_DEPTH if is_loose else named[0] if named else _surface(point))
        towards = 1 - np.array(depths) / CAMERA_DISTANCE
        return np.column_stack([flat * towards[:, None], depths])

    def _flatness(self, index: int) -> float:
        return FLATTENING if self._words[index] & FLAT and not self._is_loose[index] else 1.0

    def _lid_scale(self) -> float:
        """How much higher this avatar's lids are than a usual face's: drawn eyes are large."""
        heights = {word: self._mean_y(word) for word in ("lid", "eye")}
        if heights["lid"] is None or heights["eye"] is None:
            return 1.0
        return float(np.clip((heights["eye"] - heights["lid"]) / LID_HEIGHT, 0.7, 2.5))

    def _mean_y(self, word: str) -> float | None:
        values = [point[1] for point, words in zip(self._points, self._words, strict=True) if word in words]
        return float(np.mean(values)) if values else None


def _follows(words: frozenset[str]) -> float:
    """Share of the head's movement that a part makes."""
    if NECK in words:
        return NECK_FOLLOWS
    return BODY_FOLLOWS if words & BODY else 1.0


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


def _surface(point: Array | Floats) -> float:
    """Height of the ellipsoid over (x, y); 0 from its edge on."""
    a, b, c = SEMI_AXES
    return float(c * np.sqrt(max(0.0, 1 - (point[0] / a) ** 2 - (point[1] / b) ** 2)))


def _slope(point: Array) -> Array:
    """(dz/dx, dz/dy) of the ellipsoid, no steeper than `STEEPEST`."""
    a, b, c = SEMI_AXES
    height = max(_surface(point) / c, 0.2)
    slope = np.array([-c * point[0] / (a * a * height), -c * point[1] / (b * b * height)])
    return np.asarray(slope / max(1.0, float(np.hypot(*slope)) / STEEPEST))
