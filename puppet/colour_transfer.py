"""Colours of a swapped part: skin takes the tone and light of the skin around it, and all else keeps its own colour.

A look is the skin's mean and covariance in CIE L*a*b*, and its mean near each part. Between two looks lies a linear map
(Monge-Kantorovich: the one that moves colours least). A pixel follows it as far as its colour is skin's, so that hair,
lips and the white of the eyes stay what they are. Everything is counted on pictures as small as the masks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppet.part_groups import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.types import Floats, Image

NO_SKIN = frozenset(
    {"hair", "beard", "forehead", "ear", "ears", "body", "neck", "shoulder", "clothes", "background"}
    | {"brow", "lid", "eye", "eyes", "iris", "lip", "mouth"}
)
"""Words in the names of parts that show much else than skin; fringes cover foreheads."""
FIRST_SPREAD = (15.0, 8.0, 8.0)
"""Standard deviations in L*a*b* around the median, within which skin is looked for at first."""
ROUNDS = 3
"""Of leaving out what lies far off: fringes, outlines, shadows; and then of telling skin from what lies beside it."""
LEAST_SPREAD = 5.0
"""Standard deviation, units of L*a*b*: a flat drawing's skin has none, and would be divided by."""
REACH = 3.0
"""Standard deviations at which a colour counts half as skin."""
FINER = 2
"""Times the side of the masks, the pictures on which a change of colours is found."""
GAIN = (0.7, 1.4)
"""Limits of how much contrast shrinks and grows: noise and compression must not be blown up."""
NEARBY = 3.0
"""Standard deviation of the neighbourhood of a part, pixels of the masks."""
PRIOR = 20.0
"""Pixels of skin that the whole face counts as beside those near a part."""
LOOK_S = 0.1
"""Light on a face changes slowly, and reading it costs as much as the rest of a swap's colours."""
SETTLING_S = 0.6
"""Time constant with which a steady look follows the driver's."""


@dataclass(frozen=True, eq=False)
class Look:
    """The skin in one picture, in L*a*b* (L from 0 to 100)."""

    mean: Floats
    """(3,)."""
    covariance: Floats
    """(3, 3)."""
    local: Floats
    """(K + 1, 3): the mean near each part; of the background, that of all."""
    other: Floats
    """(K + 1, 5): of what is no skin near each part, such as hair: mean, spread, how much is known of it (0 to 1)."""


def read_look(image: Image, masks: Floats, part_names: Sequence[str]) -> Look:
    """Read the skin's colours off a picture.

    Args:
        image: uint8 (H, H, 3) RGB.
        masks: (K + 1, h, w) in [0, 1], background first.
        part_names: K names; parts that are named after something else than skin are left out at first.
    """
    height, width = masks.shape[1:]
    small = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    pixels = to_lab(small).reshape(-1, 3)
    weights = masks.reshape(len(masks), -1)
    chosen = [index for index, name in enumerate(part_names, start=1) if not NO_SKIN & words(name)]
    face = weights[chosen or slice(1, None)].sum(axis=0)
    # The median is skin even where a fringe or an outline covers nearly half; a mean would lie in between.
    mean, covariance = _median(pixels, face), np.diag(np.square(np.array(FIRST_SPREAD, np.float32)))
    for _ in range(ROUNDS):
        mean, covariance = _moments(pixels, face * _likeness(_distance(pixels - mean, covariance)))
    near = np.stack([cv2.GaussianBlur(mask, (0, 0), NEARBY) for mask in masks.astype(np.float32)])
    near = near.reshape(len(masks), -1) * (1 - weights[0])
    near[0] = 0
    skin = _likeness(_distance(pixels - mean, covariance))
    for _ in range(ROUNDS):
        local = ((near * skin) @ pixels + PRIOR * mean) / ((near * skin).sum(axis=1, keepdims=True) + PRIOR)
        other = _other(pixels, near * (1 - skin))
        skin = _skin(pixels - weights.T @ local, pixels, weights.T @ other, covariance)
    return Look(mean, covariance, np.asarray(local, np.float32), other)


class SteadyLook:
    """The driver's look over time: it follows slowly, so that a swapped part does not flicker."""

    def __init__(self) -> None:
        self._look: Look | None = None
        self._at = 0.0

    def fresh(self, now: float, *, parts: int) -> Look | None:
        """The steady look, if the last one is of this moment or nearly so, and of as many parts."""
        is_fresh = self._look is not None and len(self._look.local) == parts + 1 and 0 <= now - self._at < LOOK_S
        return self._look if is_fresh else None

    def follow(self, look: Look, now: float) -> Look:
        """Take the look of this moment, seconds; returns the steady one, at first the same."""
        last, passed = self._look, now - self._at
        self._at = now
        if last is None or passed < 0 or last.local.shape != look.local.shape:
            self._look = look
        else:
            share = np.float32(1 - math.exp(-passed / SETTLING_S))
            self._look = Look(*(old + share * (new - old) for old, new in zip(_parts(last), _parts(look), strict=True)))
        return self._look


def recolour(image: Image, weights: Floats, *, source: Look, goal: Look) -> Image:
    """Carry a picture's skin over from one look to another.

    The change is found on a picture `FINER` times as large as the weights, enlarged, and added: what is finer stays.

    Args:
        image: uint8 (h, w, 3) RGB.
        weights: float32 (K + 1, h', w'), 0 and more: how much of each part is where, over the same area.
        source: the look of the picture that the image is from.
        goal: the look to take on.

    Returns:
        uint8 (h, w, 3) RGB.
    """
    height, width = (min(side, FINER * small) for side, small in zip(image.shape, weights.shape[1:], strict=False))
    small = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    change = cv2.subtract(_recoloured(small, weights, source=source, goal=goal), small, dtype=cv2.CV_16S)
    change = cv2.resize(change, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.add(image, change, dtype=cv2.CV_8U), np.uint8)


