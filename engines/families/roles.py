"""The graphs of a model folder as modules: bytes in, bytes out, tensors by name (any family)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engines.families.base import PartMotion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engines.families.base import PuppetModel
    from engines.spec import RoleName


class RoleModule(nn.Module):
    """A role of a model; `names` are those of its tensors, in order, where the model decides on them."""

    def __init__(self, model: PuppetModel, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model = model
        self.names = names


@dataclass(frozen=True)
class Role:
    """One graph to be: a module, what goes in (an example of each input) and the names of what comes out."""

    name: RoleName
    module: RoleModule
    inputs: dict[str, Tensor] = field(repr=False)
    outputs: tuple[str, ...]

    def run(self) -> dict[str, Tensor]:
        """The outputs, by name, for the example inputs."""
        results = self.module(*self.inputs.values())
        return dict(zip(self.outputs, results, strict=True))

    def of(self, model: PuppetModel, dtypes: Mapping[str, torch.dtype]) -> Role:
        """The same role of another model of the same family, whose inputs named in `dtypes` have those types."""
        inputs = {name: tensor.to(dtypes.get(name, tensor.dtype)) for name, tensor in self.inputs.items()}
        return Role(self.name, type(self.module)(model, self.module.names), inputs, self.outputs)


def roles(model: PuppetModel, *, pictures: tuple[Tensor, Tensor]) -> list[Role]:
    """Every role that the model can play.

    Args:
        model: in eval mode.
        pictures: an avatar and a driving picture, uint8 (1, size, size, 3) RGB, that the examples are made from.

    Returns:
        Segmenter, encoder, generator and, for families that blend features, swapper.
    """
    avatar, driving = pictures
    with torch.no_grad():
        source, target = model.segment(from_bytes(avatar)), model.segment(from_bytes(driving))
        features = model.encode(from_bytes(avatar))
    motions = {**_named("source", source), **_named("target", target)}
    moving = {**features, **motions}
    found = [
        Role("segmenter", Segmenter(model, ()), {"image": driving}, tuple(_named("", target))),
        Role("encoder", Encoder(model, tuple(features)), {"image": avatar}, tuple(features)),
        Role("generator", Generator(model, tuple(moving)), moving, ("image", *model.beside)),
    ]
    if model.blends_features:
        swapped = {
            **moving,
            "driving_image": driving,
            "parts": torch.arange(model.parts + 1, dtype=torch.float32)[None] / model.parts,
            "hard": torch.tensor(False),
            "source_mask": torch.tensor(False),
        }
        found.append(Role("swapper", Swapper(model, tuple(moving)), swapped, ("image",)))
    return found


class Segmenter(RoleModule):
    """`image` -> `shift`, `affine` and, for families that have it, `segmentation`."""

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Read an uint8 (1, size, size, 3) RGB picture."""
        motion = self.model.segment(from_bytes(image))
        return tuple(tensor.float() for tensor in motion if tensor is not None)


class Encoder(RoleModule):
    """`image` -> what is kept of an avatar, in the order of `names`."""

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Encode an uint8 (1, size, size, 3) RGB picture."""
        features = self.model.encode(from_bytes(image))
        return tuple(features[name] for name in self.names)


class Generator(RoleModule):
    """The encoder's tensors and both motions -> `image` and what the family gives beside it."""

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Paint an uint8 (1, size, size, 3) RGB picture; the tensors come in the order of `names`."""
        named = dict(zip(self.names, tensors, strict=True))
        source, target = _motion("source", named), _motion("target", named)
        given = self.model.generate(named, source, target)
        pictures = ("image", "warped")
        return tuple(
            to_bytes(given[name]) if name in pictures else given[name].float() for name in ("image", *self.model.beside)
        )


class Swapper(RoleModule):
    """The generator's inputs, `driving_image`, `parts`, `hard` and `source_mask` -> `image`."""

    def forward(self, *tensors: Tensor) -> tuple[Tensor]:
        """Paint an uint8 (1, size, size, 3) RGB picture; the tensors come in the order of `names`, then the rest."""
        *moving, driving_image, parts, hard, source_mask = tensors
        named = dict(zip(self.names, moving, strict=True))
        source, target = _motion("source", named), _motion("target", named)
        picture = self.model.swap(
            named,
            source,
            target,
            driving_image=from_bytes(driving_image),
            parts=parts,
            hard=hard,
            source_mask=source_mask,
        )
        return (to_bytes(picture),)


def from_bytes(image: Tensor) -> Tensor:
    """Uint8 (batch, height, width, 3) RGB -> float32 (batch, 3, height, width) in [0, 1]."""
    return image.permute(0, 3, 1, 2).float() / 255


def to_bytes(image: Tensor) -> Tensor:
    """Float (batch, 3, height, width) -> uint8 (batch, height, width, 3) RGB, clipped to [0, 1] and rounded."""
    return (image.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)


def _named(prefix: str, motion: PartMotion) -> dict[str, Tensor]:
    stem = f"{prefix}_" if prefix else ""
    return {f"{stem}{name}": tensor for name, tensor in motion._asdict().items() if tensor is not None}


def _motion(prefix: str, named: dict[str, Tensor]) -> PartMotion:
    """Takes the motion's tensors out of `named`; what stays there are the features."""
    shift, affine = named.pop(f"{prefix}_shift"), named.pop(f"{prefix}_affine")
    return PartMotion(shift, affine, named.pop(f"{prefix}_segmentation", None))
