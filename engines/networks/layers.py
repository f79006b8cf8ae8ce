"""Layers and coordinate algebra that the families share.

Convention everywhere: points are x then y; -1 and 1 are the centres of the first and the last pixel; matrices act on
column vectors. Coordinates, softmaxes and affine algebra are float32 even when the convolutions run in float16:
functions here that begin such arithmetic convert their input themselves.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class DownBlock(nn.Module):
    """Convolution, batch norm, ReLU, then half the size."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in, h, w) -> (batch, out, h / 2, w / 2)."""
        return functional.avg_pool2d(functional.relu(self.norm(self.conv(x))), 2)


class UpBlock(nn.Module):
    """Twice the size (nearest), then convolution, batch norm, ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in, h, w) -> (batch, out, 2 h, 2 w)."""
        x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        return functional.relu(self.norm(self.conv(x)))


class SameBlock(nn.Module):
    """Convolution, batch norm, ReLU; the size stays."""

    def __init__(self, channels_in: int, channels_out: int, *, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in, h, w) -> (batch, out, h, w)."""
        return functional.relu(self.norm(self.conv(x)))


class ResidualBlock(nn.Module):
    """Two convolutions, each after its norm and ReLU (pre-activation), added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) -> the same shape."""
        y = self.conv1(functional.relu(self.norm1(x)))
        y = self.conv2(functional.relu(self.norm2(y)))
        total: Tensor = x + y
        return total


class AntiAliasDownsample(nn.Module):
    """A Gaussian blur as wide as the step, then every n-th pixel; borders are padded with zeros.

    The standard deviation is (1 / scale - 1) / 2 pixels and the kernel reaches four of them to each side.
    """

    weight: Tensor

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.channels = channels
        self.step = round(1 / scale)
        if self.step < 1 or abs(self.step * scale - 1) > 1e-6:
            raise ValueError(f"scale is {scale}, expected 1 / a whole number")
        self.register_buffer("weight", gaussian_kernel(scale).repeat(channels, 1, 1, 1))  # (channels, 1, k, k)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) -> (batch, channels, h * scale, w * scale)."""
        if self.step == 1:
            return x
        weight = self.weight.to(x.dtype)
        return functional.conv2d(x, weight, stride=self.step, padding=weight.shape[-1] // 2, groups=self.channels)


def gaussian_kernel(scale: float) -> Tensor:
    """The anti-alias kernel for a scale of at most 1: (1, 1, k, k) float32, sums to one."""
    deviation = (1 / scale - 1) / 2
    radius = round(4 * deviation)
    offsets = torch.arange(-radius, radius + 1, dtype=torch.float64)
    line = torch.exp(-(offsets**2) / (2 * deviation**2)) if radius else torch.ones(1, dtype=torch.float64)
    kernel = line[:, None] * line[None, :]
    return (kernel / kernel.sum()).float()[None, None]


def coordinate_grid(height: int, width: int, *, device: torch.device | None = None) -> Tensor:
    """Where each pixel's centre is: (height, width, 2) float32, x then y in [-1, 1]."""
    x = torch.arange(width, dtype=torch.float32, device=device) * (2 / (width - 1)) - 1
    y = torch.arange(height, dtype=torch.float32, device=device) * (2 / (height - 1)) - 1
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)], dim=-1)


def inverse_2x2(matrix: Tensor) -> Tensor:
    """The inverse of (..., 2, 2) matrices in closed form; infinite where a determinant is zero."""
    a, b = matrix[..., 0:1, 0:1], matrix[..., 0:1, 1:2]
    c, d = matrix[..., 1:2, 0:1], matrix[..., 1:2, 1:2]
    adjugate = torch.cat([torch.cat([d, -b], dim=-1), torch.cat([-c, a], dim=-1)], dim=-2)
    return adjugate / (a * d - b * c)


def product_2x2(left: Tensor, right: Tensor) -> Tensor:
    """The product of (..., 2, 2) matrices, elementwise: some runtimes refuse a float32 matrix product."""
    return left[..., :, 0:1] * right[..., 0:1, :] + left[..., :, 1:2] * right[..., 1:2, :]


