"""Motion-supervised co-part segmentation (Siarohin et al., 2020): segmentation and reconstruction modules."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engines.networks.hourglass import Hourglass
from engines.networks.layers import (
    AntiAliasDownsample,
    heatmap_average,
    heatmap_mean,
    spatial_softmax,
    start_at_identity,
)
from engines.networks.picture import PictureAutoencoder


class SegmentationModule(nn.Module):
    """Reads parts off a picture: shift, affine and soft masks (MCS, section 3.1)."""

    def __init__(
        self,
        *,
        parts: int,
        channels: int,
        block_expansion: int,
        num_blocks: int,
        max_features: int,
        scale_factor: float,
        temperature: float,
        estimate_affine: bool,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.predictor = Hourglass(
            channels, block_expansion=block_expansion, num_blocks=num_blocks, max_features=max_features
        )
        width = self.predictor.channels_out
        self.shift = nn.Conv2d(width, parts, 7, padding=3)
        self.affine = nn.Conv2d(width, 4 * parts, 7, padding=3) if estimate_affine else None
        self.segmentation = nn.Conv2d(width, parts + 1, 7, padding=3)
        self.down = AntiAliasDownsample(channels, scale_factor) if scale_factor != 1 else nn.Identity()
        if self.affine is not None:
            start_at_identity(self.affine)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read one picture.

        Args:
            image: (batch, channels, size, size) float32 in [0, 1].

        Returns:
            shift (batch, parts, 2), affine (batch, parts, 2, 2) and masks (batch, parts + 1, h, w) that sum to
            one, background first; all float32, h = size * scale.
        """
        features = self.predictor(self.down(image))
        heatmap = spatial_softmax(self.shift(features), temperature=self.temperature)
        shift = heatmap_mean(heatmap)
        masks = torch.softmax(self.segmentation(features).float(), dim=1)
        return shift, self._affine(features, heatmap), masks

    def _affine(self, features: Tensor, heatmap: Tensor) -> Tensor:
        batch, parts, height, width = heatmap.shape
        if self.affine is None:
            return torch.eye(2, device=heatmap.device).expand(batch, parts, 2, 2)
        maps = self.affine(features).view(batch, parts, 4, height, width)
        return heatmap_average(heatmap, maps).view(batch, parts, 2, 2)


class ReconstructionModule(PictureAutoencoder):
    """Paints the picture from the avatar's features, moved part by part (MCS, section 3.2).

    It has no weights beside the autoencoder's: deformation and visibility follow from the segmentation.
    """


def background_visibility(source_masks: Tensor, target_masks: Tensor) -> Tensor:
    """How much of each pixel the avatar shows: background that a part covers there is hidden (MCS, section 3.2).

    The background does not move, so both masks are compared where they are: V = 1 - Y_0 (1 - X_0), X the avatar's
    masks and Y the target's.

    Args:
        source_masks: (batch, parts + 1, h, w) float32 in [0, 1], background first.
        target_masks: as the source's.

    Returns:
        (batch, 1, h, w) float32 in [0, 1].
    """
    return 1 - target_masks[:, :1] * (1 - source_masks[:, :1])


def swap_mask(masks: Tensor, parts: Tensor, *, hard: Tensor) -> Tensor:
    """Where the chosen parts are (MCS, section 3.4).

    Args:
        masks: (batch, parts + 1, h, w) float32 in [0, 1], background first.
        parts: (batch, parts + 1) float32 in [0, 1]: how much of each part is taken.
        hard: bool scalar: what is taken to more than a half is taken wholly, the rest not at all.

    Returns:
        (batch, 1, h, w) float32 in [0, 1].
    """
    soft = (masks * parts[:, :, None, None]).sum(dim=1, keepdim=True)
    return torch.where(hard, (soft > 0.5).to(soft.dtype), soft)
