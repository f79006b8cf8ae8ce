"""How a head stands in space, by its parts: what one head does, seen from a side, another does as it is seen itself.

A nod of a head that is turned away moves its parts along other lines in the picture than a nod of one that is not. So
the part of a movement that is a head's own turning is taken off as the driver showed it, and put on as the avatar
would. Weak perspective throughout: parallel projection and a size. Convention: x to the right, y down, z away from the
camera; shifts are in half sides of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from puppet.limits import soft_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.types import Floats

Array = NDArray[np.float64]

PLACES: dict[str, tuple[float, float, float]] = {
    "hair": (0.0, -1.7, -0.05), "forehead": (0.0, -1.09, -0.04),
    "right_brow": (-0.54, -0.77, -0.04), "left_brow": (0.54, -0.77, -0.04),
    "right_lid": (-0.47, -0.53, 0.05), "left_lid": (0.47, -0.53, 0.05),
    "right_eye": (-0.46, -0.49, 0.07), "left_eye": (0.46, -0.49, 0.07),
    "right_iris": (-0.46, -0.49, 0.07), "left_iris": (0.46, -0.49, 0.07),
    "nose": (0.0, 0.0, -0.27), "upper_lip": (0.0, 0.48, -0.11), "lower_lip": (0.0, 0.6, -0.09),
    "chin": (0.0, 1.07, 0.05), "right_cheek": (-0.71, -0.03, 0.13), "left_cheek": (0.71, -0.03, 0.13),
    "right_ear": (-0.94, 0.14, 0.85), "left_ear": (0.94, 0.14, 0.85),
}  # fmt: skip
"""Of a mean face that looks at the camera, in halves of its width: medians of mesh points in real footage."""
RIGID = (
    "forehead", "right_brow", "left_brow", "right_eye", "left_eye", "nose", "right_cheek", "left_cheek",
    "right_ear", "left_ear",
)  # fmt: skip
"""Parts that say how the head is turned: neither speech nor lids move them much. All of them are needed."""
SLOPES = {"brow": 0.4, "cheek": 0.84, "ear": 1.2}
"""Depth that parts gain from their inner to their outer ends, over their width; by a word of their names."""
UNSTRETCHED = frozenset({"eye", "iris", "lid"})
"""Words of parts whose stretch says how far eyes are shut, and nothing else may."""
LEAST_SEEN = 0.25
"""Of a patch's area: a part seen from farther aside is stretched as it was driven; up to twice that, in part."""
MOST_STRETCH = 0.3
"""Of a stretch beside the identity (Frobenius): what would be more comes from a patch that is seen from aside."""
TOGETHER = (("right_lid", "right_eye", "right_iris"), ("left_lid", "left_eye", "left_iris"), ("upper_lip", "lower_lip"))
"""Parts that a turn takes along as one: how far they are apart says what eyes and mouth do."""
FARTHEST = tuple(map(tuple, np.radians([(25.0, 40.0), (18.0, 28.0)])))
"""Yaw and pitch beside the avatar's own up to which it follows, and the most that it makes: what its picture does not
show cannot be turned into view."""
RIDGE = 0.01
"""Of the fit of a turn, relative: where parts tell little of one, there is rather none."""
SIZES = (0.5, 2.0)
"""Limits of how much larger a head becomes: beyond, what was read is no head."""
LEAST_SPREAD = 1e-4
"""Mean square of the rigid parts' distance from their middle, below which they show no head."""


@dataclass(frozen=True, eq=False)
class HeadPose:
    """A head in a picture."""

    rotation: Array
    """(3, 3): from a head that looks at the camera to this one."""
    size: float
    """Half the width of the face, if it looked at the camera; half sides."""
    points: Array
    """(K, 3): its parts, from the middle of the rigid ones, half sides; x and y as seen, z by the mean face."""
    grouped: Array
    """(K, 3): the same, those of `TOGETHER` in one place."""
    head: NDArray[np.bool_]
    """(K,): parts with a place on the face."""
    stretched: NDArray[np.bool_]
    """(K,): parts whose patch of surface is turned with the head."""
    slopes: Array
    """(K,): by how much depth grows with x on the parts' surface, the head looking at the camera."""
    patches: Array
    """(K, 2, 2): how that surface is seen."""
    rigid: NDArray[np.int64]
    """Indices of the parts that say how it is turned."""


