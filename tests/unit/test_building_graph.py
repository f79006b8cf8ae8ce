"""Graphs made fit for TensorRT compute what the model folder's do, and hold bytes at their edges only."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra: train, tensorrt or tensorrt-rtx)")
onnxruntime = pytest.importorskip("onnxruntime")

from engines.building.graph import prepared, tensor_types  # noqa: E402
from engines.errors import BuildError  # noqa: E402
from tests.feeds import feed  # noqa: E402

ROLES = ("segmenter", "encoder", "generator")
COORDINATES = {"GridSample", "Softmax", "Exp", "ReduceSum", "Div"}


def run(graph, values):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, values), strict=True))


@pytest.fixture(params=["bundled_model", "small_model", "small_fomm"])
def model(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("role", ROLES)
def test_fp32_gives_the_same_numbers(model, role, rng):
    values = feed(model, role, rng)

    wanted = run(str(model.file(role)), values)
    given = run(prepared(model.file(role), "fp32").SerializeToString(), values)

    assert {name: value.dtype for name, value in given.items()} == {name: v.dtype for name, v in wanted.items()}
    for name in wanted:
        np.testing.assert_array_equal(given[name], wanted[name], err_msg=name)


@pytest.mark.parametrize("role", ROLES)
def test_fp16_stays_close(model, role, rng):
    values = feed(model, role, rng)

    wanted = run(str(model.file(role)), values)
    given = run(prepared(model.file(role), "fp16").SerializeToString(), values)

    for name, value in wanted.items():
        # A picture may round the other way here and there; float16 has eleven bits.
        limit = 3 if value.dtype == np.uint8 else 1e-2 * max(1, np.abs(value).max())
        assert np.abs(given[name].astype(np.float64) - value).max() <= limit, name


@pytest.mark.parametrize(("precision", "narrow"), [("fp16", "FLOAT16"), ("bf16", "BFLOAT16")])
def test_convolutions_are_narrow_and_coordinates_are_not(model, precision, narrow):
    graph = prepared(model.file("generator"), precision)
    types = {constant.name: constant.data_type for constant in graph.graph.initializer}
    if precision == "fp16":  # the checker knows no convolution of bfloat16, TensorRT does
        types |= tensor_types(graph)
    narrow_type = getattr(onnx.TensorProto, narrow)
    convolutions = [node for node in graph.graph.node if node.op_type == "Conv" and not is_depthwise(node)]

    assert all(types[node.input[1]] == narrow_type for node in convolutions)
    assert not any(
        types.get(name) == narrow_type
        for node in graph.graph.node
        if node.op_type in COORDINATES
        for name in node.input
    )


def is_depthwise(node):
    return any(attribute.name == "group" and attribute.i > 1 for attribute in node.attribute)


def test_bytes_are_at_the_edges_only(model):
    graph = prepared(model.file("segmenter"), "fp32")
    inside = {name for node in graph.graph.node for name in node.output} - {value.name for value in graph.graph.output}

    assert not any(kind == onnx.TensorProto.UINT8 for name, kind in tensor_types(graph).items() if name in inside)


def test_no_graph_has_a_product_that_turing_refuses(model):
    used = {node.op_type for role in model.spec.roles for node in prepared(model.file(role), "fp32").graph.node}

    assert not used & {"MatMul", "Gemm", "Einsum"}


def test_what_is_no_graph_is_named(tmp_path):
    (tmp_path / "junk.onnx").write_bytes(b"junk")

    with pytest.raises(BuildError, match=r"junk\.onnx cannot be read as ONNX"):
        prepared(tmp_path / "junk.onnx", "fp16")


def test_an_fp16_export_is_not_built_in_fp32(bundled_model, tmp_path):
    onnx.save(prepared(bundled_model.file("encoder"), "fp16"), tmp_path / "half.onnx")

    with pytest.raises(BuildError, match="was exported in fp16; build it with --precision fp16"):
        prepared(tmp_path / "half.onnx", "fp32")
