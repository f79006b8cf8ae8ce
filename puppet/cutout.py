"""The avatar cut out of its background, so that a swapped part brings none of it along (NumPy, OpenCV).

Masks are coarse: they end in the middle of a lock of hair, or beyond it. GrabCut (Rother et al., 2004) finds the
outline in the avatar's picture once, and the model's own deformation then moves it frame by frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppet.motion import carry_masks
from puppet.types import Motion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from puppet.types import Floats, Image

SIDE = 128
"""Pixels at which the outline is looked for and moved."""
SURELY_HEAD, PERHAPS_HEAD, SURELY_BACKGROUND = 0.1, 0.5, 0.9
"""Of the background's mask."""
MARGIN = 6
"""Pixels from the edge of what is surely the head that are open to doubt: masks reach over gaps, as below a bob."""
ROUNDS = 3
"""Of GrabCut; more hardly change the outline."""
SEED = 1
"""GrabCut begins by clusters drawn at random; the same picture shall always give the same outline."""
SOFTNESS = 0.8
"""Standard deviation of the outline, pixels."""
REACH = 4.0
"""Standard deviation, pixels of the masks, over which hair beyond all masks is given to the parts near it."""
BLEED = 3.0
"""Standard deviation, pixels, over which the person's colours are carried out beyond the outline."""
FAINT = 0.05
"""Weight of parts near a pixel beside those that the model itself sees there."""


class CutOut:
    """One avatar's outline, and its parts inside of it."""

    def __init__(self, image: Image, motion: Motion) -> None:
        """Find the outline; takes a tenth of a second or less.

        Args:
            image: the avatar's, uint8 (S, S, 3) RGB.
            motion: the avatar's, with masks (K + 1, h, w).

        Raises:
            ValueError: the motion has no masks.
        """
        if motion.segmentation is None:
            raise ValueError("an avatar without masks cannot be cut out")
        self._outline = _outline(image, motion.segmentation[0])
        self._shares = _shares(motion.segmentation)
        height, width = motion.segmentation.shape[1:]
        person = cv2.resize(self._outline, (width, height), interpolation=cv2.INTER_AREA)
        masks = np.concatenate([1 - person[None], self._shares * person]).astype(np.float32)
        self._own = Motion(motion.shift, motion.affine, masks)
        self._parts: Floats | None = None
        self._chosen: Floats | None = None

    def carried(self, target: Motion) -> Floats:
        """Masks (K + 1, h, w) that end at the outline, where a motion puts the parts: without a deformation."""
        return carry_masks(self._own, target)

    def outline(self, deformation: Floats) -> Floats:
        """How much of the avatar is where after it was moved, float32 (128, 128) in [0, 1].

        Args:
            deformation: float32 (h, h, 2), backward, x then y; -1 and 1 are the centres of the corner pixels.
        """
        return _moved(self._outline, deformation)

    def parts(self, chosen: Floats, deformation: Floats) -> Floats:
        """How much of some parts is where after they were moved, float32 (128, 128) in [0, 1].

        Args:
            chosen: which channels of the masks, float32 (K + 1,), 0 or 1.
            deformation: as in `outline`.
        """
        if self._chosen is None or self._parts is None or not np.array_equal(chosen, self._parts):
            small = np.tensordot(chosen[1:], self._shares, axes=(0, 0)).astype(np.float32)
            inside = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
            self._parts = chosen
            self._chosen = np.asarray(inside * self._outline + chosen[0] * (1 - self._outline), np.float32)
        return _moved(self._chosen, deformation)


def carry_out(image: Image, outline: Floats, where: NDArray[np.bool_]) -> Image:
    """A picture of a person without the background: the person's colours go on beyond the outline.

    A soft edge mixes what lies on both sides of the outline; with the background's colours it would be a rim of them.

    Args:
        image: uint8 (S, S, 3) RGB.
        outline: float32 (h, h) in [0, 1], 1 is the person.
        where: bool (S, S), the pixels that will be used; others may stay as they are.

    Returns:
        uint8 (S, S, 3) RGB.
    """
    side, small = image.shape[0], outline.shape[0]
    inside = np.clip(2 * outline - 1, 0, 1)  # at the outline itself, pixels are mixed already
    colours = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA) * inside[..., None]
    near = cv2.GaussianBlur(np.dstack([colours, inside]).astype(np.float32), (0, 0), BLEED)
    beyond = np.rint(near[..., :3] / (near[..., 3:] + 1e-6)).astype(np.uint8)
    carried = cv2.resize(beyond, (side, side), interpolation=cv2.INTER_LINEAR).reshape(-1, 3)
    share = cv2.resize(inside, (side, side), interpolation=cv2.INTER_LINEAR)
    rim = np.flatnonzero(where & (share < 1))
    result, own = image.copy().reshape(-1, 3), share.reshape(-1, 1)[rim]
    result[rim] = np.rint(own * result[rim] + (1 - own) * carried[rim])
    return result.reshape(image.shape)


def _outline(image: Image, background: Floats) -> Floats:
    """Float32 (128, 128) in [0, 1]: 1 is the person."""
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    share = cv2.resize(background.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    labels = np.full((SIDE, SIDE), cv2.GC_PR_BGD, np.uint8)
    labels[share < PERHAPS_HEAD] = cv2.GC_PR_FGD
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MARGIN + 1, 2 * MARGIN + 1))
    is_head = cv2.erode((share < SURELY_HEAD).astype(np.uint8), kernel, borderType=cv2.BORDER_REPLICATE)
    labels[is_head > 0] = cv2.GC_FGD
    labels[share > SURELY_BACKGROUND] = cv2.GC_BGD
    kinds = np.unique(labels)
    if len(kinds) > 1 and {cv2.GC_FGD, cv2.GC_PR_FGD} & set(kinds) and {cv2.GC_BGD, cv2.GC_PR_BGD} & set(kinds):
        cv2.setRNGSeed(SEED)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(small, labels, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)  # type: ignore[call-overload]
    person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(person, (0, 0), SOFTNESS), np.float32)


def _shares(masks: Floats) -> Floats:
    """What part each pixel of the person belongs to, float32 (K, h, w), sums to one over the first axis."""
    own = masks[1:].astype(np.float32)
    near = np.stack([cv2.GaussianBlur(plane, (0, 0), REACH) for plane in own])
    weights = own + np.float32(FAINT) * near + np.float32(1e-6)
    return np.asarray(weights / weights.sum(axis=0), np.float32)


def _moved(plane: Floats, deformation: Floats) -> Floats:
    step = (deformation.shape[0] - 1) / (SIDE - 1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    places = cv2.warpAffine(deformation, np.array([[step, 0, 0], [0, step, 0]]), (SIDE, SIDE), flags=flags)
    columns, rows = cv2.split((places + 1) * np.float32((SIDE - 1) / 2))
    return np.asarray(cv2.remap(plane, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
