"""What every family of models offers: read motion, encode the avatar, generate, swap parts (torch)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from torch import Tensor, nn


class PartMotion(NamedTuple):
    """Motion of all parts in a batch of pictures.

    Convention: x then y; [-1, 1] between the centres of the corner pixels.
    """

    shift: Tensor
    """(batch, parts, 2) float32."""
    affine: Tensor
    """(batch, parts, 2, 2) float32."""
    segmentation: Tensor | None
    """(batch, parts + 1, h, w) float32, background first, sums to one; None for FOMM."""


class PuppetModel(nn.Module, ABC):
    """Networks of one family behind the three roles; pictures are float32 (batch, 3, size, size) RGB in [0, 1]."""

    family: ClassVar[str]
    beside: ClassVar[tuple[str, ...]] = ()
    """Entries of what `generate` gives that its graph gives too; `warped` is a picture like `image`."""
    blends_features: ClassVar[bool] = False
    """Whether part swap needs a graph of its own (`swap`); else the moved avatar is laid over the driving picture."""
    align_corners: bool
    size: int
    parts: int
    part_names: tuple[str, ...]

    @abstractmethod
    def segment(self, image: Tensor) -> PartMotion:
        """Shift, affine and soft masks of the parts in each picture."""

    @abstractmethod
    def encode(self, image: Tensor) -> dict[str, Tensor]:
        """Everything of the avatar that can be computed once, by name; the generator takes it by these names."""

    @abstractmethod
    def generate(self, features: dict[str, Tensor], source: PartMotion, target: PartMotion) -> dict[str, Tensor]:
        """`image` (batch, 3, size, size) in [0, 1], the avatar moved from `source` to `target`.

        Other entries are the intermediate tensors that losses and pictures want (`deformation`, `visibility`, ...).
        """

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
        """The driving picture with the chosen parts taken from the avatar (MCS, section 3.4).

        Args:
            features: of the avatar, from `encode`.
            source: motion of the avatar.
            target: motion of the driving picture.
            driving_image: the picture that keeps everything else.
            parts: (batch, parts + 1) in [0, 1]: 1 takes the part from the avatar; channel 0 is the background.
            hard: bool scalar: masks are thresholded at 0.5.
            source_mask: bool scalar: the avatar's mask, warped, instead of the driving picture's.

        Returns:
            (batch, 3, size, size) in [0, 1].

        Raises:
            NotImplementedError: the family blends no features.
        """
        raise NotImplementedError(f"family {self.family} blends no features of two pictures")