def apply_2x2(matrix: Tensor, points: Tensor) -> Tensor:
    """(..., 2, 2) matrices applied to (..., 2) points, broadcast against each other, elementwise."""
    return matrix[..., :, 0] * points[..., 0:1] + matrix[..., :, 1] * points[..., 1:2]


def spatial_softmax(logits: Tensor, *, temperature: float) -> Tensor:
    """(batch, parts, h, w) -> heatmaps of the same shape, float32, that each sum to one."""
    flat = logits.float().flatten(2) / temperature  # (batch, parts, pixels)
    return torch.softmax(flat, dim=-1).view(logits.shape)


def heatmap_mean(heatmap: Tensor) -> Tensor:
    """The mean place of each heatmap: (batch, parts, h, w) float32 -> (batch, parts, 2)."""
    grid = coordinate_grid(heatmap.shape[2], heatmap.shape[3], device=heatmap.device)
    return (heatmap[..., None] * grid).sum(dim=(2, 3))


def heatmap_average(heatmap: Tensor, values: Tensor) -> Tensor:
    """Values averaged under each heatmap.

    Args:
        heatmap: (batch, parts, h, w) float32, each sums to one.
        values: (batch, parts or 1, channels, h, w); 1 shares them between the parts.

    Returns:
        (batch, parts, channels) float32.
    """
    return (heatmap[:, :, None] * values.float()).sum(dim=(3, 4))


def warp(x: Tensor, deformation: Tensor, *, align_corners: bool) -> Tensor:
    """Look `x` up where `deformation` points; outside there are zeros.

    Convention: backward map; x then y; bilinear.

    Args:
        x: (batch, channels, h, w), any float type.
        deformation: (batch, h', w', 2) float32.
        align_corners: whether -1 and 1 are the centres (True) or the outer edges (False) of the border pixels.

    Returns:
        (batch, channels, h', w') of the type of `x`.
    """
    warped = functional.grid_sample(
        x.float(), deformation.float(), mode="bilinear", padding_mode="zeros", align_corners=align_corners
    )
    return warped.to(x.dtype)


def part_deformations(
    source_shift: Tensor, source_affine: Tensor, target_shift: Tensor, target_affine: Tensor, *, size: tuple[int, int]
) -> Tensor:
    """Where each part's motion sends every pixel: T(z) = p_S + A_S A_D^-1 (z - p_D) (FOMM, Eq. 4; MCS, Eq. 2).

    Convention: backward map, from target to source.

    Args:
        source_shift: p_S, (batch, parts, 2) float32.
        source_affine: A_S, (batch, parts, 2, 2) float32.
        target_shift: p_D, as the source's.
        target_affine: A_D, as the source's.
        size: height and width of the maps, pixels.

    Returns:
        (batch, parts + 1, height, width, 2) float32; part 0 is the background and stays where it is.
    """
    grid = coordinate_grid(*size, device=source_shift.device)
    turn = product_2x2(source_affine, inverse_2x2(target_affine))
    offset = grid - target_shift[:, :, None, None]  # (batch, parts, height, width, 2)
    moved = apply_2x2(turn[:, :, None, None], offset) + source_shift[:, :, None, None]
    still = grid.expand(moved.shape[0], 1, -1, -1, -1)
    return torch.cat([still, moved], dim=1)


def blended_deformation(deformations: Tensor, masks: Tensor) -> Tensor:
    """One map from all parts' maps, weighted by masks (FOMM, Eq. 8; MCS, Eq. 3).

    Args:
        deformations: (batch, parts + 1, h, w, 2) float32.
        masks: (batch, parts + 1, h, w) float32, sum to one.

    Returns:
        (batch, h, w, 2) float32.
    """
    return (masks[..., None] * deformations).sum(dim=1)


def start_at_identity(head: nn.Conv2d) -> None:
    """Let a head of 2x2 matrices, four channels each, give the identity before it has learnt anything."""
    if head.bias is None:
        raise ValueError("the head has no bias, so it cannot start at the identity")
    nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(head.out_channels // 4))