def _recoloured(image: Image, weights: Floats, *, source: Look, goal: Look) -> Image:
    height, width = image.shape[:2]
    total = weights.sum(axis=0) + 1e-3
    matrix = linear_map(source.covariance, goal.covariance)
    means = np.concatenate([source.local, goal.local - source.local @ matrix.T, source.other], axis=1)
    means0 = np.concatenate([source.mean, goal.mean - matrix @ source.mean, source.other[0]])
    planes = (np.tensordot(weights, means, axes=(0, 0)) + 1e-3 * means0) / total[..., None]
    field = cv2.resize(planes.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    colours = to_lab(image)
    moved = cv2.transform(colours, matrix) + field[..., 3:6]
    flat = colours.reshape(-1, 3), field.reshape(-1, field.shape[2])
    skin = _skin(flat[0] - flat[1][:, :3], flat[0], flat[1][:, 6:], source.covariance).reshape(height, width, 1)
    return from_lab(colours + skin * (moved - colours))


def linear_map(source: Floats, goal: Floats) -> Floats:
    """The symmetric matrix, float32 (3, 3), that turns one covariance into the other, its gains within limits."""
    root, inverse_root = _power(source, 0.5), _power(source, -0.5)
    middle = np.asarray(root @ goal @ root, np.float32)
    matrix = np.asarray(inverse_root @ _power(middle, 0.5) @ inverse_root, np.float32)
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.clip(values, *GAIN)) @ vectors.T, np.float32)


def to_lab(image: Image) -> Floats:
    """Uint8 (h, w, 3) sRGB to float32 (h, w, 3) L*a*b*."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) * np.float32(1 / 255), cv2.COLOR_RGB2LAB), np.float32)


def from_lab(colours: Floats) -> Image:
    """Float32 (h, w, 3) L*a*b* to uint8 (h, w, 3) sRGB, clipped."""
    picture = np.maximum(cv2.cvtColor(colours.astype(np.float32), cv2.COLOR_LAB2RGB), 0)
    return np.asarray(cv2.convertScaleAbs(picture, alpha=255), np.uint8)


def _other(pixels: Floats, weights: Floats) -> Floats:
    """See `Look.other`; pixels (n, 3), and how much each is none of the skin near each part, (K + 1, n)."""
    total = weights.sum(axis=1, keepdims=True)
    weights = weights / (total + 1e-6)
    mean = weights @ pixels
    variance = weights @ np.square(pixels).mean(axis=1, keepdims=True) - np.square(mean).mean(axis=1, keepdims=True)
    spread = np.sqrt(np.maximum(variance, LEAST_SPREAD**2))
    return np.concatenate([mean, spread, total / (total + PRIOR)], axis=1).astype(np.float32)


def _skin(offsets: Floats, pixels: Floats, other: Floats, covariance: Floats) -> Floats:
    """How much each of n pixels is skin, (n,) in [0, 1]: near to the skin's colours, and nearer than to others' there.

    Shadows on dark skin lead to black hair; only what lies beside it tells the two apart.

    Args:
        offsets: from the skin's mean, (n, 3).
        pixels: (n, 3).
        other: as in `Look`, at each pixel, (n, 5).
        covariance: of the skin, (3, 3).
    """
    to_skin = _distance(offsets, covariance)
    beside = pixels - other[:, :3]
    to_other = np.einsum("ij,ij->i", beside, beside) / np.maximum(np.square(other[:, 3]), LEAST_SPREAD**2)
    to_skin_2 = np.square(to_skin)
    is_other = to_skin_2 / (to_skin_2 + np.square(to_other) + 1e-6)
    return np.asarray(_likeness(to_skin) * (1 - other[:, 4] * is_other), np.float32)


def _moments(pixels: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted mean (3,) and covariance (3, 3), the latter at least that of the least spread."""
    weights = weights / (weights.sum() + 1e-6)
    mean = weights @ pixels
    centred = pixels - mean
    covariance = (centred * weights[:, None]).T @ centred + LEAST_SPREAD**2 * np.eye(3)
    return mean.astype(np.float32), covariance.astype(np.float32)


def _median(pixels: Floats, weights: Floats) -> Floats:
    """Weighted median, (3,), channel by channel."""
    order = np.argsort(pixels, axis=0)
    shares = np.cumsum(weights[order], axis=0)
    middle = np.argmax(shares >= shares[-1] / 2, axis=0)
    found = np.take_along_axis(order, middle[None], axis=0)
    return np.asarray(np.take_along_axis(pixels, found, axis=0)[0], np.float32)


def _distance(offsets: Floats, covariance: Floats) -> Floats:
    """Squares of the standard deviations, (n,), that offsets from a mean, (n, 3), are long."""
    whitened = cv2.transform(offsets[None], _power(covariance, -0.5))[0]
    return np.asarray(np.einsum("ij,ij->i", whitened, whitened), np.float32)


def _likeness(distance: Floats) -> Floats:
    """How much a colour is skin's, in (0, 1], from the square of its distance."""
    return np.asarray(1 / (1 + (distance / REACH**2) ** 2), np.float32)


def _power(matrix: Floats, exponent: float) -> Floats:
    """A power of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix.astype(np.float64))
    return np.asarray((vectors * np.maximum(values, 1e-6) ** exponent) @ vectors.T, np.float32)


def _parts(look: Look) -> tuple[Floats, ...]:
    return look.mean, look.covariance, look.local, look.other
