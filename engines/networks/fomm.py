"""First order motion model (Siarohin et al., 2019): key-point detector, dense motion network, generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engines.networks.hourglass import Hourglass
from engines.networks.layers import (
    AntiAliasDownsample,
    coordinate_grid,
    heatmap_average,
    heatmap_mean,
    spatial_softmax,
    start_at_identity,
    warp,
)
from engines.networks.picture import PictureAutoencoder

KEYPOINT_VARIANCE = 0.01
"""Of the Gaussians that show the dense motion network where the key points are (FOMM, Eq. 6)."""


class KeypointDetector(nn.Module):
    """Reads key points with Jacobians off a picture (FOMM, section 3.1). Its heads have no padding."""

    def __init__(
        self,
        *,
        keypoints: int,
        channels: int,
        block_expansion: int,
        num_blocks: int,
        max_features: int,
        scale_factor: float,
        temperature: float,
        estimate_jacobian: bool,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.predictor = Hourglass(
            channels, block_expansion=block_expansion, num_blocks=num_blocks, max_features=max_features
        )
        width = self.predictor.channels_out
        self.kp = nn.Conv2d(width, keypoints, 7)
        self.jacobian = nn.Conv2d(width, 4 * keypoints, 7) if estimate_jacobian else None
        self.down = AntiAliasDownsample(channels, scale_factor) if scale_factor != 1 else nn.Identity()
        if self.jacobian is not None:
            start_at_identity(self.jacobian)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Read one picture.

        Args:
            image: (batch, channels, size, size) float32 in [0, 1].

        Returns:
            Key points (batch, keypoints, 2) and Jacobians (batch, keypoints, 2, 2), float32.
        """
        features = self.predictor(self.down(image))
        heatmap = spatial_softmax(self.kp(features), temperature=self.temperature)
        return heatmap_mean(heatmap), self._jacobian(features, heatmap)

    def _jacobian(self, features: Tensor, heatmap: Tensor) -> Tensor:
        batch, keypoints, height, width = heatmap.shape
        if self.jacobian is None:
            return torch.eye(2, device=heatmap.device).expand(batch, keypoints, 2, 2)
        maps = self.jacobian(features).view(batch, keypoints, 4, height, width)
        return heatmap_average(heatmap, maps).view(batch, keypoints, 2, 2)


class DenseMotionNetwork(nn.Module):
    """Decides which key point's motion each pixel follows, and what the avatar does not show (FOMM, section 3.2)."""

    def __init__(
        self,
        *,
        keypoints: int,
        channels: int,
        block_expansion: int,
        num_blocks: int,
        max_features: int,
        scale_factor: float,
        estimate_occlusion: bool,
    ) -> None:
        super().__init__()
        self.hourglass = Hourglass(
            (keypoints + 1) * (channels + 1),
            block_expansion=block_expansion,
            num_blocks=num_blocks,
            max_features=max_features,
        )
        width = self.hourglass.channels_out
        self.mask = nn.Conv2d(width, keypoints + 1, 7, padding=3)
        self.occlusion = nn.Conv2d(width, 1, 7, padding=3) if estimate_occlusion else None
        self.down = AntiAliasDownsample(channels, scale_factor) if scale_factor != 1 else nn.Identity()

    def forward(
        self, small: Tensor, deformations: Tensor, heatmaps: Tensor, *, align_corners: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Masks and occlusion from the avatar as each key point alone would move it.

        Args:
            small: the avatar's picture after `down`, (batch, channels, h, w) float32.
            deformations: of each key point, background first, (batch, keypoints + 1, h, w, 2) float32.
            heatmaps: where key points come from and go to, (batch, keypoints + 1, h, w) float32.
            align_corners: see `warp`.

        Returns:
            Masks (batch, keypoints + 1, h, w) that sum to one, and what of each pixel the avatar shows,
            (batch, 1, h, w) in [0, 1], or None if that is not estimated; float32.
        """
        batch, parts, height, width = heatmaps.shape
        copies = small[:, None].expand(-1, parts, -1, -1, -1).reshape(batch * parts, -1, height, width)
        moved = warp(copies, deformations.reshape(batch * parts, height, width, 2), align_corners=align_corners)
        moved = moved.view(batch, parts, -1, height, width)
        x = torch.cat([heatmaps[:, :, None], moved], dim=2).flatten(1, 2)  # heatmap, then colours, part by part
        features = self.hourglass(x)
        masks = torch.softmax(self.mask(features).float(), dim=1)
        shown = torch.sigmoid(self.occlusion(features).float()) if self.occlusion is not None else None
        return masks, shown


class OcclusionAwareGenerator(PictureAutoencoder):
    """Warps the avatar's features along the dense motion and paints the picture (FOMM, section 3.2)."""

    def __init__(
        self,
        dense_motion_network: DenseMotionNetwork,
        *,
        channels: int,
        block_expansion: int,
        max_features: int,
        num_down_blocks: int,
        num_bottleneck_blocks: int,
    ) -> None:
        super().__init__(
            channels=channels,
            block_expansion=block_expansion,
            max_features=max_features,
            num_down_blocks=num_down_blocks,
            num_bottleneck_blocks=num_bottleneck_blocks,
        )
        self.dense_motion_network = dense_motion_network


def gaussians(points: Tensor, *, size: tuple[int, int], variance: float = KEYPOINT_VARIANCE) -> Tensor:
    """A Gaussian hill around each point: (batch, keypoints, 2) -> (batch, keypoints, height, width) float32."""
    offset = coordinate_grid(*size, device=points.device) - points.float()[:, :, None, None]
    return torch.exp(-0.5 / variance * (offset * offset).sum(dim=-1))


def motion_heatmaps(source: Tensor, target: Tensor, *, size: tuple[int, int]) -> Tensor:
    """Where key points go to minus where they come from, after an empty background (FOMM, Eq. 6).

    Args:
        source: the avatar's key points, (batch, keypoints, 2) float32.
        target: those of the picture to be made.
        size: height and width of the maps, pixels.

    Returns:
        (batch, keypoints + 1, height, width) float32.
    """
    difference = gaussians(target, size=size) - gaussians(source, size=size)
    return torch.cat([torch.zeros_like(difference[:, :1]), difference], dim=1)
