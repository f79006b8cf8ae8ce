"""Where the compact family's parts should be on a face, from mesh points: targets for shifts, affines and early masks.

Without guidance the parts of a network trained from nothing huddle in the middle and one of them takes the whole head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from engines.families.compact import PART_NAMES
from engines.irises import LEFT_IRIS, POINTS, RIGHT_IRIS
from engines.networks.layers import coordinate_grid, inverse_2x2
from engines.training.selecting import at

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Mesh indices of each group; right and left lists mirror each other entry by entry.
_RIGHT_LID = (246, 161, 160, 159, 158, 157, 173)
_LEFT_LID = (466, 388, 387, 386, 385, 384, 398)
_RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, *_RIGHT_LID)
_LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, *_LEFT_LID)
_RIGHT_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
_LEFT_BROW = (300, 293, 334, 296, 336, 276, 283, 282, 295, 285)
_RIGHT_CHEEK = (50, 101, 118, 117, 123, 147, 187, 205, 36, 116)
_LEFT_CHEEK = (280, 330, 347, 346, 352, 376, 411, 425, 266, 345)
_RIGHT_EAR = (234, 93, 132, 58, 127, 172)
_LEFT_EAR = (454, 323, 361, 288, 356, 397)
# Centre, then pairs of right and left.
_NOSE = (168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 98, 327, 97, 326, 64, 294, 129, 358, 48, 278)
_FOREHEAD = (10, 151, 9, 8, 109, 338, 67, 297, 103, 332, 108, 337, 69, 299, 104, 333)
_UPPER_LIP = (0, 13, 61, 291, 185, 409, 40, 270, 39, 269, 37, 267, 78, 308, 191, 415, 80, 310, 81, 311, 82, 312)
_LOWER_LIP = (17, 14, 146, 375, 91, 321, 181, 405, 84, 314, 95, 324, 88, 318, 178, 402, 87, 317)
_CHIN = (152, 175, 199, 200, 148, 377, 176, 400, 149, 378, 171, 396, 208, 428, 201, 421)

GROUPS: dict[str, tuple[int, ...]] = {
    "forehead": _FOREHEAD, "right_brow": _RIGHT_BROW, "left_brow": _LEFT_BROW,
    "right_lid": _RIGHT_LID, "right_eye": _RIGHT_EYE, "left_lid": _LEFT_LID, "left_eye": _LEFT_EYE,
    "nose": _NOSE, "upper_lip": _UPPER_LIP, "lower_lip": _LOWER_LIP, "chin": _CHIN,
    "right_cheek": _RIGHT_CHEEK, "left_cheek": _LEFT_CHEEK, "right_ear": _RIGHT_EAR, "left_ear": _LEFT_EAR,
}  # fmt: skip
"""Mesh indices of the parts in the face."""

IRISES = {
    "right_iris": ("right_eye", RIGHT_IRIS, (159, 145), (33, 133)),
    "left_iris": ("left_eye", LEFT_IRIS, (386, 374), (263, 362)),
}
"""Eye, centre, and the mesh points of the eye's height and width."""
_SHUT, _OPEN = 0.08, 0.18
"""Height over width of an eye: below the one an iris is nowhere to be seen, above the other it counts in full."""

OUTER: dict[str, tuple[float, float]] = {
    "hair": (0.0, 1.35), "right_hair": (-0.68, 0.55), "left_hair": (0.68, 0.55), "neck": (0.0, -0.3),
    "right_shoulder": (-0.8, -0.5), "left_shoulder": (0.8, -0.5),
}  # fmt: skip
"""Parts beyond the mesh: where they begin, from the chin, in widths of the face to the left and heights of it up."""
RIGID = ("hair", "right_hair", "left_hair")
"""Of these, what is guided to move with the face all the time; neck, shoulders and body are free."""

