"""The face mesh network as a torch module, so that losses can look through it.

The TFLite file is read by OpenVINO, which gives its operations in order; each becomes the same one in torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import TrainingError
from engines.faces import MESH_POINTS, MODELS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

MESH_FILE = MODELS / "face_landmark.tflite"
_SHAPERS = frozenset({"Convert", "Unsqueeze", "Transpose", "Reshape"})


class _Step(NamedTuple):
    """One operation on values by number."""

    kind: str
    inputs: tuple[int, ...]
    output: int
    attributes: dict[str, Any]


class FaceNetwork(nn.Module):
    """Face mesh (Kartynnik et al., 2019) with frozen weights; gradients flow to the picture."""

    def __init__(self, path: Path = MESH_FILE) -> None:
        """Read the network.

        Raises:
            TrainingError: the file has an operation that is not known here.
        """
        super().__init__()
        from engines.backends.ovino import openvino_core

        graph = openvino_core().read_model(path)
        numbers: dict[str, int] = {}
        constants: dict[int, Tensor] = {}
        self._steps: list[_Step] = []
        self._points = -1
        for node in graph.get_ordered_ops():
            kind = node.get_type_name()
            if kind == "Result":
                if int(np.prod(list(node.get_input_shape(0)))) == 3 * MESH_POINTS:
                    self._points = _source(node, 0, numbers)
                continue
            number = numbers[node.get_friendly_name()] = len(numbers)
            if kind == "Parameter":
                self._picture = number
            elif kind == "Constant":
                constants[number] = torch.from_numpy(np.array(node.data))
            elif kind not in _OPERATIONS:
                raise TrainingError(f"{path} has an operation {kind}, which is not known; install the program anew")
            else:
                inputs = tuple(_source(node, port, numbers) for port in range(node.get_input_size()))
                self._add(_Step(kind, inputs, number, node.get_attributes()), constants)
        used = {number for step in self._steps for number in step.inputs if number in constants}
        # Shapes are read on the CPU: a GPU would be waited for.
        self._shapes = {number: constants[number] for number in used if not constants[number].is_floating_point()}
        for number in used - self._shapes.keys():
            self.register_buffer(f"constant_{number}", constants[number].contiguous(), persistent=False)
        self.requires_grad_(False)

    def forward(self, picture: Tensor, *, taps: Sequence[int] = ()) -> tuple[Tensor, list[Tensor]]:
        """Read the mesh off upright crops of faces.

        Args:
            picture: (batch, 3, 192, 192) in [0, 1].
            taps: sides of the feature maps to give besides, of 96, 48, 24, 12, 6.

        Returns:
            points (batch, 468, 3) in pixels of the crop, and the last feature map of each tap's side.
        """
        values: dict[int, Tensor] = {self._picture: picture.float().permute(0, 2, 3, 1)}
        found: dict[int, Tensor] = {}
        # Pixels of the crop are counted here: bfloat16 rounds those beyond 128 to whole ones.
        with torch.autocast(picture.device.type, enabled=False):
            for step in self._steps:
                inputs = [self._value(number, values) for number in step.inputs]
                value = values[step.output] = _OPERATIONS[step.kind](inputs, step.attributes)
                if step.kind == "PRelu" and value.shape[-1] in taps:
                    found[int(value.shape[-1])] = value
        return values[self._points].reshape(-1, MESH_POINTS, 3), [found[side] for side in taps]

    def _add(self, step: _Step, constants: dict[int, Tensor]) -> None:
        """Keep a step, or work it out now if it only shapes constants."""
        if step.kind in _SHAPERS and all(number in constants for number in step.inputs):
            constants[step.output] = _OPERATIONS[step.kind]([constants[each] for each in step.inputs], step.attributes)
            return
        if step.kind == "GroupConvolution":  # stored as (groups, 1, 1, h, w)
            weight = step.inputs[1]
            constants[weight] = constants[weight].flatten(0, 1)
        self._steps.append(step)

    def _value(self, number: int, values: dict[int, Tensor]) -> Tensor:
        if number in values:
            return values[number]
        if number in self._shapes:
            return self._shapes[number]
        constant: Tensor = getattr(self, f"constant_{number}")
        return constant


def _source(node: Any, port: int, numbers: dict[str, int]) -> int:
    return numbers[node.input_value(port).get_node().get_friendly_name()]


def _padded(picture: Tensor, attributes: dict[str, Any]) -> Tensor:
    (top, left), (bottom, right) = attributes["pads_begin"], attributes["pads_end"]
    return functional.pad(picture, (left, right, top, bottom)) if top + left + bottom + right else picture


def _convolution(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    picture, weight = inputs
    return functional.conv2d(_padded(picture, attributes), weight, stride=tuple(attributes["strides"]))


def _group_convolution(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    picture, weight = inputs
    stride = tuple(attributes["strides"])
    return functional.conv2d(_padded(picture, attributes), weight, stride=stride, groups=len(weight))


def _pad(inputs: list[Tensor], _: dict[str, Any]) -> Tensor:
    picture, before, after = inputs[:3]
    sides = [(int(low), int(high)) for low, high in zip(before.tolist(), after.tolist(), strict=True)]
    return functional.pad(picture, [amount for side in reversed(sides) for amount in side])


def _reshape(inputs: list[Tensor], _: dict[str, Any]) -> Tensor:
    tensor, shape = inputs
    # A zero keeps the side that is there.
    sides = [int(side) or tensor.shape[axis] for axis, side in enumerate(shape.tolist())]
    return tensor.reshape(sides)


def _unsqueeze(inputs: list[Tensor], _: dict[str, Any]) -> Tensor:
    tensor, axes = inputs
    for axis in sorted(int(axis) for axis in axes.reshape(-1).tolist()):
        tensor = tensor.unsqueeze(axis)
    return tensor


_OPERATIONS: dict[str, Callable[[list[Tensor], dict[str, Any]], Tensor]] = {
    "Add": lambda inputs, _: inputs[0] + inputs[1],
    "Convert": lambda inputs, _: inputs[0].float(),
    "Convolution": _convolution,
    "GroupConvolution": _group_convolution,
    "MaxPool": lambda inputs, _: functional.max_pool2d(inputs[0], 2),
    "PRelu": lambda inputs, _: functional.prelu(inputs[0], inputs[1].reshape(-1)),
    "Pad": _pad,
    "Reshape": _reshape,
    "Transpose": lambda inputs, _: inputs[0].permute(*(int(axis) for axis in inputs[1].tolist())),
    "Unsqueeze": _unsqueeze,
}
