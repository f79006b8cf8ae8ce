"""Part swap: some parts of one face, all else of another; the masks, the colours and the laying over (NumPy).

The avatar moves in the driver's own pose, and the chosen parts of it are laid over the driver's picture (MCS, section
3.4). The other way round, the driver's chosen parts are carried to where the avatar's are and laid over it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from puppet import images
from puppet.colour_transfer import SteadyLook, read_look, recolour
from puppet.cutout import CutOut, carry_out
from puppet.errors import PuppetError
from puppet.motion import carry_masks, inverse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.avatar import Avatar
    from puppet.colour_transfer import Look
    from puppet.settings import LiveSettings
    from puppet.types import Floats, Frame, Image, Motion

BACKGROUND = "background"
"""Name of channel 0 of the masks; it can be swapped like a part."""
WIDEST = 0.04
"""Standard deviation of the widest feathering, over the picture's side."""
LEAST = 1 / 255
"""Of a mask: below it no level of a colour changes."""
THERE = 0.25
"""Of the greatest value of a mask: below it the part is not in the picture. Small parts such as eyes share all their
pixels with their neighbours and come no higher than a half; they are raised to one."""
CONTRAST = 2.5
"""By which a mask is sharpened before it is feathered."""
SPREAD = 2.0
"""Pixels of the masks by which a part's motion reaches beyond its mask, for the feathering."""


class Layers(NamedTuple):
    """One picture, and another that is laid over it where the chosen parts are."""

    base: Image
    over: Image
    masks: Floats
    """(K + 1, h, w): of the parts."""
    soft: Floats
    """(h, w): where the upper one lies."""
    outline: Floats | None = None
    """(h, w): of the person on the upper one, if the background there is not to be seen."""


