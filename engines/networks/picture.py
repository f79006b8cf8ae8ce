"""From a picture to features and back: the autoencoder that both generators are built around."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.layers import DownBlock, ResidualBlock, SameBlock, UpBlock


class PictureAutoencoder(nn.Module):
    """Encoder and decoder after Johnson et al.; features are altered between the two (FOMM, section 3.2)."""

    def __init__(
        self,
        *,
        channels: int,
        block_expansion: int,
        max_features: int,
        num_down_blocks: int,
        num_bottleneck_blocks: int,
    ) -> None:
        super().__init__()
        widths = [min(max_features, block_expansion * 2**level) for level in range(num_down_blocks + 1)]
        levels = range(num_down_blocks)
        self.first = SameBlock(channels, widths[0], kernel=7)
        self.down_blocks = nn.ModuleList(DownBlock(widths[level], widths[level + 1]) for level in levels)
        self.up_blocks = nn.ModuleList(UpBlock(widths[level + 1], widths[level]) for level in reversed(levels))
        self.bottleneck = nn.Sequential()
        for block in range(num_bottleneck_blocks):
            self.bottleneck.add_module(f"r{block}", ResidualBlock(widths[-1]))
        self.final = nn.Conv2d(widths[0], channels, 7, padding=3)

    def encode(self, image: Tensor) -> Tensor:
        """(batch, channels, h, w) in [0, 1] -> (batch, features, h / 2 ** down, w / 2 ** down)."""
        x: Tensor = self.first(image)
        for block in self.down_blocks:
            x = block(x)
        return x

    def decode(self, features: Tensor) -> Tensor:
        """The way back: (batch, channels, h, w) float32 in [0, 1]."""
        x = self.bottleneck(features)
        for block in self.up_blocks:
            x = block(x)
        return torch.sigmoid(self.final(x).float())


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """(batch, channels, h, w) brought to another height and width, bilinear; as it is if they fit."""
    if (x.shape[2], x.shape[3]) == size:
        return x
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


def resized_deformation(deformation: Tensor, size: tuple[int, int]) -> Tensor:
    """(batch, h, w, 2) brought to another height and width, bilinear; as it is if they fit."""
    return resized(deformation.permute(0, 3, 1, 2), size).permute(0, 2, 3, 1)
