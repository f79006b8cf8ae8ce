"""Eight-bit copies of a model: smaller, close to the original, with segmenter and motion as they were."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from engines import backends, families
from engines.backends.base import BackendSettings
from engines.errors import ExportError
from engines.export import export_model, seeded_picture
from engines.quantisation import FLOAT_LAYERS, FLOAT_ROLES, quantise

CLIPS = [[seeded_picture(128, seed=seed)[0].numpy() for seed in (1, 2)], [seeded_picture(128, seed=3)[0].numpy()]]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantised")
    configuration = {"size": 128, "blocks": 1}
    original = export_model(
        families.build("compact", configuration).eval(), folder / "fp32", name="seeded", licence="CC0-1.0",
        provenance="random weights", configuration=configuration, rounded=True,
    )  # fmt: skip
    return original, quantise(original, CLIPS, folder / "int8")


def test_convolutions_are_eight_bit_but_for_segmenter_and_motion(both):
    original, quantised = both
    assert quantised.spec.roles["segmenter"] == original.spec.roles["segmenter"]
    assert quantised.file("segmenter").read_bytes() == original.file("segmenter").read_bytes()
    for role in quantised.spec.roles.keys() - set(FLOAT_ROLES):
        graph = onnx.load(quantised.file(role)).graph
        made = {name: node.op_type for node in graph.node for name in node.output}
        for node in graph.node:
            if node.op_type == "Conv":
                is_float = any(layer in node.input[1] for layer in FLOAT_LAYERS)
                assert (made.get(node.input[1]) == "DequantizeLinear") is not is_float, node.input[1]


def test_it_is_smaller_and_says_how_far_it_is_from_the_original(both):
    original, quantised = both

    assert (quantised.spec.name, quantised.spec.precision) == ("seeded-int8", "int8")
    assert quantised.file("generator").stat().st_size < 0.7 * original.file("generator").stat().st_size
    assert 0 < quantised.spec.roles["generator"].parity["image"].mean_difference < 3


@pytest.mark.parametrize("backend", ["ovino", "onnxrt"])
def test_every_backend_runs_it_close_to_the_original(both, backend):
    precision = "int8" if backend == "ovino" else "fp32"
    given = {"shift": [], "eighth": []}
    for model, kind in zip(both, ("fp32", precision), strict=True):
        settings = BackendSettings(threads=1, precision=kind)
        for role, name in (("segmenter", "shift"), ("encoder", "eighth")):
            with backends.get(backend).load(model, role, settings) as engine:
                given[name].append(engine.run({"image": CLIPS[0][0][None]})[name].copy())

    np.testing.assert_allclose(*given["shift"], atol=0.05)
    original, quantised = given["eighth"]
    assert np.abs(original - quantised).mean() < 0.1 * np.abs(original).mean()


def test_what_cannot_be_quantised_is_refused(both, tmp_path):
    with pytest.raises(ExportError, match="only compact in fp32"):
        quantise(both[1], CLIPS, tmp_path / "again")
    with pytest.raises(ExportError, match="no frames to calibrate on"):
        quantise(both[0], [], tmp_path / "none")
