"""Family MCS: motion-supervised co-part segmentation (Siarohin et al., 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor
from typing_extensions import Self

from engines.families.base import PartMotion, PuppetModel
from engines.families.published import (
    AutoencoderParams,
    Params,
    ReaderParams,
    Shapes,
    autoencoder_from_shapes,
    hourglass_from_shapes,
)
from engines.networks.layers import blended_deformation, part_deformations, warp
from engines.networks.mcs import ReconstructionModule, SegmentationModule, background_visibility, swap_mask
from engines.networks.picture import resized, resized_deformation

if TYPE_CHECKING:
    from collections.abc import Mapping

ALIGN_CORNERS = True
"""The published weights were trained with torch 1.0, where `grid_sample` knew nothing else."""


class CommonParams(Params):
    """What both modules share."""

    num_segments: int = Field(ge=1)
    num_channels: int = Field(3, ge=3, le=3)
    estimate_affine_part: bool = True


class ReconstructionParams(AutoencoderParams):
    """Of the reconstruction module."""

    estimate_visibility: bool = True


class MCSConfiguration(Params):
    """The published configuration's `model_params`, and the side of the pictures."""

    size: int = Field(256, ge=32)
    align_corners: bool = ALIGN_CORNERS
    common_params: CommonParams
    segmentation_module_params: ReaderParams
    reconstruction_module_params: ReconstructionParams

    @model_validator(mode="after")
    def _size_fits(self) -> Self:
        self.segmentation_module_params.check_size(self.size)
        if self.size % 2**self.reconstruction_module_params.num_down_blocks:
            raise ValueError(f"size {self.size} cannot be halved in every block of the reconstruction module")
        return self


class MCS(PuppetModel):
    """Segmentation and reconstruction modules behind the roles of a puppet."""

    family: ClassVar[str] = "mcs"
    blends_features: ClassVar[bool] = True

    def __init__(self, configuration: MCSConfiguration) -> None:
        super().__init__()
        common, reader = configuration.common_params, configuration.segmentation_module_params
        self.size = configuration.size
        self.parts = common.num_segments
        self.part_names = tuple(f"part_{number}" for number in range(1, self.parts + 1))
        self.align_corners = configuration.align_corners
        self.segmentation_module = SegmentationModule(
            parts=self.parts,
            channels=common.num_channels,
            block_expansion=reader.block_expansion,
            num_blocks=reader.num_blocks,
            max_features=reader.max_features,
            scale_factor=reader.scale_factor,
            temperature=reader.temperature,
            estimate_affine=common.estimate_affine_part,
        )
        painter = configuration.reconstruction_module_params
        self.estimate_visibility = painter.estimate_visibility
        self.reconstruction_module = ReconstructionModule(
            channels=common.num_channels,
            block_expansion=painter.block_expansion,
            max_features=painter.max_features,
            num_down_blocks=painter.num_down_blocks,
            num_bottleneck_blocks=painter.num_bottleneck_blocks,
        )

    def segment(self, image: Tensor) -> PartMotion:
        """Shift, affine and soft masks of the parts (MCS, section 3.1)."""
        shift, affine, masks = self.segmentation_module(image)
        return PartMotion(shift, affine, masks)

    def encode(self, image: Tensor) -> dict[str, Tensor]:
        """`features` (batch, channels, size / 2 ** down blocks, the same)."""
        return {"features": self.reconstruction_module.encode(image)}

    def generate(self, features: dict[str, Tensor], source: PartMotion, target: PartMotion) -> dict[str, Tensor]:
        """The picture (MCS, section 3.2).

        Raises:
            ValueError: a motion has no segmentation.
        """
        moved, deformation, visibility = self._move(features["features"], source, target)
        image = self.reconstruction_module.decode(moved)
        return {"image": image, "deformation": deformation, "visibility": visibility}

    def swap(
        self,
        features: dict[str, Tensor],
        source: PartMotion,
        target: PartMotion,
        *,
        driving_image: Tensor,
        parts: Tensor,
        hard: Tensor,
        source_mask: Tensor,
    ) -> Tensor:
        """The driving picture with the chosen parts taken from the avatar, blended as features (MCS, section 3.4)."""
        moved, deformation, _ = self._move(features["features"], source, target)
        kept = self.reconstruction_module.encode(driving_image)
        own = swap_mask(_masks(source), parts, hard=hard)
        own = warp(own, deformation, align_corners=self.align_corners)
        mask = torch.where(source_mask, own, swap_mask(_masks(target), parts, hard=hard))
        mask = resized(mask, (kept.shape[2], kept.shape[3])).to(kept.dtype)
        return self.reconstruction_module.decode(moved * mask + kept * (1 - mask))

    def _move(self, features: Tensor, source: PartMotion, target: PartMotion) -> tuple[Tensor, Tensor, Tensor]:
        """The avatar's features where the target has them, the deformation (batch, h, w, 2), the visibility."""
        source_masks, target_masks = _masks(source), _masks(target)
        height, width = target_masks.shape[2:]
        deformations = part_deformations(source.shift, source.affine, target.shift, target.affine, size=(height, width))
        deformation = blended_deformation(deformations, target_masks)
        size = (features.shape[2], features.shape[3])
        moved = warp(features, resized_deformation(deformation, size), align_corners=self.align_corners)
        if not self.estimate_visibility:
            return moved, deformation, torch.ones_like(target_masks[:, :1])
        visibility = background_visibility(source_masks, target_masks)
        return moved * resized(visibility, size).to(moved.dtype), deformation, visibility


def build(configuration: Mapping[str, object]) -> MCS:
    """A model with fresh weights.

    Raises:
        pydantic.ValidationError: a key is unknown, missing or out of range.
    """
    return MCS(MCSConfiguration.model_validate(configuration))


def configuration_from_shapes(shapes: Shapes) -> dict[str, object]:
    """The configuration that has these keys and shapes; what leaves no trace in them is as published.

    Raises:
        KeyError: a key that tells something is not there.
    """
    reader = hourglass_from_shapes(shapes, "segmentation_module.predictor", down="segmentation_module.down")
    return {
        "common_params": {
            "num_segments": shapes["segmentation_module.shift.weight"][0],
            "estimate_affine_part": "segmentation_module.affine.weight" in shapes,
        },
        "segmentation_module_params": reader,
        "reconstruction_module_params": autoencoder_from_shapes(shapes, "reconstruction_module"),
    }


def _masks(motion: PartMotion) -> Tensor:
    if motion.segmentation is None:
        raise ValueError("the motion has no segmentation; MCS cannot do without")
    return motion.segmentation
