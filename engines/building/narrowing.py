"""Half precision on the level of the graph: convolutions and what follows them in float16 or bfloat16.

Coordinates, softmaxes, sums and affine algebra stay float32, as `engines.half` leaves them in the networks: a tensor
is narrow only if a convolution made it and nothing but the operations in `FOLLOWERS` came since. What meets a float32
tensor becomes float32 again, so no pixel is ever looked up at a rounded place.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})
FOLLOWERS = frozenset({
    "Relu", "LeakyRelu", "AveragePool", "MaxPool", "Resize", "Concat", "Add", "Sub", "Mul", "Clip", "Pad",
    "Transpose", "Reshape", "Flatten", "Slice", "Squeeze", "Unsqueeze", "DepthToSpace",
})  # fmt: skip
"""Operations that lose nothing, or no more than a convolution does, when they are computed narrow."""
ONE_VALUE = frozenset({"Resize", "Reshape", "Slice", "Squeeze", "Unsqueeze"})
"""Of these only the first input is a tensor of the same type; the others say how."""
PAD_VALUES = (0, 2)
BATCH_NORM = "BatchNormalization"


def narrow(model: onnx.ModelProto, to: int) -> None:
    """Change a float32 graph in place; its inputs and outputs keep their types.

    Args:
        model: the graph. Batch norms become a multiplication and an addition, for their variances may not fit.
        to: `TensorProto.FLOAT16` or `BFLOAT16`.
    """
    _Narrowing(model.graph, to).run()


class _Narrowing:
    """Walks the nodes in order; a float tensor has a wide name, a narrow name, or after a cast both."""

    def __init__(self, graph: onnx.GraphProto, to: int) -> None:
        self._graph = graph
        self._to = to
        self._constants = {constant.name: constant for constant in graph.initializer}
        self._outputs = {value.name for value in graph.output}
        self._narrow: dict[str, str] = {}
        """Narrow names, by the tensor's own."""
        self._made_narrow: set[str] = set()
        """Tensors that were computed narrow."""
        self._wide: dict[str, str] = {}
        self._nodes: list[onnx.NodeProto] = []

    def run(self) -> None:
        for node in list(self._graph.node):
            for each in self._without_norm(node):
                self._take(each)
        for name in self._outputs & self._made_narrow:
            self._as_wide(name)
        used = {name for node in self._nodes for name in node.input}
        constants = [constant for name, constant in self._constants.items() if name in used]
        del self._graph.node[:], self._graph.initializer[:], self._graph.value_info[:]
        self._graph.node.extend(self._nodes)
        self._graph.initializer.extend(constants)

    def _take(self, node: onnx.NodeProto) -> None:
        places = _value_places(node)
        taken = onnx.NodeProto()
        taken.CopyFrom(node)
        if self._may_be_narrow(node, places):
            for place in places:
                taken.input[place] = self._as_narrow(node.input[place])
            for index, name in enumerate(node.output):
                narrow_name = f"{name}_narrow" if name in self._outputs else name
                taken.output[index] = self._narrow[name] = narrow_name
                self._made_narrow.add(name)
        else:
            for place, name in enumerate(node.input):
                taken.input[place] = self._as_wide(name)
        self._nodes.append(taken)

    def _may_be_narrow(self, node: onnx.NodeProto, places: tuple[int, ...]) -> bool:
        fits = all(self._fits(node.input[place]) for place in places if node.input[place] in self._constants)
        if node.op_type in CONVOLUTIONS:
            # Depthwise ones are blurs of pictures, of pixels that are compared and shown.
            return fits and all(attribute.i == 1 for attribute in node.attribute if attribute.name == "group")
        computed = [node.input[place] for place in places if node.input[place] not in self._constants]
        return node.op_type in FOLLOWERS and fits and bool(computed) and self._made_narrow.issuperset(computed)

    def _fits(self, constant: str) -> bool:
        values = numpy_helper.to_array(self._constants[constant])
        return values.dtype == np.float32 and bool((np.abs(values) <= np.finfo(np.float16).max).all())

    def _as_narrow(self, name: str) -> str:
        if name not in self._narrow:
            self._narrow[name] = f"{name}_narrow"
            if name in self._constants:
                values = numpy_helper.to_array(self._constants[name])
                narrowed = values.astype(helper.tensor_dtype_to_np_dtype(self._to))
                self._constants[f"{name}_narrow"] = numpy_helper.from_array(narrowed, f"{name}_narrow")
            else:
                self._cast(name, f"{name}_narrow", self._to)
        return self._narrow[name]

    def _as_wide(self, name: str) -> str:
        if name not in self._made_narrow:
            return name
        if name not in self._wide:
            self._wide[name] = name if name in self._outputs else f"{name}_wide"
            self._cast(self._narrow[name], self._wide[name], TensorProto.FLOAT)
        return self._wide[name]

    def _cast(self, old: str, new: str, to: int) -> None:
        self._nodes.append(helper.make_node("Cast", [old], [new], name=f"{new}_cast", to=to))

    def _without_norm(self, node: onnx.NodeProto) -> list[onnx.NodeProto]:
        """The node, or what multiplies and adds as a batch norm of planes (batch, channels, h, w) does."""
        if node.op_type != BATCH_NORM or any(name not in self._constants for name in node.input[1:]):
            return [node]
        weight, bias, mean, variance = (numpy_helper.to_array(self._constants[name]) for name in node.input[1:])
        epsilon = next((attribute.f for attribute in node.attribute if attribute.name == "epsilon"), 1e-5)
        scale = weight / np.sqrt(variance + np.float32(epsilon))
        given, made = node.input[0], node.output[0]
        for name, values in ((f"{made}_scale", scale), (f"{made}_offset", bias - mean * scale)):
            self._constants[name] = numpy_helper.from_array(values.reshape(1, -1, 1, 1).astype(np.float32), name)
        return [
            helper.make_node("Mul", [given, f"{made}_scale"], [f"{made}_scaled"], name=f"{made}_multiply"),
            helper.make_node("Add", [f"{made}_scaled", f"{made}_offset"], [made], name=f"{made}_add"),
        ]


def _value_places(node: onnx.NodeProto) -> tuple[int, ...]:
    """Which inputs are tensors of the type that the operation computes in."""
    if node.op_type in ONE_VALUE:
        return (0,)
    places = PAD_VALUES if node.op_type == "Pad" else range(len(node.input))
    return tuple(place for place in places if place < len(node.input) and node.input[place])
