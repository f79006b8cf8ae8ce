"""Changed graphs compute the same; with coordinates in float32 bf16 no longer moves pixels."""

from __future__ import annotations

import numpy as np
import pytest

from engines.backends.ovino import import_openvino
from engines.backends.ovino_graph import keep_coordinates, merge_doublings


def sampling_graph(corners: str, *, side: int, mode: str = "linear_onnx"):
    """A map (1, 2, 6, 6), resized and turned to (1, side, side, 2), through which a picture is read."""
    openvino = import_openvino()
    from openvino import opset13 as ops

    picture = ops.parameter([1, 3, 24, 24], np.float32, name="picture")
    planes = ops.parameter([1, 2, 6, 6], np.float32, name="planes")
    halved = ops.multiply(planes, ops.constant(np.float32(0.5)))
    resized = ops.interpolate(
        halved, np.array([side, side]), mode, "sizes", coordinate_transformation_mode=corners, axes=np.array([2, 3])
    )
    places = ops.transpose(resized, np.array([0, 2, 3, 1]))
    sampled = ops.grid_sample(picture, places, {"align_corners": True, "mode": "bilinear", "padding_mode": "border"})
    weights = ops.constant(np.eye(3, dtype=np.float32)[:, :, None, None])
    output = ops.convolution(sampled, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    return openvino.Model([output], [picture, planes])


def run(graph, rng, precision: str) -> np.ndarray:
    compiled = (
        import_openvino()
        .Core()
        .compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1})
    )
    stripes = np.where(np.arange(24) % 2, 1, 0)[None, None, None] * np.ones((1, 3, 24, 1))
    planes = np.stack(np.meshgrid(*[np.linspace(-1.9, 1.9, 6)] * 2))[None] + rng.normal(0, 0.03, (1, 2, 6, 6))
    return compiled([stripes.astype(np.float32), planes.astype(np.float32)])[0]


@pytest.mark.parametrize("corners", ["align_corners", "half_pixel", "pytorch_half_pixel"])
@pytest.mark.parametrize("side", [24, 13, 3])
def test_resizing_by_sampling_gives_the_same_numbers(corners, side):
    changed = sampling_graph(corners, side=side)
    keep_coordinates(changed)

    expected = run(sampling_graph(corners, side=side), np.random.default_rng(1), "f32")
    found = run(changed, np.random.default_rng(1), "f32")

    assert "Interpolate" not in [node.get_type_name() for node in changed.get_ordered_ops()]
    np.testing.assert_allclose(found, expected, atol=2e-4)  # places to 7 digits, stripes as steep as they get


def test_resizing_in_another_way_stays_as_it_is():
    graph = sampling_graph("asymmetric", side=24, mode="nearest")

    keep_coordinates(graph)

    assert "Interpolate" in [node.get_type_name() for node in graph.get_ordered_ops()]
    assert len(graph.outputs) == 2


def test_bf16_reads_the_same_places_as_float32():
    if "BF16" not in import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor does not compute in bf16")
    changed = sampling_graph("half_pixel", side=24)
    keep_coordinates(changed)

    expected = run(sampling_graph("half_pixel", side=24), np.random.default_rng(1), "f32")
    as_is = run(sampling_graph("half_pixel", side=24), np.random.default_rng(1), "bf16")
    found = run(changed, np.random.default_rng(1), "bf16")

    assert np.abs(found - expected).max() < 2**-8  # the value is rounded to 8 bits, the place is not
    assert np.abs(as_is - expected).max() > 3 * 2**-8


def doubling_graph(rng, *, nearest: str = "floor", scale: int = 2, strides: int = 1):
    """Planes (1, 4, 5, 7), doubled, and a 3x3 convolution with 6 outputs, bias and ReLU."""
    from openvino import opset13 as ops

    planes = ops.parameter([1, 4, 5, 7], np.float32, name="planes")
    sizes, axes = np.array([5 * scale, 7 * scale]), np.array([2, 3])
    doubled = ops.interpolate(
        planes, sizes, "nearest", "sizes", coordinate_transformation_mode="asymmetric", nearest_mode=nearest, axes=axes
    )
    weights = ops.constant(rng.normal(0, 0.2, (6, 4, 3, 3)).astype(np.float32))
    convolved = ops.convolution(doubled, weights, [strides] * 2, [1, 1], [1, 1], [1, 1])
    bias = ops.constant(rng.normal(0, 1, (1, 6, 1, 1)).astype(np.float32))
    return import_openvino().Model([ops.relu(ops.add(convolved, bias))], [planes])


def operations(graph) -> list[str]:
    return [node.get_type_name() for node in graph.get_ordered_ops()]


def test_a_merged_doubling_gives_the_same_numbers_up_to_the_border():
    planes = np.random.default_rng(2).normal(0, 1, (1, 4, 5, 7)).astype(np.float32)
    merged = doubling_graph(np.random.default_rng(1))
    merge_doublings(merged)

    expected, found = (
        import_openvino().Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([planes])[0]
        for graph in (doubling_graph(np.random.default_rng(1)), merged)
    )

    assert not {"Interpolate", "Convolution"} & set(operations(merged))
    np.testing.assert_allclose(found, expected, atol=1e-5)  # sums of 36 products in another order


@pytest.mark.parametrize("change", [{"nearest": "ceil"}, {"scale": 3}, {"strides": 2}])
def test_what_is_no_doubling_before_a_plain_convolution_stays(rng, change):
    graph = doubling_graph(rng, **change)

    merge_doublings(graph)

    assert {"Interpolate", "Convolution"} <= set(operations(graph))