_NAMES = (*GROUPS, *IRISES, *RIGID)
GUIDED = tuple(PART_NAMES.index(name) for name in _NAMES)
OPENINGS = tuple(
    (_NAMES.index(one), _NAMES.index(other))
    for one, other in (
        ("upper_lip", "lower_lip"),
        ("right_lid", "right_eye"),
        ("left_lid", "left_eye"),
    )
)
"""Pairs of guided parts, by their place in `GUIDED`, whose distance says how far mouth and eyes are open."""
GAZES = tuple((_NAMES.index(iris), _NAMES.index(eye)) for iris, (eye, *_) in IRISES.items())
"""Pairs whose offset says where an eye looks."""
ASIDE = 0.024
"""Of an iris from its eye's middle: who looks as far, or up to twice, counts for more, for few do."""

RIDGE = 5e-5
"""Pulls a part's least-squares affine towards the face's own; squared [-1, 1] units."""

_TOP, _BOTTOM, _RIGHT, _LEFT = 10, 152, 234, 454
"""Forehead, chin and both sides of the face."""
_ALL = sorted({index for group in GROUPS.values() for index in group})
_PRIOR_RADII = {
    "hair": 0.3, "right_hair": 0.2, "left_hair": 0.2, "neck": 0.2, "right_shoulder": 0.3, "left_shoulder": 0.3,
    "forehead": 0.16, "nose": 0.1, "chin": 0.12, "right_cheek": 0.13, "left_cheek": 0.13,
    "right_ear": 0.13, "left_ear": 0.13,
}  # fmt: skip


def mirror_index() -> NDArray[np.int64]:
    """For every point of a group its counterpart on the other side; other points map to themselves."""
    mirror = np.arange(POINTS)
    sided = (
        (_RIGHT_EYE, _LEFT_EYE), (_RIGHT_BROW, _LEFT_BROW), (_RIGHT_CHEEK, _LEFT_CHEEK), (_RIGHT_EAR, _LEFT_EAR),
        ((RIGHT_IRIS,), (LEFT_IRIS,)),
    )  # fmt: skip
    pairs = [pair for right, left in sided for pair in zip(right, left, strict=True)]
    for group, middle in ((_NOSE, 10), (_FOREHEAD, 4), (_UPPER_LIP, 2), (_LOWER_LIP, 2), (_CHIN, 4)):
        pairs += list(zip(group[middle::2], group[middle + 1 :: 2], strict=True))
    for right, left in pairs:
        mirror[right], mirror[left] = left, right
    return mirror