def read_pose(shift: Floats, part_names: Sequence[str]) -> HeadPose | None:
    """How a head stands whose parts are there; None where the names do not say enough, or the parts show no head.

    Args:
        shift: float32 (K, 2).
        part_names: a name each.
    """
    names = list(part_names)
    if not set(RIGID) <= set(names):
        return None
    rigid = np.array([names.index(name) for name in RIGID])
    mean = np.array([PLACES.get(name, (0.0, 0.0, 0.0)) for name in names])
    mean -= mean[rigid].mean(axis=0)
    flat = shift.astype(np.float64) - shift[rigid].mean(axis=0)
    found = _fit(mean[rigid], flat[rigid], ridge=0.0)
    if found is None:
        return None
    rotation, size = found
    depth = size * mean @ rotation[2]
    points = np.column_stack([flat, depth])
    grouped = points.copy()
    for group in TOGETHER:
        members = [names.index(name) for name in group if name in names]
        grouped[members] = points[members].mean(axis=0)
    head = np.array([name in PLACES for name in names])
    kinds = [name.rpartition("_")[2] for name in names]
    stretched = head & ~np.isin(kinds, list(UNSTRETCHED))
    slopes = np.sign(mean[:, 0]) * [SLOPES.get(kind, 0.0) for kind in kinds]
    return HeadPose(rotation, size, points, grouped, head, stretched, slopes, _patches(slopes, rotation), rigid)


class Alike(NamedTuple):
    """What makes an avatar's head turn as the driver's."""

    way: Floats
    """float32 (K, 2), to be added to the ways of its parts; 0 for parts that are none of the head's."""
    stretch: Floats
    """float32 (K, 2, 2), by which their relative affines are to be multiplied from the left; else the identity."""


def turned_alike(
    avatar: HeadPose, first: HeadPose, driving: Floats, *, scale: float, upright: Floats, limits: bool = False
) -> Alike | None:
    """Take the driver's turn off its parts' movements, and put it on as the avatar shows it.

    The driver's turn since the first frame, as angles about the head's own axes, makes R_a' of the avatar's pose R_a
    and R_f' of the driver's R_f. With the driver's growth g, points P, scale c, upright U, and Q(R) as a patch of a
    part's surface is seen: way `(g R_a' R_a^-1 P_a - P_a) - c U (g R_f' R_f^-1 P_f - P_f)`, x and y alone, and stretch
    `Q(R_a') Q(R_a)^-1 (U Q(R_f') Q(R_f)^-1 U^-1)^-1`. Where both heads stand alike, nothing is changed.

    Args:
        avatar: at rest.
        first: of the driver, in the first frame.
        driving: the driver's shifts now, float32 (K, 2).
        scale: size of the avatar over that of the driver.
        upright: float32 (2, 2), by which the driver's movements are turned before.
        limits: the avatar turns and nods no farther than pictures bear; what else its face does shrinks alike.

    Returns:
        None where the driver's parts show no head.
    """
    flat = driving.astype(np.float64) - driving[first.rigid].mean(axis=0)
    found = _fit(first.points[first.rigid], flat[first.rigid], ridge=RIDGE)
    if found is None:
        return None
    turn, growth = found
    now = turn @ first.rotation
    turned = (_angles(now) - _angles(first.rotation) + np.pi) % (2 * np.pi) - np.pi
    share = 1.0
    if limits:
        shares = [
            float(soft_limit(size, knee, most)) / size if size > knee else 1.0
            for size, (knee, most) in zip(np.abs(turned[:2]), FARTHEST, strict=True)
        ]
        turned[:2] *= shares
        share = min(shares)
    wanted = _rotation(*(_angles(avatar.rotation) + turned))
    ours, theirs = (
        growth * points @ rotation[:2].T - points[:, :2]
        for points, rotation in ((avatar.grouped, wanted @ avatar.rotation.T), (first.grouped, turn))
    )
    # What a mean face does not explain of a turn that is held back would stay in full.
    less = theirs + (1 - share) * (flat - first.points[:, :2] - theirs)
    way = np.where(avatar.head[:, None], ours - scale * less @ upright.T, 0)
    return Alike(way.astype(np.float32), _stretch(avatar, first, wanted, now, upright))


