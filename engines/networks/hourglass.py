"""The U-shaped network that reads motion off a picture."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from engines.networks.layers import DownBlock, UpBlock


class Encoder(nn.Module):
    """Down blocks; every stage is kept for the decoder."""

    def __init__(self, channels_in: int, widths: list[int]) -> None:
        super().__init__()
        sides = [channels_in, *widths]
        self.down_blocks = nn.ModuleList(DownBlock(a, b) for a, b in pairwise(sides))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(batch, in, h, w) -> the input and the output of every block, largest first."""
        stages = [x]
        for block in self.down_blocks:
            stages.append(block(stages[-1]))
        return stages


class Decoder(nn.Module):
    """Up blocks; each result is joined with the encoder's stage of its size."""

    def __init__(self, channels_in: int, widths: list[int], *, narrowest: int) -> None:
        super().__init__()
        outs = [*reversed(widths[:-1]), narrowest]
        ins = [widths[-1], *(2 * width for width in reversed(widths[:-1]))]
        self.up_blocks = nn.ModuleList(UpBlock(a, b) for a, b in zip(ins, outs, strict=True))
        self.channels_out = narrowest + channels_in

    def forward(self, stages: list[Tensor]) -> Tensor:
        """The encoder's stages -> (batch, out, h, w), the size of the first."""
        x = stages[-1]
        for block, stage in zip(self.up_blocks, reversed(stages[:-1]), strict=True):
            x = torch.cat([block(x), stage.to(x.dtype)], dim=1)
        return x


class Hourglass(nn.Module):
    """Encoder and decoder with skip connections; the last one joins the input itself."""

    def __init__(self, channels_in: int, *, block_expansion: int, num_blocks: int, max_features: int) -> None:
        super().__init__()
        widths = [min(max_features, block_expansion * 2 ** (block + 1)) for block in range(num_blocks)]
        self.encoder = Encoder(channels_in, widths)
        self.decoder = Decoder(channels_in, widths, narrowest=min(max_features, block_expansion))
        self.channels_out = self.decoder.channels_out

    def forward(self, x: Tensor) -> Tensor:
        """(batch, in, h, w) -> (batch, `channels_out`, h, w); h and w are multiples of 2 ** blocks."""
        features: Tensor = self.decoder(self.encoder(x))
        return features
