"""The compact family: the model that ships with the program."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from engines.families.base import PartMotion, PuppetModel
from engines.networks import compact as networks
from engines.networks import compact_motion as motions
from engines.networks.layers import coordinate_grid

if TYPE_CHECKING:
    from collections.abc import Mapping

MASKED = (
    "hair", "forehead", "right_brow", "left_brow", "right_lid", "right_eye", "left_lid", "left_eye", "nose",
    "upper_lip", "lower_lip", "chin", "right_cheek", "left_cheek", "right_ear", "left_ear", "body",
    "right_hair", "left_hair", "neck", "right_shoulder", "left_shoulder",
)  # fmt: skip
"""Right and left are the person's own."""
PART_NAMES = (*MASKED, "right_iris", "left_iris")
"""Irises are smaller than a cell of the masks, and have none (`move_irises`)."""
EYES = MASKED.index("right_eye"), MASKED.index("left_eye")


class CompactConfig(BaseModel):
    """Sizes of the networks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(256, ge=128, multiple_of=128, description="side of the pictures, pixels; weights fit every size")
    segmenter: tuple[int, ...] = Field((24, 48, 96, 128, 160), description="features at 1/2, 1/4, ... of 128 pixels")
    pyramid: tuple[int, int, int, int] = Field((24, 48, 96, 128), description="at 1/2, 1/4, 1/8, and in the bottleneck")
    blocks: int = Field(4, ge=1, description="residual blocks in the bottleneck")
    refiner: int = Field(32, ge=1, description="features of the motion correction")


SMALL = CompactConfig()


class Compact(PuppetModel):
    """Segmenter, encoder and generator of the compact family."""

    family: ClassVar[str] = "compact"
    beside: ClassVar[tuple[str, ...]] = ("warped", "deformation")
    align_corners = motions.ALIGN_CORNERS

    def __init__(self, config: CompactConfig = SMALL) -> None:
        super().__init__()
        self.config = config
        self.size = config.size
        self.parts = len(PART_NAMES)
        self.part_names = PART_NAMES
        self.segmenter = networks.Segmenter(parts=len(MASKED), eyes=EYES, widths=config.segmenter)
        self.encoder = networks.Encoder(widths=config.pyramid)
        self.refiner = networks.Refiner(parts=len(MASKED), irises=len(EYES), features=config.refiner)
        self.decoder = networks.Decoder(widths=config.pyramid, motion=config.refiner, blocks=config.blocks)

    def joined_inputs(self) -> dict[str, tuple[int, ...]]:
        """Channels of the inputs that a convolution reads joined, by the name of its weights."""
        half, quarter, _, bottleneck = self.config.pyramid
        middle, motion = self.decoder.middle, self.config.refiner
        widths = self.config.segmenter[::-1]
        ups = {f"segmenter.up.{index}.0.weight": pair for index, pair in enumerate(itertools.pairwise(widths))}
        return ups | {
            "segmenter.iris.layers.0.0.weight": (widths[-1], networks.IRIS_FEATURES),
            "decoder.enter.0.weight": (bottleneck, motion),
            "decoder.at_quarter.0.weight": (middle, quarter, motion),
            "decoder.at_half.0.weight": (half, half),
        }

    def segment(self, image: Tensor) -> PartMotion:
        """See `PuppetModel.segment`; masks are 64 x 64."""
        return PartMotion(*self.segmenter(image))

    def encode(self, image: Tensor) -> dict[str, Tensor]:
        """The pyramid, the avatar's pixels and a small copy of them."""
        half, quarter, eighth = self.encoder(image)
        small = motions.resized(image, networks.MAP_SIDE)
        return {"half": half, "quarter": quarter, "eighth": eighth, "picture": image, "small": small}

    def generate(self, features: dict[str, Tensor], source: PartMotion, target: PartMotion) -> dict[str, Tensor]:
        """See `PuppetModel.generate`."""
        even, trust, motion, coarse = self._move(features, source, target)
        deformation = motions.move_irises(even, _eyes(source), _eyes(target))
        pyramid = self._warped_pyramid(features, deformation, trust)
        decoded, mask = self.decoder(pyramid, motion)
        warped = motions.warp(features["picture"], deformation)
        return {
            "image": mask * warped + (1 - mask) * decoded,
            "warped": warped,
            "decoded": decoded,
            "mask": mask,
            "deformation": deformation,
            "correction": even - coarse,
            "visibility": trust[:, :1],
        }

    def _move(
        self, features: dict[str, Tensor], source: PartMotion, target: PartMotion
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Deformation (batch, 64, 64, 2), trust (batch, 3, 64, 64), motion features, uncorrected deformation."""
        assert target.segmentation is not None
        assert source.segmentation is not None
        matrix, offset = motions.part_maps((source.shift, source.affine), (target.shift, target.affine))
        coarse = motions.blend_deformation(target.segmentation, matrix, offset)
        grid = coordinate_grid(networks.MAP_SIDE, networks.MAP_SIDE, device=coarse.device)
        clues = [
            target.segmentation[:, : len(MASKED) + 1],
            motions.heat_difference(source.shift, target.shift, side=networks.MAP_SIDE),
            motions.warp(features["small"], coarse),
            (coarse - grid).permute(0, 3, 1, 2),
            motions.warp(source.segmentation[:, :1], coarse),
        ]
        correction, trust, motion = self.refiner(torch.cat([clue.float() for clue in clues], dim=1))
        return coarse + correction, trust, motion, coarse

    def _warped_pyramid(
        self, features: dict[str, Tensor], deformation: Tensor, trust: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        scales = ("half", "quarter", "eighth")
        warped = []
        for index, scale in enumerate(scales):
            moved = motions.warp(features[scale], deformation)
            warped.append(moved * motions.resized(trust[:, index : index + 1], moved.shape[-1]))
        return warped[0], warped[1], warped[2]


def _eyes(motion: PartMotion) -> tuple[Tensor, Tensor, Tensor]:
    """Shift, affine and iris of both eyes, as `move_irises` takes them."""
    shift, affine = (torch.stack([values[:, eye] for eye in EYES], dim=1) for values in (motion.shift, motion.affine))
    return shift, affine, motion.shift[:, len(MASKED) :]


def build(configuration: Mapping[str, object]) -> Compact:
    """A model with fresh weights.

    Raises:
        pydantic.ValidationError: a key is unknown or out of range.
    """
    return Compact(CompactConfig.model_validate(configuration))
