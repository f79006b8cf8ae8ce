"""Graphs made fit for TensorRT compute what the model folder's do, and hold bytes at their edges only."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra: train, tensorrt or tensorrt-rtx)")
onnxruntime = pytest.importorskip("onnxruntime")

from engines.building.carrying import with_carrying  # noqa: E402
from engines.building.graph import prepared, tensor_types  # noqa: E402
from engines.errors import BuildError  # noqa: E402
from puppet.motion import carry_masks  # noqa: E402
from puppet.types import Motion  # noqa: E402
from tests.feeds import feed  # noqa: E402

ROLES = ("segmenter", "encoder", "generator")
COORDINATES = {"GridSample", "Softmax", "Exp", "ReduceSum", "Div"}


def run(graph, values):
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, values), strict=True))


def graph(model, role, precision):
    return prepared(model.file(role), model.spec.roles[role], precision).SerializeToString()


def carrying(model, role, *, carry=False):
    """What an engine's graph takes beside the role's tensors."""
    more = with_carrying(model.spec.roles[role]).inputs[len(model.spec.roles[role].inputs) :]
    return {each.name: np.array(carry) for each in more}


@pytest.fixture(params=["bundled_model", "small_model", "small_fomm"])
def model(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("role", ROLES)
def test_fp32_gives_the_same_numbers(model, role, rng):
    values = feed(model, role, rng)

    wanted = run(str(model.file(role)), values)
    given = run(graph(model, role, "fp32"), values | carrying(model, role))

    for name in wanted:
        assert given[name].dtype == wanted[name].dtype
        np.testing.assert_array_equal(given[name], wanted[name], err_msg=name)


@pytest.mark.parametrize("role", ROLES)
def test_fp16_stays_close(model, role, rng):
    values = feed(model, role, rng)

    wanted = run(str(model.file(role)), values)
    given = run(graph(model, role, "fp16"), values | carrying(model, role))

    for name, value in wanted.items():
        # A picture may round the other way here and there; float16 has eleven bits.
        limit = 3 if value.dtype == np.uint8 else 1e-2 * max(1, np.abs(value).max())
        assert np.abs(given[name].astype(np.float64) - value).max() <= limit, name


@pytest.mark.parametrize(("precision", "narrow"), [("fp16", "FLOAT16"), ("bf16", "BFLOAT16")])
def test_convolutions_are_narrow_and_coordinates_are_not(model, precision, narrow):
    graph = prepared(model.file("generator"), model.spec.roles["generator"], precision)
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
    graph = prepared(model.file("segmenter"), model.spec.roles["segmenter"], "fp32")
    inside = {name for node in graph.graph.node for name in node.output} - {value.name for value in graph.graph.output}

    assert not any(kind == onnx.TensorProto.UINT8 for name, kind in tensor_types(graph).items() if name in inside)


def test_no_graph_has_a_product_that_turing_refuses(model):
    graphs = [prepared(model.file(role), entry, "fp32") for role, entry in model.spec.roles.items()]
    used = {node.op_type for each in graphs for node in each.graph.node}

    assert not used & {"MatMul", "Gemm", "Einsum"}


def test_what_is_no_graph_is_named(tmp_path, bundled_model):
    (tmp_path / "junk.onnx").write_bytes(b"junk")

    with pytest.raises(BuildError, match=r"junk\.onnx cannot be read as ONNX"):
        prepared(tmp_path / "junk.onnx", bundled_model.spec.roles["encoder"], "fp16")


def test_an_fp16_export_is_not_built_in_fp32(bundled_model, tmp_path):
    entry = bundled_model.spec.roles["encoder"]
    onnx.save(prepared(bundled_model.file("encoder"), entry, "fp16"), tmp_path / "half.onnx")

    with pytest.raises(BuildError, match="was exported in fp16; build it with --precision fp16"):
        prepared(tmp_path / "half.onnx", entry, "fp32")


@pytest.mark.parametrize("name", ["bundled_model", "small_model"])
def test_masks_are_carried_as_on_the_host(name, request, rng):
    model = request.getfixturevalue(name)
    values = feed(model, "generator", rng)
    values["source_segmentation"] = smooth(values["source_segmentation"])
    source, target = (
        Motion(values[f"{side}_shift"][0], values[f"{side}_affine"][0], values[f"{side}_segmentation"][0])
        for side in ("source", "target")
    )

    given = run(graph(model, "generator", "fp16"), values | carrying(model, "generator", carry=True))

    wanted = carry_masks(source, target)
    # OpenCV looks pixels up at thirty-seconds of a pixel.
    assert np.abs(given["carried_segmentation"][0] - wanted).max() < 0.02
    assert np.abs(given["carried_segmentation"][0] - wanted).mean() < 1e-3
    alike = run(graph(model, "generator", "fp32"), values | {"target_segmentation": given["carried_segmentation"]}
                | carrying(model, "generator"))  # fmt: skip
    assert np.abs(alike["image"].astype(int) - given["image"]).max() <= 3


def smooth(masks):
    """Masks as a segmenter gives them: a few broad hills."""
    small = masks[..., ::16, ::16]
    large = np.stack([cv2.resize(plane, masks.shape[2:][::-1], interpolation=cv2.INTER_CUBIC) for plane in small[0]])
    large = np.exp(6 * large)
    return (large / large.sum(axis=0))[None].astype(np.float32)
