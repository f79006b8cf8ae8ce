"""Relative motion: from the driver's movements since the first frame to the avatar's target motion (NumPy).

Convention, everywhere here: x then y; [-1, 1] from the centre of the first pixel to that of the last.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppet.gains import Gains
from puppet.head_pose import Alike, read_pose, turned_alike
from puppet.limits import hold_back_turn, limit_affines, limit_shifts
from puppet.part_groups import of_head
from puppet.tilt import upright
from puppet.types import Floats, Motion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.settings import LiveSettings

MIN_DETERMINANT = 1e-4
"""Of an affine, absolute: below it the part's inverse says nothing (published models stay near 1)."""
MAX_COORDINATE = 1e3
"""Of any shift or affine entry, absolute: far beyond what a picture holds, far below what overflows float32."""
MIN_AREA = 1e-6
"""Of a hull of shifts: below it (parts in a line or on a spot) there is no size to compare."""


def is_usable(motion: Motion) -> bool:
    """Whether every number is finite and of a sane size, and every affine can be inverted."""
    for values in (motion.shift, motion.affine):
        if not np.isfinite(values).all() or np.abs(values).max() > MAX_COORDINATE:
            return False
    if np.abs(determinant(motion.affine)).min() < MIN_DETERMINANT:
        return False
    return motion.segmentation is None or bool(np.isfinite(motion.segmentation).all())


def determinant(affine: Floats) -> Floats:
    """Determinants, float32 (K,), of 2x2 matrices, float32 (K, 2, 2)."""
    return np.asarray(affine[:, 0, 0] * affine[:, 1, 1] - affine[:, 0, 1] * affine[:, 1, 0], np.float32)


def inverse(affine: Floats) -> Floats:
    """Inverses, float32 (K, 2, 2), of 2x2 matrices, float32 (K, 2, 2), none of them singular."""
    a, b, c, d = affine[:, 0, 0], affine[:, 0, 1], affine[:, 1, 0], affine[:, 1, 1]
    adjugate = np.stack([np.stack([d, -b], axis=-1), np.stack([-c, a], axis=-1)], axis=-2)
    return np.asarray(adjugate / determinant(affine)[:, None, None], np.float32)


def power(affine: Floats, strength: float | Floats) -> Floats:
    """`affine ** strength` by interpolation: identity at 0, itself at 1, its square at 2, and straight in between.

    Interpolating from the matrix to its square, rather than on beyond the matrix, keeps a shrinking part from
    being turned inside out.

    Args:
        affine: float32 (K, 2, 2).
        strength: in [0, 2]; one for all, or (K,).
    """
    identity = np.eye(2, dtype=np.float32)
    amount = np.asarray(strength, np.float32)[..., None, None]
    low = identity + np.minimum(amount, 1) * (affine - identity)
    high = affine @ (identity + np.maximum(amount - 1, 0) * (affine - identity))
    return np.asarray(np.where(amount <= 1, low, high), np.float32)


def hull_scale(avatar: Floats, first: Floats) -> float:
    """Size of the avatar relative to the driver's: square root of the ratio of the areas of the hulls of their shifts.

    Args:
        avatar: the avatar's shifts, float32 (K, 2).
        first: the first frame's shifts, float32 (K, 2).

    Returns:
        The ratio; 1 where either hull has no area.
    """
    avatar_area, first_area = _hull_area(avatar), _hull_area(first)
    if min(avatar_area, first_area) < MIN_AREA:
        return 1.0
    return math.sqrt(avatar_area / first_area)


