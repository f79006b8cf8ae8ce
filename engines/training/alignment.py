"""The deformation is told where to look, by optical flow between the warped avatar and the truth.

What a reconstruction loss says of a deformation reaches a pixel or two. Hair and shoulders lie farther off, and two
thirds of what is wrong with a picture is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.compact_motion import warp
from engines.networks.layers import coordinate_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BLUR = 8.0
"""Of the flow, standard deviation in pixels of a picture of 256: the deformation is coarse, and flow is rough."""
FARTHEST = 0.2
"""Longest flow that is believed, half sides."""


class AlignmentLoss(nn.Module):
    """Mean |D(x) - D(x + f(x))| where following the flow f from truth to warped avatar makes them more alike."""

    def __init__(self) -> None:
        super().__init__()
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def forward(self, deformations: Sequence[Tensor], warped: Tensor, truth: Tensor) -> Tensor:
        """Compare deformations with the one that the flow corrects.

        Args:
            deformations: (batch, h, w, 2) backward maps in [-1, 1]; the first is the one that `warped` was made by.
            warped: (batch, 3, size, size) in [0, 1], the avatar's own pixels.
            truth: the same shape.
        """
        with torch.no_grad():
            wanted, is_better = self.wanted(deformations[0].float(), warped.float(), truth)
        apart = torch.stack([(each.float() - wanted).abs().sum(dim=-1) for each in deformations]).mean(dim=0)
        return (apart * is_better).mean()

    def wanted(self, deformation: Tensor, warped: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """The corrected deformation, (batch, h, w, 2), and where it is to be believed, (batch, h, w) of 0 and 1."""
        side, size = deformation.shape[1], truth.shape[-1]
        followed = coordinate_grid(size, size, device=truth.device) + self._ways(warped, truth)
        before, after = (
            functional.avg_pool2d((each - truth).abs().mean(dim=1), size // side)
            for each in (warped, warp(warped, followed))
        )
        planes = functional.interpolate(followed.permute(0, 3, 1, 2), (side, side), mode="bilinear", align_corners=True)
        coarse = planes.permute(0, 2, 3, 1)
        way = (coarse - coordinate_grid(side, side, device=truth.device)).norm(dim=-1)
        corrected = warp(deformation.permute(0, 3, 1, 2), coarse).permute(0, 2, 3, 1)
        return corrected, ((after < before) & (way < FARTHEST)).float()

    def _ways(self, warped: Tensor, truth: Tensor) -> Tensor:
        """(batch, size, size, 2): how far from each place of the truth the warped avatar shows the same, [-1, 1]."""
        size = truth.shape[-1]
        found = [
            self._flow.calc(here, there, np.zeros((size, size, 2), np.float32))
            for here, there in zip(_grey(truth), _grey(warped), strict=True)
        ]
        blurred = [cv2.GaussianBlur(flow, (0, 0), BLUR * size / 256) for flow in found]
        return torch.from_numpy(np.stack(blurred)).to(truth.device) * 2 / (size - 1)


def _grey(pictures: Tensor) -> NDArray[np.uint8]:
    """(batch, h, w) in [0, 255]."""
    return (pictures.mean(dim=1) * 255).round().clamp(0, 255).byte().cpu().numpy()
