"""The avatar's masks carried along by the target motion, inside the graphs that paint.

Relative motion takes the avatar's own masks, each moved by its part's motion (`puppet.motion.carry_masks` is the same
on the host). On a GPU this takes microseconds, where 17 planes warped on the host and copied would take longer than
the networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from engines.engine_spec import CARRIED_MASKS, CARRY_MASKS, TARGET_MASKS
from engines.spec import RoleSpec, TensorSpec

if TYPE_CHECKING:
    import onnx

LINEAR_OPSET = 20
"""From it on GridSample calls bilinear sampling linear."""


def with_carrying(entry: RoleSpec) -> RoleSpec:
    """The tensors of a role's engine: those of its graph and, if it takes masks to paint with, two more."""
    masks = next((each for each in entry.inputs if each.name == TARGET_MASKS), None)
    if masks is None:
        return entry
    more_in = TensorSpec(name=CARRY_MASKS, shape=(), dtype="bool")
    more_out = masks.model_copy(update={"name": CARRIED_MASKS})
    return entry.model_copy(update={"inputs": (*entry.inputs, more_in), "outputs": (*entry.outputs, more_out)})


def add_carrying(model: onnx.ModelProto, entry: RoleSpec) -> None:
    """Change a graph in place, so that it has the tensors that `with_carrying` says; most have them already."""
    masks = next((each for each in entry.inputs if each.name == TARGET_MASKS), None)
    if masks is None:
        return
    graph = model.graph
    for node in graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = CARRIED_MASKS if name == TARGET_MASKS else name
    made = _Nodes(masks.shape)
    opset = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    carried = made.carried(mode="bilinear" if opset < LINEAR_OPSET else "linear")
    made.op("Where", CARRY_MASKS, carried, TARGET_MASKS, output=CARRIED_MASKS)
    for index, node in enumerate(made.nodes):
        graph.node.insert(index, node)
    graph.initializer.extend(made.constants)
    graph.input.append(helper.make_tensor_value_info(CARRY_MASKS, TensorProto.BOOL, []))
    graph.output.append(helper.make_tensor_value_info(CARRIED_MASKS, TensorProto.FLOAT, masks.shape))


class _Nodes:
    """Writes nodes down; tensors are named after their number."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        _, self._channels, self._height, self._width = shape
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def op(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        output = output or f"carrying_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=f"{output}_{kind}", **attributes))
        return output

    def constant(self, values: object, dtype: type = np.int64) -> str:
        name = f"carrying_constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def carried(self, *, mode: str) -> str:
        """(1, K + 1, h, w); the background is what the parts leave.

        Part k at pixel z reads the avatar's mask k at p_A + A_A A_T^-1 (z - p_T).
        """
        parts, plane = self._channels - 1, (self._height, self._width)
        mask = self._sliced("source_segmentation", 1, self._channels)
        moving = self.op("Reshape", mask, self.constant([parts, 1, *plane]))
        places = self.op("Reshape", self._places(), self.constant([parts, *plane, 2]))
        moved = self.op("GridSample", moving, places, align_corners=1, mode=mode, padding_mode="zeros")
        moved = self.op("Reshape", moved, self.constant([1, parts, *plane]))
        total = self.op("ReduceSum", moved, self.constant([1]), keepdims=1)
        background = self.op("Relu", self.op("Sub", self.constant(1, np.float32), total))
        everything = self.op("Concat", background, moved, axis=1)
        return self.op("Div", everything, self.op("Add", background, total))

    def _places(self) -> str:
        """Where each part reads each pixel, (1, K, h, w, 2)."""
        x, y = (np.linspace(-1, 1, side, dtype=np.float32) for side in (self._width, self._height))
        here = [self.constant(x.reshape(1, 1, 1, -1), np.float32), self.constant(y.reshape(1, 1, -1, 1), np.float32)]
        matrix = self._matrix()
        at = {side: [self._entry(f"{side}_shift", axis) for axis in (0, 1)] for side in ("source", "target")}
        away = [self.op("Sub", place, shift) for place, shift in zip(here, at["target"], strict=True)]
        planes = []
        for row in (0, 1):
            turned = self.op("Add", *(self.op("Mul", matrix[row][axis], away[axis]) for axis in (0, 1)))
            planes.append(self.op("Unsqueeze", self.op("Add", turned, at["source"][row]), self.constant([4])))
        return self.op("Concat", *planes, axis=4)

    def _matrix(self) -> list[list[str]]:
        """The entries of A_A A_T^-1, each (1, K, 1, 1), in closed form."""
        source, target = ([[self._entry(f"{side}_affine", row, column) for column in (0, 1)] for row in (0, 1)]
                          for side in ("source", "target"))  # fmt: skip
        (a, b), (c, d) = target
        determinant = self.op("Sub", self.op("Mul", a, d), self.op("Mul", b, c))
        adjugate = [[d, self.op("Neg", b)], [self.op("Neg", c), a]]
        return [
            [
                self.op(
                    "Div",
                    self.op("Add", *(self.op("Mul", source[row][inner], adjugate[inner][column]) for inner in (0, 1))),
                    determinant,
                )
                for column in (0, 1)
            ]
            for row in (0, 1)
        ]

    def _entry(self, name: str, *indices: int) -> str:
        """One number a part: (1, K, 2) or (1, K, 2, 2) to (1, K, 1, 1)."""
        for axis, index in enumerate(indices, start=2):
            name = self._sliced(name, index, index + 1, axis=axis)
        return self.op("Reshape", name, self.constant([1, self._channels - 1, 1, 1]))

    def _sliced(self, name: str, start: int, end: int, *, axis: int = 1) -> str:
        return self.op("Slice", name, *(self.constant([number]) for number in (start, end, axis)))
