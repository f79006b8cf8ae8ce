"""ONNX graphs as TensorRT wants them: bytes only at the edges, constants in full, arithmetic written into the types.

TensorRT takes unsigned bytes only as an input that is cast at once and as an output that was cast last (11.4 and RTX
1.7: "does not support UINT8 types for intermediate tensors"). Its networks are strongly typed: what shall be computed
in float16 must say so in the graph. No file is changed: what comes out goes straight to the parser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from engines.building.carrying import add_carrying
from engines.building.narrowing import narrow
from engines.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engines.engine_spec import EnginePrecision
    from engines.spec import RoleSpec

TYPES = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
NOT_FOR_TENSORRT = frozenset({"QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger"})


def prepared(path: Path, entry: RoleSpec, precision: EnginePrecision) -> onnx.ModelProto:
    """The graph of a model folder, ready for TensorRT's parser.

    Args:
        path: of the ONNX file; it stays as it is.
        entry: what `model.json` says of it.
        precision: of convolutions and what follows them; coordinates, softmaxes and affine algebra stay float32.

    Raises:
        BuildError: the file is no ONNX graph, or holds another arithmetic already.
    """
    try:
        model = onnx.load(path)
    except (OSError, DecodeError) as error:
        raise BuildError(f"{path} cannot be read as ONNX ({error}); import the model again") from error
    held = {node.op_type for node in model.graph.node} & NOT_FOR_TENSORRT
    if held:
        raise BuildError(f"{path} holds eight-bit arithmetic ({min(held)}); build from the fp32 model folder")
    unpack_constants(model.graph)
    is_half = any(constant.data_type == TensorProto.FLOAT16 for constant in model.graph.initializer)
    if is_half and precision != "fp16":
        raise BuildError(f"{path} was exported in fp16; build it with --precision fp16, or export it in fp32")
    keep_bytes_at_the_edges(model)
    if precision != "fp32" and not is_half:
        narrow(model, TYPES[precision])
    add_carrying(model, entry)
    return model


def unpack_constants(graph: onnx.GraphProto) -> None:
    """Replace constants that are stored in one type and cast to another by constants of that type."""
    constants = {constant.name: constant for constant in graph.initializer}
    kept, stored = [], set()
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in constants:
            values = numpy_helper.to_array(constants[node.input[0]])
            dtype = helper.tensor_dtype_to_np_dtype(node.attribute[0].i)
            graph.initializer.append(numpy_helper.from_array(values.astype(dtype), node.output[0]))
            stored.add(node.input[0])
        else:
            kept.append(node)
    used = {name for node in kept for name in node.input}
    _replace_nodes(graph, kept)
    remaining = [constant for constant in graph.initializer if constant.name in used or constant.name not in stored]
    del graph.initializer[:]
    graph.initializer.extend(remaining)


def keep_bytes_at_the_edges(model: onnx.ModelProto) -> None:
    """Let every tensor between inputs and outputs that held bytes hold the same whole numbers as float32."""
    graph = model.graph
    byte_inputs = [value.name for value in graph.input if value.type.tensor_type.elem_type == TensorProto.UINT8]
    byte_outputs = [value.name for value in graph.output if value.type.tensor_type.elem_type == TensorProto.UINT8]
    types = tensor_types(model)
    inside = {name: f"{name}_whole" for name in (*byte_inputs, *byte_outputs)}
    nodes = [helper.make_node("Cast", [name], [inside[name]], name=f"{name}_in", to=TensorProto.FLOAT)
             for name in byte_inputs]  # fmt: skip
    for node in graph.node:
        is_to_bytes = node.op_type == "Cast" and node.attribute[0].i == TensorProto.UINT8
        is_from_bytes = node.op_type == "Cast" and types.get(node.input[0]) == TensorProto.UINT8
        _rename(node, lambda name: inside.get(name, name))
        if is_to_bytes or (is_from_bytes and node.attribute[0].i == TensorProto.FLOAT):
            node = helper.make_node("Identity", node.input, node.output, name=node.name)
        nodes.append(node)
    nodes += [helper.make_node("Cast", [inside[name]], [name], name=f"{name}_out", to=TensorProto.UINT8)
              for name in byte_outputs]  # fmt: skip
    _replace_nodes(graph, without_identities(nodes, {value.name for value in graph.output}))
    del graph.value_info[:]


def without_identities(nodes: list[onnx.NodeProto], outputs: set[str]) -> list[onnx.NodeProto]:
    """The nodes but those that only pass a tensor on; an output's name stays."""
    renamed: dict[str, str] = {}
    kept = []
    for node in nodes:
        _rename(node, lambda name: renamed.get(name, name))
        if node.op_type == "Identity" and node.output[0] not in outputs:
            renamed[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    return kept


def tensor_types(model: onnx.ModelProto) -> dict[str, int]:
    """The element type of every tensor, by name."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    types = {constant.name: constant.data_type for constant in inferred.initializer}
    for value in (*inferred.input, *inferred.output, *inferred.value_info):
        types[value.name] = value.type.tensor_type.elem_type
    return types


def _rename(node: onnx.NodeProto, new: Callable[[str], str]) -> None:
    for names in (node.input, node.output):
        for index, name in enumerate(names):
            names[index] = new(name)


def _replace_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    copies = [_copy(node) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)


def _copy(node: onnx.NodeProto) -> onnx.NodeProto:
    copied = onnx.NodeProto()
    copied.CopyFrom(node)
    return copied
