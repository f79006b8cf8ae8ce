"""Family FOMM: first order motion model (Siarohin et al., 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor
from typing_extensions import Self

from engines.families.base import PartMotion, PuppetModel
from engines.families.published import (
    AutoencoderParams,
    HourglassParams,
    Params,
    ReaderParams,
    Shapes,
    autoencoder_from_shapes,
    hourglass_from_shapes,
)
from engines.networks.fomm import DenseMotionNetwork, KeypointDetector, OcclusionAwareGenerator, motion_heatmaps
from engines.networks.layers import blended_deformation, part_deformations, warp
from engines.networks.picture import resized, resized_deformation

if TYPE_CHECKING:
    from collections.abc import Mapping

ALIGN_CORNERS = True
"""The published weights were trained with torch 1.0, where `grid_sample` knew nothing else."""


class CommonParams(Params):
    """What detector and generator share."""

    num_kp: int = Field(ge=1)
    num_channels: int = Field(3, ge=3, le=3)
    estimate_jacobian: bool = True


class GeneratorParams(AutoencoderParams):
    """Of the generator and the dense motion network in it."""

    estimate_occlusion_map: bool = False
    dense_motion_params: HourglassParams


class FOMMConfiguration(Params):
    """The published configuration's `model_params` without the discriminator, and the side of the pictures."""

    size: int = Field(256, ge=32)
    align_corners: bool = ALIGN_CORNERS
    common_params: CommonParams
    kp_detector_params: ReaderParams
    generator_params: GeneratorParams

    @model_validator(mode="after")
    def _size_fits(self) -> Self:
        self.kp_detector_params.check_size(self.size)
        self.generator_params.dense_motion_params.check_size(self.size)
        if self.size % 2**self.generator_params.num_down_blocks:
            raise ValueError(f"size {self.size} cannot be halved in every block of the generator")
        return self


class FOMM(PuppetModel):
    """Key-point detector and generator behind the roles of a puppet; key points are the parts."""

    family: ClassVar[str] = "fomm"

    def __init__(self, configuration: FOMMConfiguration) -> None:
        super().__init__()
        common, reader = configuration.common_params, configuration.kp_detector_params
        self.size = configuration.size
        self.parts = common.num_kp
        self.part_names = tuple(f"key point {number}" for number in range(1, self.parts + 1))
        self.align_corners = configuration.align_corners
        self.kp_detector = KeypointDetector(
            keypoints=self.parts,
            channels=common.num_channels,
            block_expansion=reader.block_expansion,
            num_blocks=reader.num_blocks,
            max_features=reader.max_features,
            scale_factor=reader.scale_factor,
            temperature=reader.temperature,
            estimate_jacobian=common.estimate_jacobian,
        )
        painter = configuration.generator_params
        self.generator = OcclusionAwareGenerator(
            _dense_motion_network(common, painter),
            channels=common.num_channels,
            block_expansion=painter.block_expansion,
            max_features=painter.max_features,
            num_down_blocks=painter.num_down_blocks,
            num_bottleneck_blocks=painter.num_bottleneck_blocks,
        )

    def segment(self, image: Tensor) -> PartMotion:
        """Key points and Jacobians (FOMM, section 3.1); there are no masks."""
        shift, affine = self.kp_detector(image)
        return PartMotion(shift, affine, None)

    def encode(self, image: Tensor) -> dict[str, Tensor]:
        """`features` of the generator and `small_image`, the picture that the dense motion network reads."""
        small: Tensor = self.generator.dense_motion_network.down(image)
        return {"features": self.generator.encode(image), "small_image": small}

    def generate(self, features: dict[str, Tensor], source: PartMotion, target: PartMotion) -> dict[str, Tensor]:
        """The picture (FOMM, section 3.2); `masks` say which key point's motion each pixel follows."""
        small, kept = features["small_image"], features["features"]
        size = (small.shape[2], small.shape[3])
        deformations = part_deformations(source.shift, source.affine, target.shift, target.affine, size=size)
        heatmaps = motion_heatmaps(source.shift, target.shift, size=size)
        masks, visibility = self.generator.dense_motion_network(
            small, deformations, heatmaps, align_corners=self.align_corners
        )
        deformation = blended_deformation(deformations, masks)
        size = (kept.shape[2], kept.shape[3])
        moved = warp(kept, resized_deformation(deformation, size), align_corners=self.align_corners)
        if visibility is None:
            visibility = torch.ones_like(masks[:, :1])
        else:
            moved = moved * resized(visibility, size).to(moved.dtype)
        image = self.generator.decode(moved)
        return {"image": image, "deformation": deformation, "visibility": visibility, "masks": masks}


def build(configuration: Mapping[str, object]) -> FOMM:
    """A model with fresh weights.

    Raises:
        pydantic.ValidationError: a key is unknown, missing or out of range.
    """
    return FOMM(FOMMConfiguration.model_validate(configuration))


def configuration_from_shapes(shapes: Shapes) -> dict[str, object]:
    """The configuration that has these keys and shapes; what leaves no trace in them is as published.

    Raises:
        KeyError: a key that tells something is not there.
    """
    dense = "generator.dense_motion_network"
    return {
        "common_params": {
            "num_kp": shapes["kp_detector.kp.weight"][0],
            "estimate_jacobian": "kp_detector.jacobian.weight" in shapes,
        },
        "kp_detector_params": hourglass_from_shapes(shapes, "kp_detector.predictor", down="kp_detector.down"),
        "generator_params": {
            **autoencoder_from_shapes(shapes, "generator"),
            "estimate_occlusion_map": f"{dense}.occlusion.weight" in shapes,
            "dense_motion_params": hourglass_from_shapes(shapes, f"{dense}.hourglass", down=f"{dense}.down"),
        },
    }


def _dense_motion_network(common: CommonParams, painter: GeneratorParams) -> DenseMotionNetwork:
    dense = painter.dense_motion_params
    return DenseMotionNetwork(
        keypoints=common.num_kp,
        channels=common.num_channels,
        block_expansion=dense.block_expansion,
        num_blocks=dense.num_blocks,
        max_features=dense.max_features,
        scale_factor=dense.scale_factor,
        estimate_occlusion=painter.estimate_occlusion_map,
    )
