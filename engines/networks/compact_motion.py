"""Motion algebra of the compact family: from the parts' motion to one deformation, and warping by it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from engines.networks.layers import apply_2x2, coordinate_grid, inverse_2x2, product_2x2

ALIGN_CORNERS = True
"""Coordinates -1 and 1 are the centres of the corner pixels everywhere in this family."""

HEAT_VARIANCE = 0.01

FINE_SIDE = 127
"""Side of the deformation in which irises move, which are smaller than a cell of the masks: each cell of 64 in two."""
IRIS_WINDOW = 0.1
"""Half width of what moves as a whole around an iris. Lengths here are those of the mean face that the parts' affines
come from: its eyes are 0.2 wide and 0.06 high, its irises 0.08."""
OPENING = (0.06, 0.04)
"""Half height of what moves across, and of what moves up or down: lids are drawn along across, which is not seen."""
EYE_WINDOW = 0.095
"""Half width of what moves at all; the eye's corners stay."""
FARTHEST_GAZE = (0.06, 0.03)
"""Of an iris from the middle of its eye, across and up or down."""
TREMBLING = 0.012
"""How far irises that are read seem to move while they rest: of a movement as large, half is made."""


def part_maps(source: tuple[Tensor, Tensor], target: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Backward affine of every part, z -> matrix z + offset, from target to avatar (MCS, Eq. 3).

    Args:
        source: shift (batch, parts, 2) and affine (batch, parts, 2, 2) of the avatar.
        target: the same of the picture to make.

    Returns:
        matrix (batch, parts, 2, 2) = A_S A_T^-1 and offset (batch, parts, 2) = p_S - matrix p_T.
    """
    matrix = product_2x2(source[1], inverse_2x2(target[1]))
    moved = (matrix * target[0][:, :, None, :]).sum(dim=3)
    return matrix, source[0] - moved


def blend_deformation(masks: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """Mask-weighted sum of the parts' affines, the background staying where it is (MCS, Eq. 4).

    The six numbers of the affines are blended per pixel, which is the same sum and cheaper than blending maps.

    Args:
        masks: (batch, parts + 1, h, w), sums to one, background first.
        matrix: (batch, parts, 2, 2).
        offset: (batch, parts, 2).

    Returns:
        (batch, h, w, 2) backward map, x then y.
    """
    grid = coordinate_grid(masks.shape[2], masks.shape[3], device=masks.device)
    x, y = grid[..., 0], grid[..., 1]
    background, moving = masks[:, 0], masks[:, 1:]

    def blended(value: Tensor) -> Tensor:
        return (moving * value[:, :, None, None]).sum(dim=1)

    rows = []
    for row, still in ((0, x), (1, y)):
        linear = blended(matrix[:, :, row, 0]) * x + blended(matrix[:, :, row, 1]) * y
        rows.append(linear + blended(offset[:, :, row]) + background * still)
    return torch.stack(rows, dim=-1)


def move_irises(
    deformation: Tensor,
    source: tuple[Tensor, Tensor, Tensor],
    target: tuple[Tensor, Tensor, Tensor],
) -> Tensor:
    """The deformation, made finer, in which the irises move inside their eyes.

    With an eye's shift p, affine A and iris q, its gaze is g = A^-1 (q - p). Around the target's gaze what is read
    moves by g_T - g_S on the face, within a window that leaves lids and corners where they are:
    T(z) - A_S w(A_S^-1 (T(z) - p_S)) (g_T - g_S), where w falls from 1 to 0 in powers of four and eight. Before, g_T
    is drawn towards g_S by the share n^2 / (m^2 + n^2) of its distance m, with the trembling n: resting eyes rest.

    Args:
        deformation: (batch, h, w, 2) backward map, x then y.
        source: shift (batch, eyes, 2), affine (batch, eyes, 2, 2) and the irises' shift (batch, eyes, 2) of the avatar.
        target: the same of the picture to make.

    Returns:
        (batch, 127, 127, 2) backward map.
    """
    planes = deformation.permute(0, 3, 1, 2)
    planes = functional.interpolate(planes, size=(FINE_SIDE, FINE_SIDE), mode="bilinear", align_corners=ALIGN_CORNERS)
    fine = planes.permute(0, 2, 3, 1)
    to_face = inverse_2x2(source[1])
    rest = apply_2x2(to_face, source[2] - source[0])
    moved = apply_2x2(inverse_2x2(target[1]), target[2] - target[0]) - rest
    squared = moved.square().sum(dim=-1, keepdim=True)
    turned = rest + squared / (squared + TREMBLING**2) * moved
    most = torch.tensor(FARTHEST_GAZE, device=rest.device)
    gaze = turned.clamp(torch.minimum(rest, -most), torch.maximum(rest, most))

    read = fine[:, None] - source[0][:, :, None, None]  # (batch, eyes, 127, 127, 2)
    x, y = apply_2x2(to_face[:, :, None, None], read).unbind(dim=-1)
    beside = ((x - gaze[..., 0, None, None]) / IRIS_WINDOW).square().square()
    corners = (x / EYE_WINDOW).square().square().square()
    windows = [torch.exp(-beside - corners - (y / height).square().square()) for height in OPENING]
    way = torch.stack(windows, dim=-1) * (gaze - rest)[:, :, None, None]
    return fine - apply_2x2(source[1][:, :, None, None], way).sum(dim=1)


def carry_masks(masks: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """The avatar's own masks, each carried along by its part's motion; the rest is background.

    Args:
        masks: (batch, parts + 1, h, w) of the avatar.
        matrix: (batch, parts, 2, 2) backward, from `part_maps`.
        offset: (batch, parts, 2).

    Returns:
        (batch, parts + 1, h, w), sums to one.
    """
    batch, channels, height, width = masks.shape
    grid = coordinate_grid(height, width, device=masks.device)
    maps = (matrix[:, :, None, None] * grid[:, :, None, :]).sum(dim=-1) + offset[:, :, None, None]
    moving = masks[:, 1:].reshape(-1, 1, height, width)
    carried = functional.grid_sample(moving, maps.reshape(-1, height, width, 2), align_corners=ALIGN_CORNERS)
    carried = carried.reshape(batch, channels - 1, height, width)
    total = carried.sum(dim=1, keepdim=True)
    background = (1 - total).clamp_min(0)
    return torch.cat([background, carried], dim=1) / (background + total)


def heat_difference(source: Tensor, target: Tensor, *, side: int) -> Tensor:
    """Gaussians at the target shifts minus Gaussians at the avatar's (FOMM, Eq. 7), (batch, parts, side, side)."""
    grid = coordinate_grid(side, side, device=source.device)

    def heat(shift: Tensor) -> Tensor:
        squared = (grid - shift[:, :, None, None]).square().sum(dim=-1)
        return torch.exp(-0.5 * squared / HEAT_VARIANCE)

    return heat(target) - heat(source)


def warp(features: Tensor, deformation: Tensor) -> Tensor:
    """Read features where the deformation points; the map is resized to the features, edges repeat.

    Args:
        features: (batch, channels, h, w).
        deformation: (batch, H, W, 2) backward map, x then y in [-1, 1].
    """
    if deformation.shape[1] != features.shape[2]:
        size = features.shape[2:]
        planes = deformation.permute(0, 3, 1, 2)
        planes = functional.interpolate(planes, size=size, mode="bilinear", align_corners=ALIGN_CORNERS)
        deformation = planes.permute(0, 2, 3, 1)
    # Coordinates in half precision would be off by up to half a pixel.
    moved = functional.grid_sample(
        features.float(), deformation.float(), padding_mode="border", align_corners=ALIGN_CORNERS
    )
    return moved.to(features.dtype)


def resized(planes: Tensor, side: int) -> Tensor:
    """(batch, channels, side, side): averaged when smaller, bilinear when larger."""
    here = planes.shape[-1]
    if here == side:
        return planes
    if here > side:
        return functional.avg_pool2d(planes, here // side)
    return functional.interpolate(planes, size=(side, side), mode="bilinear", align_corners=ALIGN_CORNERS)