def carry_masks(avatar: Motion, target: Motion) -> Floats:
    """The avatar's own masks, moved to where the target motion puts its parts.

    Part k at pixel z reads the avatar's mask k at `a.shift_k + A_a A_t^-1 (z - t.shift_k)`, bilinear, zero outside;
    the background takes what is left of one; then all are divided by their sum.

    Args:
        avatar: with its segmentation, (K + 1, h, w).
        target: shifts and invertible affines.

    Returns:
        float32 (K + 1, h, w), sums to one over the first axis.

    Raises:
        ValueError: the avatar has no segmentation.
    """
    if avatar.segmentation is None:
        raise ValueError("the avatar's motion has no segmentation to carry along")
    masks = np.ascontiguousarray(avatar.segmentation, np.float32)
    height, width = masks.shape[1:]
    maps = _pixel_maps(avatar, target, width=width, height=height)
    carried = np.empty_like(masks)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for part, pixel_map in enumerate(maps, start=1):
        cv2.warpAffine(masks[part], pixel_map, (width, height), dst=carried[part], flags=flags)
    total = carried[1:].sum(axis=0)
    carried[0] = np.maximum(1 - total, 0)
    carried /= carried[0] + total
    return carried


def _hull_area(points: Floats) -> float:
    hull = cv2.convexHull(np.ascontiguousarray(points, np.float32))
    # OpenCV 5.0 gives an empty hull for points that are next to equal.
    return float(cv2.contourArea(hull)) if hull is not None and len(hull) else 0.0


def _pixel_maps(avatar: Motion, target: Motion, *, width: int, height: int) -> Floats:
    """The backward maps of `carry_masks` in pixels, float32 (K, 2, 3)."""
    linear = avatar.affine @ inverse(target.affine)
    corner = np.full(2, -1, np.float32)  # coordinates of pixel (0, 0)
    pixel = np.array([2 / (width - 1), 2 / (height - 1)], np.float32)  # from one pixel to the next
    offset = avatar.shift + (linear @ (corner - target.shift)[..., None])[..., 0] - corner
    return np.concatenate([linear * pixel / pixel[:, None], (offset / pixel)[..., None]], axis=-1)