def _stretch(avatar: HeadPose, first: HeadPose, wanted: Array, now: Array, upright: Floats) -> Floats:
    """That of `turned_alike`, by the rotations of avatar and driver now."""
    then, driven = _patches(avatar.slopes, wanted), _patches(first.slopes, now)
    areas = [_areas(patches) for patches in (then, avatar.patches, driven, first.patches)]
    least = np.min(areas, axis=0)
    clear = avatar.stretched & (least > LEAST_SEEN)
    inverse = upright @ first.patches[clear] @ _inverse(driven[clear]) @ upright.T
    beside = then[clear] @ _inverse(avatar.patches[clear]) @ inverse - np.eye(2)
    much = np.sqrt(np.square(beside).sum(axis=(1, 2))) / MOST_STRETCH
    share = np.clip(least[clear] / LEAST_SEEN - 1, 0, 1) / np.maximum(much, 1)
    stretch = np.tile(np.eye(2, dtype=np.float32), (len(clear), 1, 1))
    stretch[clear] += share[:, None, None] * beside
    return stretch


def _patches(slopes: Array, rotation: Array) -> Array:
    """(K, 2, 2): how patches of surface with these slopes are seen on a head that is turned."""
    patches = np.tile(rotation[:2, :2], (len(slopes), 1, 1))
    patches[:, :, 0] += slopes[:, None] * rotation[:2, 2]
    return patches


def _areas(patches: Array) -> Array:
    """(K,): determinants."""
    return np.asarray(patches[:, 0, 0] * patches[:, 1, 1] - patches[:, 0, 1] * patches[:, 1, 0])


def _inverse(patches: Array) -> Array:
    """(K, 2, 2), of matrices none of which is singular."""
    swapped = patches[:, ::-1, ::-1].transpose(0, 2, 1) * [[1, -1], [-1, 1]]
    return np.asarray(swapped / _areas(patches)[:, None, None])


def _fit(points: Array, flat: Array, *, ridge: float) -> tuple[Array, float] | None:
    """Rotation and size under which (N, 3) points look most like (N, 2) ones; None where they look like no head."""
    spread = points.T @ points
    if np.trace(spread) < LEAST_SPREAD * len(points) or np.square(flat).sum() < LEAST_SPREAD * len(points):
        return None
    held = ridge * np.trace(spread) * np.eye(3)
    linear = np.linalg.solve(spread + held, points.T @ flat + held[:, :2]).T
    left, _, right = np.linalg.svd(linear, full_matrices=False)
    rows = left @ right
    seen = points @ rows.T
    size = float((seen * flat).sum() / max(np.square(seen).sum(), 1e-9))
    if not SIZES[0] < size < SIZES[1] and ridge:
        return None
    return np.vstack([rows, np.cross(rows[0], rows[1])]), size


def _angles(rotation: Array) -> Array:
    """Yaw, pitch and roll, radians, of R = Rz(roll) Ry(-yaw) Rx(pitch)."""
    yaw = np.arcsin(np.clip(rotation[2, 0], -1, 1))
    return np.array([yaw, np.arctan2(rotation[2, 1], rotation[2, 2]), np.arctan2(rotation[1, 0], rotation[0, 0])])


def _rotation(yaw: float, pitch: float, roll: float) -> Array:
    """The rotation that has these angles."""
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    tilted = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    turned = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    nodded = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    return np.asarray(tilted @ turned @ nodded)
