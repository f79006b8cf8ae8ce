"""Random affine + thin-plate transforms, and what a reader of motion must keep under them (FOMM, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.layers import AntiAliasDownsample, apply_2x2, coordinate_grid, inverse_2x2, product_2x2

SIGMA_AFFINE = 0.05
SIGMA_TPS = 0.005
POINTS_TPS = 5
"""As published for faces: standard deviations of the affine and of the thin-plate part, control points a side."""
_TINY = 1e-6
"""Keeps the logarithm of the distance to a control point finite."""


@dataclass(frozen=True, eq=False)
class Transform:
    """A smooth map T of the picture's plane, one for each picture of a batch.

    T(z) = M z + t + sum over control points c of w_c r^2 log r, the same in x and y, with r = |z - c| in the 1-norm.

    Convention: backward map, from the transformed picture to the original; x then y in [-1, 1].
    """

    theta: Tensor
    """M and t, (batch, 2, 3) float32."""
    weights: Tensor
    """w, (batch, points) float32."""
    points: Tensor
    """c, (points, 2) float32."""

    @classmethod
    def random(
        cls,
        batch: int,
        *,
        sigma_affine: float = SIGMA_AFFINE,
        sigma_tps: float = SIGMA_TPS,
        points_tps: int = POINTS_TPS,
        generator: torch.Generator | None = None,
        device: torch.device | None = None,
    ) -> Transform:
        """Normally distributed around the identity; `generator` lives on the CPU, so that all devices agree."""
        noise = torch.randn(batch, 2, 3, generator=generator)
        weights = torch.randn(batch, points_tps**2, generator=generator)
        theta = torch.eye(2, 3) + sigma_affine * noise
        points = coordinate_grid(points_tps, points_tps).reshape(-1, 2)
        return cls(theta.to(device), (sigma_tps * weights).to(device), points.to(device))

    def points_of(self, points: Tensor) -> Tensor:
        """T at some points: (batch, n, 2) -> (batch, n, 2) float32."""
        moved = apply_2x2(self.theta[:, None, :, :2], points) + self.theta[:, None, :, 2]
        distance = self._offsets(points).abs().sum(dim=-1)  # (batch, n, control points)
        bend = (self.weights[:, None] * distance**2 * torch.log(distance + _TINY)).sum(dim=-1)
        return moved + bend[..., None]

    def jacobian(self, points: Tensor) -> Tensor:
        """The derivative of T at some points: (batch, n, 2) -> (batch, n, 2, 2) float32, rows are outputs."""
        offsets = self._offsets(points)
        distance = offsets.abs().sum(dim=-1)
        slope = 2 * distance * torch.log(distance + _TINY) + distance**2 / (distance + _TINY)
        bend = ((self.weights[:, None] * slope)[..., None] * offsets.sign()).sum(dim=2)  # (batch, n, 2)
        return self.theta[:, None, :, :2] + bend[:, :, None, :]

    def frame(self, frame: Tensor) -> Tensor:
        """The transformed picture, its border pixels drawn out: (batch, channels, h, w) -> the same shape."""
        batch, _, height, width = frame.shape
        grid = coordinate_grid(height, width, device=frame.device).reshape(1, -1, 2).expand(batch, -1, -1)
        where = self.points_of(grid).view(batch, height, width, 2)
        return functional.grid_sample(frame, where, mode="bilinear", padding_mode="border", align_corners=True)

    def _offsets(self, points: Tensor) -> Tensor:
        return points[:, :, None] - self.points  # (batch, n, control points, 2)


def equivariance_shift(shift: Tensor, transformed_shift: Tensor, transform: Transform) -> Tensor:
    """How far parts of the transformed picture are from where the transform says (FOMM, Eq. 9).

    Args:
        shift: read off the picture, (batch, parts, 2).
        transformed_shift: read off the transformed picture.
        transform: between the two.

    Returns:
        The mean absolute difference, a scalar.
    """
    return (shift - transform.points_of(transformed_shift)).abs().mean()


def equivariance_affine(
    affine: Tensor, transformed_shift: Tensor, transformed_affine: Tensor, transform: Transform
) -> Tensor:
    """How far affines of the transformed picture are from what the transform says (FOMM, Eq. 10 and 11).

    Both sides are compared as 1 - A^-1 (dT A'), which does not fall when all affines shrink.

    Args:
        affine: A, read off the picture, (batch, parts, 2, 2).
        transformed_shift: read off the transformed picture, (batch, parts, 2).
        transformed_affine: A', read off the transformed picture.
        transform: T, between the two.

    Returns:
        The mean absolute difference, a scalar.
    """
    carried = product_2x2(transform.jacobian(transformed_shift), transformed_affine)
    ratio = product_2x2(inverse_2x2(affine), carried)
    return (torch.eye(2, device=affine.device) - ratio).abs().mean()


class Pyramid(nn.Module):
    """A picture at several scales, blurred before each step so that nothing aliases."""

    def __init__(self, *, channels: int = 3, scales: tuple[float, ...] = (1.0, 0.5, 0.25, 0.125)) -> None:
        super().__init__()
        self.scales = scales
        self.levels = nn.ModuleList(AntiAliasDownsample(channels, scale) for scale in scales)

    def forward(self, image: Tensor) -> dict[float, Tensor]:
        """(batch, channels, h, w) -> by scale (batch, channels, h * scale, w * scale)."""
        return {scale: level(image) for scale, level in zip(self.scales, self.levels, strict=True)}