class PartSwap:
    """Lays parts over, frame by frame, with colours that hold still."""

    def __init__(self, part_names: Sequence[str], *, blends_features: bool) -> None:
        """Take what the model is like.

        Args:
            part_names: of its K parts.
            blends_features: the model's own graph paints avatar and driver into one picture; else the picture that it
                painted is the avatar alone.
        """
        self.part_names = tuple(part_names)
        self.blends_features = blends_features
        self._driver = SteadyLook()
        self._avatar: Avatar | None = None
        self._avatar_look: Look | None = None
        self._cut_out: CutOut | None = None

    def motion_settings(self, settings: LiveSettings) -> LiveSettings:
        """How the avatar moves: in the driver's pose, unless it keeps its own picture and takes parts of the driver.

        With its own masks, which show it better across identities; the paper's graph wants the driver's.
        """
        if self.blends_features:
            return settings.model_copy(update={"mode": "absolute", "masks": "driving"})
        if settings.swap_inverse:
            return settings
        return settings.model_copy(update={"mode": "absolute", "masks": "avatar"})

    def graph_inputs(self, picture: Image, settings: LiveSettings) -> dict[str, np.ndarray]:
        """What the model's own graph for part swap takes beside the generator's inputs."""
        parts = chosen(settings, self.part_names)
        return {
            "driving_image": picture[None],
            "parts": (1 - parts if settings.swap_inverse else parts)[None],
            "hard": np.array(settings.swap_hard),
            "source_mask": np.array((settings.swap_mask == "avatar") != settings.swap_inverse),
        }

    def compose(
        self,
        painted: Image,
        frame: Frame,
        motions: tuple[Motion, Motion],
        *,
        avatar: Avatar,
        settings: LiveSettings,
        deformation: Floats | None = None,
    ) -> Image:
        """Lay the chosen parts over.

        Args:
            painted: what the model painted, uint8 (S, S, 3) RGB.
            frame: the driver's, uint8 (S, S, 3) RGB.
            motions: the driver's and what the model was given; the latter with masks.
            avatar: that was moved.
            settings: with the parts.
            deformation: by which the avatar was moved, float32 (h, h, 2), if the model gives it.

        Returns:
            uint8 (S, S, 3) RGB.

        Raises:
            PuppetError: the model has no such part.
        """
        parts = chosen(settings, self.part_names)
        if self.blends_features and not settings.swap_feather and not settings.swap_colour:
            return painted
        self._follow(avatar)
        layers = self._layers(painted, frame.image, motions, parts=parts, settings=settings)
        if settings.swap_feather and not settings.swap_inverse and not self.blends_features:
            layers = self._outlined(layers, motions[1], parts=parts, whose=settings.swap_mask, deformation=deformation)
        return self._laid(layers, parts, frame=frame, driving=motions[0], settings=settings)

    def _follow(self, avatar: Avatar) -> None:
        if self._avatar is not avatar:
            self._avatar, self._avatar_look, self._cut_out = avatar, None, None

    def _layers(
        self, painted: Image, picture: Image, motions: tuple[Motion, Motion], *, parts: Floats, settings: LiveSettings
    ) -> Layers:
        driving, target = motions
        assert target.segmentation is not None
        assert self._avatar is not None
        if self.blends_features:
            is_carried = settings.swap_mask == "avatar"
            masks = carry_masks(self._avatar.motion, target) if is_carried else target.segmentation
            soft = _chosen_sum(masks, parts)
            if not settings.swap_feather:
                return Layers(painted, painted, masks, soft)
            # What the driver keeps is the driver's own picture, not the network's copy of it.
            layers = (painted, picture) if settings.swap_inverse else (picture, painted)
            return Layers(*layers, masks, soft)
        masks = target.segmentation  # the avatar's, carried along
        if settings.swap_inverse:
            drivers = None if driving.segmentation is None else carry_masks(driving, target)
            carried = masks if drivers is None or settings.swap_mask == "avatar" else drivers
            over = carry_picture(picture, carried * parts[:, None, None], driving, target)
            return Layers(painted, over, carried, _soft(masks, drivers, parts, settings.swap_mask))
        return Layers(picture, painted, masks, _soft(masks, driving.segmentation, parts, settings.swap_mask))

    def _outlined(
        self, layers: Layers, target: Motion, *, parts: Floats, whose: str, deformation: Floats | None
    ) -> Layers:
        """Parts of the avatar without its background."""
        if self._cut_out is None:
            assert self._avatar is not None
            self._cut_out = CutOut(self._avatar.image, self._avatar.motion)
        if deformation is None:
            carried = self._cut_out.carried(target)
            own, outline = _chosen_sum(carried, parts), 1 - carried[0]
        else:
            own, outline = self._cut_out.parts(parts, deformation), self._cut_out.outline(deformation)
        if whose == "avatar":
            soft = own
        else:
            larger = cv2.resize(layers.soft.astype(np.float32), own.shape[::-1], interpolation=cv2.INTER_LINEAR)
            inside = larger if parts[0] else larger * outline
            soft = np.asarray(np.maximum(inside, own) if whose == "both" else inside, np.float32)
        return layers._replace(soft=soft, outline=None if parts[0] else outline)

    def _laid(self, layers: Layers, parts: Floats, *, frame: Frame, driving: Motion, settings: LiveSettings) -> Image:
        """One picture of both layers; what changes nothing is not computed."""
        side = layers.base.shape[0]
        mask = self._mask(layers.soft, side, settings)
        box = _box(mask, step=max(1, side // layers.masks.shape[1]))
        if box is None:
            return layers.base
        over = layers.over if layers.outline is None else carry_out(layers.over, layers.outline, mask > LEAST)
        over = over[box]
        if settings.swap_colour:
            weights = layers.masks * parts[:, None, None]
            over = self._recoloured(over, _cut(weights, box, side), frame, driving, settings)
        share = mask[box][..., None]
        result = layers.base.copy()
        result[box] = cv2.convertScaleAbs(layers.base[box] + share * (over.astype(np.float32) - layers.base[box]))
        return result

    def _mask(self, soft: Floats, side: int, settings: LiveSettings) -> Floats:
        if not self.blends_features and (settings.swap_hard or settings.swap_feather):
            soft = soft / max(float(soft.max()), THERE)
        mask = images.enlarge_planes(soft[None].astype(np.float32), width=side, height=side)[0]
        if settings.swap_hard:
            mask = (mask > 0.5).astype(np.float32)
        if settings.swap_feather:
            # Two half-transparent faces over each other look like ghosts; the blur makes the edge soft instead.
            mask = np.clip(0.5 + CONTRAST * (mask - 0.5), 0, 1)
            mask = cv2.GaussianBlur(mask, (0, 0), settings.swap_feather * WIDEST * side)
            if self.blends_features:
                mask = 2 * mask  # the network has mixed both already; at a half and more its picture stands
        return np.asarray(np.clip(mask, 0, 1), np.float32)

    def _recoloured(self, over: Image, weights: Floats, frame: Frame, driving: Motion, settings: LiveSettings) -> Image:
        if driving.segmentation is None:
            return over
        if self._avatar_look is None:
            assert self._avatar is not None
            assert self._avatar.motion.segmentation is not None
            self._avatar_look = read_look(self._avatar.image, self._avatar.motion.segmentation, self.part_names)
        driver = self._driver.fresh(frame.captured_at, parts=len(self.part_names))
        if driver is None:
            look = read_look(frame.image, driving.segmentation, self.part_names)
            driver = self._driver.follow(look, frame.captured_at)
        if settings.swap_inverse:
            return recolour(over, weights, source=driver, goal=self._avatar_look)
        return recolour(over, weights, source=self._avatar_look, goal=driver)


def chosen(settings: LiveSettings, part_names: Sequence[str]) -> Floats:
    """Which channels of the masks are swapped, float32 (K + 1,), 0 or 1.

    Raises:
        PuppetError: the model has no such part.
    """
    names = (BACKGROUND, *part_names)
    unknown = set(settings.swap) - set(names)
    if unknown:
        raise PuppetError(f"the model has no part {min(unknown)!r}; it has {', '.join(names)}")
    return np.array([name in settings.swap for name in names], np.float32)


def carry_picture(picture: Image, weights: Floats, motion: Motion, target: Motion) -> Image:
    """A picture with its parts where the target motion puts them, bilinear; parts' motions pass over into each other.

    Args:
        picture: uint8 (S, S, 3) RGB.
        weights: float32 (K + 1, h, w): how much of each part is where in the picture to make, background first.
        motion: of the picture.
        target: of the picture to make.
    """
    side = picture.shape[0]
    matrix = motion.affine @ inverse(target.affine)
    offset = motion.shift - (matrix @ target.shift[..., None])[..., 0]
    still = np.array([[1, 0, 0, 0, 1, 0]], np.float32)
    maps = np.concatenate([still, np.concatenate([matrix, offset[..., None]], axis=2).reshape(-1, 6)])
    spread = np.stack([cv2.GaussianBlur(plane, (0, 0), SPREAD) for plane in weights])
    spread += 1e-6 * weights.mean(axis=(1, 2))[:, None, None] + 1e-12
    blended = np.tensordot(maps, spread / spread.sum(axis=0), axes=(0, 0)).astype(np.float32)
    a, b, c, d, e, f = images.enlarge_planes(blended, width=side, height=side)
    line = np.linspace(-1, 1, side, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    half = np.float32((side - 1) / 2)
    columns, rows = (a * x + b * y + c + 1) * half, (d * x + e * y + f + 1) * half
    moved = cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _soft(masks: Floats, drivers: Floats | None, parts: Floats, whose: str) -> Floats:
    """Where the chosen parts lie, (h, w), by the avatar's masks, the driver's, or both; all at the same places."""
    if drivers is None or whose == "avatar":
        return _chosen_sum(masks, parts)
    soft = _chosen_sum(drivers, parts)
    return soft if whose == "driving" else np.maximum(soft, _chosen_sum(masks, parts))


def _chosen_sum(masks: Floats, parts: Floats) -> Floats:
    """Of masks (K + 1, h, w), those of the chosen parts, (h, w)."""
    return np.asarray(np.tensordot(parts, masks, axes=(0, 0)), np.float32)


def _box(mask: Floats, *, step: int) -> tuple[slice, slice] | None:
    """Rows and columns in which the mask says anything, in whole steps; None if it is empty."""
    rows, columns = np.flatnonzero(mask.max(axis=1) > LEAST), np.flatnonzero(mask.max(axis=0) > LEAST)
    if not rows.size:
        return None
    top, bottom, left, right = (int(indices[end]) // step for indices in (rows, columns) for end in (0, -1))
    return slice(top * step, (bottom + 1) * step), slice(left * step, (right + 1) * step)


def _cut(planes: Floats, box: tuple[slice, slice], side: int) -> Floats:
    """The part of small planes that lies in a box of a picture with this side, widened to whole pixels."""
    places = []
    for place, length in zip(box, planes.shape[1:], strict=True):
        places.append(slice(place.start * length // side, -(-min(place.stop, side) * length // side)))
    return planes[:, places[0], places[1]]
