"""Keeps coordinates in float32 when OpenVINO computes in bfloat16.

With the bf16 hint OpenVINO (2026.4) leaves float32 only what lies between an output and the last convolutions or
resizings before it. Coordinates in bf16 are steps of up to half a pixel in a picture of 256; with what is done here
pictures of the compact family come within a tenth of a level of float32, instead of five, and take no longer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_RESHAPING = ("Transpose", "Reshape", "Unsqueeze", "Squeeze")
_CORNERS = {"align_corners": True, "half_pixel": False, "pytorch_half_pixel": False}


def keep_coordinates(graph: Any) -> None:
    """Change an OpenVINO graph in place so that every map that pixels are read through is computed in float32.

    Resizings of such a map become samplings of it, which have no bf16 form, and the map becomes an output too.
    """
    from openvino import opset13

    for sampling in graph.get_ordered_ops():
        if sampling.get_type_name() != "GridSample":
            continue
        node = sampling.input_value(1).get_node()
        while node.get_type_name() in _RESHAPING:
            node = node.input_value(0).get_node()
        if _is_bilinear(node):
            attributes = {"align_corners": True, "mode": "bilinear", "padding_mode": "border"}
            places = opset13.constant(_places(node))
            node.output(0).replace(opset13.grid_sample(node.input_value(0), places, attributes).output(0))
        graph.add_outputs(sampling.input_value(1))


def _is_bilinear(node: Any) -> bool:
    """Whether a node resizes planes (1, channels, h, w) in a way that `_places` knows."""
    if node.get_type_name() != "Interpolate" or len(node.get_output_shape(0)) != 4:
        return False
    attributes = node.get_attributes()
    return attributes["mode"] == "linear_onnx" and attributes["coordinate_transformation_mode"] in _CORNERS


def _places(node: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Where each pixel of a resized plane reads the plane, float32 (1, H, W, 2), x then y, corners aligned."""
    aligned = _CORNERS[node.get_attributes()["coordinate_transformation_mode"]]
    axes = []
    for axis in (3, 2):
        before, after = node.input_value(0).get_shape()[axis], node.get_output_shape(0)[axis]
        if aligned:
            axes.append(np.linspace(-1, 1, after))
        else:
            axes.append(2 * ((np.arange(after) + 0.5) * before / after - 0.5) / (before - 1) - 1)
    return np.stack(np.meshgrid(*axes), axis=-1)[None].astype(np.float32)
