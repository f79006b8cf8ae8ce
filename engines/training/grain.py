"""The grain of a decoder that makes four pixels at once: dots or lines that repeat with every other pixel.

A pixel shuffle draws every cell of 2 x 2 pixels from one place of the features. Where a loss rewards fine detail, as a
discriminator does, the four drift apart, alike in all cells, which no photograph shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

CELL = 2
"""Pixels of a cell, a side."""
AREA = 8
"""Cells over which the grain is averaged, a side: detail of a picture cancels out there, grain does not."""


def grain_loss(result: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference of the grain of two pictures, (batch, 3, size, size) in [0, 1]."""
    return (grain(result) - grain(truth)).abs().mean()


def grain(pictures: Tensor) -> Tensor:
    """How far each of a cell's four pixels lies from their mean, averaged over an area.

    Args:
        pictures: (batch, channels, h, w), h and w multiples of 16.

    Returns:
        (batch, 4 x channels, h / 16, w / 16).
    """
    batch, channels, height, width = pictures.shape
    cells = functional.pixel_unshuffle(pictures.float(), CELL)
    phases = cells.reshape(batch, channels, CELL * CELL, height // CELL, width // CELL)
    off = phases - phases.mean(dim=2, keepdim=True)
    return functional.avg_pool2d(off.flatten(1, 2), AREA)