def template(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean face: every mesh moved to its centre and scaled to the mean size, averaged, made symmetric.

    Args:
        points: (N, 470, 2) in [-1, 1].

    Returns:
        (470, 2), centre at 0; only the points of the groups are meaningful.
    """
    centred = points - points.mean(axis=1, keepdims=True)
    size = np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True))
    mean = (centred / size).mean(axis=0) * np.median(size)
    flipped = mean[mirror_index()] * np.array([-1, 1], np.float32)
    return np.asarray((mean + flipped) / 2, np.float32)


@dataclass(frozen=True, eq=False)
class Targets:
    """What the segmenter should say of a batch of pictures, for the guided parts in the order of `GUIDED`."""

    shift: Tensor
    """(batch, guided, 2)."""
    affine: Tensor
    """(batch, guided, 2, 2): from the mean face to the picture."""


def targets(points: Tensor, mean_face: Tensor) -> Targets:
    """Centroid and least-squares affine of every guided group.

    The affine minimises |P - A T|^2 / n + ridge |A - G|^2, with T the group on the mean face, P in the picture and G
    the same fit of the whole face.

    Args:
        points: (batch, 470, 2) in [-1, 1].
        mean_face: (470, 2), from `template`.
    """
    mean = mean_face[None]
    whole = _fit(at(points, _ALL), at(mean, _ALL)[0], prior=None)
    shifts, affines = [], []
    for group in GROUPS.values():
        here = at(points, group)
        shifts.append(here.mean(dim=1))
        affines.append(_fit(here, at(mean, group)[0], prior=whole))
    for name, (eye, *_) in IRISES.items():
        shifts.append(iris_place(points, name))
        affines.append(affines[tuple(GROUPS).index(eye)])
    for name in RIGID:
        shifts.append(outer_place(points, name))
        affines.append(whole)
    return Targets(torch.stack(shifts, dim=1), torch.stack(affines, dim=1))


def outer_place(points: Tensor, name: str) -> Tensor:
    """(batch, 2): where a part beyond the mesh begins, by the (batch, 470, 2) mesh."""
    across, up = OUTER[name]
    to_left, to_top = points[:, _LEFT] - points[:, _RIGHT], points[:, _TOP] - points[:, _BOTTOM]
    return points[:, _BOTTOM] + across * to_left + up * to_top


def iris_place(points: Tensor, name: str) -> Tensor:
    """(batch, 2): the iris of an open eye, the middle of one that is shut."""
    eye, iris, heights, widths = IRISES[name]
    middle = at(points, GROUPS[eye]).mean(dim=1)
    height, width = ((points[:, one] - points[:, other]).norm(dim=1) for one, other in (heights, widths))
    seen = ((height / width.clamp_min(1e-3) - _SHUT) / (_OPEN - _SHUT)).clamp(0, 1)
    place: Tensor = middle + seen[:, None] * (points[:, iris] - middle)
    return place


def mask_prior(points: Tensor, *, side: int) -> Tensor:
    """Rough soft masks for the first steps: a Gaussian per part, the body below, background elsewhere, no irises.

    Returns:
        (batch, parts + 1, side, side), sums to one.
    """
    grid = coordinate_grid(side, side, device=points.device)
    width = (points[:, _LEFT] - points[:, _RIGHT]).norm(dim=1).clamp_min(0.2)[:, None, None]
    planes = [torch.full((points.shape[0], side, side), 0.08, device=points.device)]
    for name in PART_NAMES:
        if name in IRISES:
            planes.append(torch.zeros_like(planes[0]))
            continue
        if name == "body":
            below = grid[None, ..., 1] - points[:, _BOTTOM, 1][:, None, None]
            planes.append(torch.sigmoid(12 * below))
            continue
        centre = outer_place(points, name) if name in OUTER else at(points, GROUPS[name]).mean(dim=1)
        radius = _PRIOR_RADII.get(name, 0.07) * width
        squared = (grid - centre[:, None, None]).square().sum(dim=-1)
        planes.append(torch.exp(-0.5 * squared / radius.square()))
    masks = torch.stack(planes, dim=1)
    return masks / masks.sum(dim=1, keepdim=True)


def attention(points: Tensor, known: Tensor, *, side: int, most: float) -> Tensor:
    """Weight of every pixel in the pictorial losses: 1, rising to `most` over mouth and eyes.

    Args:
        points: (batch, 470, 2).
        known: (batch,) bool: false gives weight 1 all over.
        side: of the map, pixels.
        most: the weight at the middle of mouth and eyes.

    Returns:
        (batch, 1, side, side).
    """
    grid = coordinate_grid(side, side, device=points.device)
    width = (points[:, _LEFT] - points[:, _RIGHT]).norm(dim=1).clamp_min(0.2)[:, None, None]
    total = torch.zeros(points.shape[0], side, side, device=points.device)
    for group, reach in (((*_UPPER_LIP, *_LOWER_LIP), 0.15), (_RIGHT_EYE, 0.09), (_LEFT_EYE, 0.09)):
        centre = at(points, group).mean(dim=1)
        squared = (grid - centre[:, None, None]).square().sum(dim=-1)
        total = torch.maximum(total, torch.exp(-0.5 * squared / (reach * width).square()))
    return 1 + (most - 1) * (total * known.to(total.device)[:, None, None])[:, None]


def _fit(points: Tensor, model: Tensor, *, prior: Tensor | None) -> Tensor:
    """(batch, 2, 2) ridge fit of centred points to the centred model, closed form."""
    model = model - model.mean(dim=0)
    points = points - points.mean(dim=1, keepdim=True)
    count = model.shape[0]
    covariance = model.T @ model / count
    cross = points.transpose(1, 2) @ model / count
    if prior is not None:
        covariance = covariance + RIDGE * torch.eye(2, device=model.device)
        cross = cross + RIDGE * prior
    return cross @ inverse_2x2(covariance)