class MotionBasis:
    """What relative motion starts from: the avatar's motion and the driver's first frame.

    Driving motions that cannot be used (NaN, singular affine) are counted in `held`; the last good one stays.
    """

    held: int
    """How many driving motions were replaced so far."""
    limited: int
    """How many parts were kept from going too far in the last frame."""

    def __init__(
        self, avatar: Motion, first: Motion, part_names: Sequence[str] = (), *, further: Sequence[Motion] = ()
    ) -> None:
        """Take the motions; they must stay unchanged.

        Args:
            avatar: where its parts are.
            first: the driver's motion that counts as the avatar's own pose.
            part_names: of the parts; without them mouth and eyes have no gains of their own, and tilts are not seen.
            further: of other views of the avatar; limits count from whichever is near enough.

        Raises:
            ValueError: either is not usable, or they have different numbers of parts.
        """
        if avatar.shift.shape != first.shift.shape:
            raise ValueError(f"avatar has {len(avatar.shift)} parts, the first frame {len(first.shift)}")
        for name, motion in (("avatar", avatar), ("first", first)):
            if not is_usable(motion):
                raise ValueError(f"{name} motion is not finite or has an affine that cannot be inverted")
        self.avatar = avatar
        self.first = first
        self.first_inverse = inverse(first.affine)
        names = part_names or [""] * len(first.shift)
        self._head = of_head(names)
        self._poses = read_pose(avatar.shift, names), read_pose(first.shift, names)
        self.scale = self._scale()
        self.upright = upright(first.shift, part_names)
        self.held = self.limited = 0
        self._gains = Gains(names)
        self._further = tuple(further)
        self._last_target = avatar

    def transfer(self, driving: Motion, settings: LiveSettings) -> Motion:
        """The avatar's target motion (FOMM, section 3.4: relative motion transfer).

        With driving d, first frame f, avatar a, strength s, scale c (of the heads, or 1), U, which sets f
        upright (or 1), and T, which turns a's head as d's (or 0; see `turned_alike`):
        `shift = a.shift + s c (U (d.shift - f.shift) + T)`, `affine = (U d.affine f.affine^-1 U^-1)^s
        a.affine`, each part by the gain of its region and within limits.
        Absolute mode passes shifts and affines of d through. Masks are the driver's or the avatar's, carried along;
        a driving motion that brings none (scripted) always takes the avatar's. Where nothing usable comes of it, the
        last target is held (at first: the avatar's own motion).
        """
        target = self._target(driving, settings) if is_usable(driving) else None
        if target is None:
            self.held += 1
        else:
            self._last_target = target
        return self._last_target

    def _target(self, driving: Motion, settings: LiveSettings) -> Motion | None:
        self.limited = 0
        target = driving if settings.mode == "absolute" else self._relative(driving, settings)
        if not is_usable(target):
            return None
        if self.avatar.segmentation is None:
            return Motion(target.shift, target.affine)
        if settings.masks == "driving" and driving.segmentation is not None:
            return Motion(target.shift, target.affine, driving.segmentation)
        return Motion(target.shift, target.affine, carry_masks(self.avatar, target))

    def _relative(self, driving: Motion, settings: LiveSettings) -> Motion:
        if not settings.limits or self._further:
            way, relative = self._moved(driving, settings, limits=False)
            target = Motion(self.avatar.shift + way, relative @ self.avatar.affine)
            if not settings.limits or any(self._is_near(target, view) for view in self._further):
                return target
        way, relative = self._limited(*self._moved(driving, settings, limits=True))
        return Motion(self.avatar.shift + way, relative @ self.avatar.affine)

    def _moved(self, driving: Motion, settings: LiveSettings, *, limits: bool) -> tuple[Floats, Floats]:
        """Ways and relative affines; with limits, of a head that turns no farther than they allow."""
        way = driving.shift - self.first.shift
        relative = driving.affine @ self.first_inverse
        if settings.adapt_tilt:
            way = way @ self.upright.T
            relative = self.upright @ relative @ self.upright.T
            alike = self._turned_alike(driving, limits=limits)
            if alike is not None:
                way = way + alike.way / np.float32(self.scale)
                relative = alike.stretch @ relative
        way = np.float32(settings.strength * (self.scale if settings.adapt_scale else 1.0)) * way
        way = self._gains.shifts(way, self.avatar.shift, settings)
        relative = power(relative, np.clip(settings.strength * self._gains.strengths(settings), 0, 2))
        return way, relative

    def _scale(self) -> float:
        """Size of the avatar over that of the driver, whose heads may be turned otherwise."""
        avatar, first = self._poses
        if avatar is not None and first is not None:
            return avatar.size / first.size
        return hull_scale(self.avatar.shift[self._head], self.first.shift[self._head])

    def _turned_alike(self, driving: Motion, *, limits: bool) -> Alike | None:
        avatar, first = self._poses
        if avatar is None or first is None:
            return None
        return turned_alike(avatar, first, driving.shift, scale=self.scale, upright=self.upright, limits=limits)

    def _limited(self, way: Floats, relative: Floats) -> tuple[Floats, Floats]:
        """The head held back as a whole where it turns too far, then single parts that still go astray."""
        way, share = hold_back_turn(way, self.avatar.shift, self._head)
        if share < 1:
            relative = power(relative, share)
        way, is_away = limit_shifts(way, self.avatar.shift, self._head)
        relative, is_stretched = limit_affines(relative)
        self.limited = len(way) if share < 1 else int((is_away | is_stretched).sum())
        return way, relative

    def _is_near(self, target: Motion, view: Motion) -> bool:
        """Whether no limit holds a target back from a view."""
        way = target.shift - view.shift
        if hold_back_turn(way, view.shift, self._head)[1] < 1 or limit_shifts(way, view.shift, self._head)[1].any():
            return False
        return is_usable(target) and not limit_affines(target.affine @ inverse(view.affine))[1].any()
