"""Perceptual distance on VGG16's features: of the whole picture at half size, and of a random square at full size.

Both are a quarter of the whole picture's pixels: VGG is dear.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import TrainingError
from engines.training.perceptual_metric import read_trunk, why_unavailable

SIDE = 128
"""Of the squares, pixels."""
SPREAD = 0.35
"""Standard deviation of a square's middle about the face's, in half sides of the picture."""


class TextureLoss(nn.Module):
    """Sum over the blocks of mean |a - b| / mean |b|, features of result and truth (Johnson et al., 2016)."""

    def __init__(self) -> None:
        """Load the trunk.

        Raises:
            TrainingError: a package with weights is missing.
        """
        super().__init__()
        reason = why_unavailable()
        if reason is not None:
            raise TrainingError(f"the texture loss needs VGG16: {reason.partition(': ')[2]}, or set its weight to 0")
        self.trunk = read_trunk().requires_grad_(False)

    def whole(self, result: Tensor, truth: Tensor) -> Tensor:
        """Compare (batch, 3, size, size) pictures in [0, 1] at half size."""
        return self._distance(functional.avg_pool2d(result, 2), functional.avg_pool2d(truth, 2))

    def square(self, result: Tensor, truth: Tensor, points: Tensor, *, generator: torch.Generator) -> Tensor:
        """Compare a square near the face.

        Args:
            result: (batch, 3, size, size) in [0, 1].
            truth: the same.
            points: (batch, 468, 2) in [-1, 1], all 0 where no mesh is known.
            generator: of the places.
        """
        size = truth.shape[-1]
        side = min(SIDE, size)
        middle = points.mean(dim=1).cpu() + SPREAD * torch.randn(len(points), 2, generator=generator)
        corner = ((middle.clamp(-1, 1) + 1) / 2 * size - side / 2).round().long().clamp(0, size - side).tolist()

        def squares(pictures: Tensor) -> Tensor:
            cut = [picture[:, y : y + side, x : x + side] for picture, (x, y) in zip(pictures, corner, strict=True)]
            return torch.stack(cut).contiguous(memory_format=torch.channels_last)

        return self._distance(squares(result), squares(truth))

    def _distance(self, result: Tensor, truth: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.trunk(truth)
        total = result.new_zeros((), dtype=torch.float32)
        for ours, theirs in zip(self.trunk(result), wanted, strict=True):
            total = total + (ours.float() - theirs.float()).abs().mean() / theirs.float().abs().mean()
        return total
