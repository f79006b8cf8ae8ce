"""Backends: found by name, refused with a sentence, and all alike behind the seam."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from engines import backends
from engines.backends.base import BackendSettings
from engines.errors import BackendError, ModelFolderError
from engines.model_folder import ModelFolder, sha256, write_spec

ONE_THREAD = BackendSettings(threads=1)


@pytest.fixture
def backend(backend_name):
    backend = backends.get(backend_name)
    reason = backend.why_unavailable()
    if reason:
        pytest.skip(reason)
    return backend


@pytest.fixture
def generator(backend, tiny_model):
    with backend.load(tiny_model, "generator", ONE_THREAD) as engine:
        yield engine


def inputs(engine, rng) -> dict[str, np.ndarray]:
    return {
        name: rng.random(spec.shape, np.float32) if spec.dtype == "float32" else rng.random(spec.shape) > 0.5
        for name, spec in engine.inputs.items()
    }


def test_listing_backends_imports_no_vendor_package():
    code = "import sys; from engines import backends; backends.names(); print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not {"openvino", "onnxruntime", "torch", "onnx"} & set(loaded)


def test_an_unknown_backend_is_answered_with_the_known_ones():
    with pytest.raises(
        BackendError, match="no backend 'tpu'; choose auto, tensorrt, tensorrt-rtx, onnxrt-cuda, ovino or onnxrt"
    ):
        backends.get("tpu")


def test_auto_prefers_openvino(tiny_model):
    assert backends.suitable("auto", tiny_model, BackendSettings())[0].name == "ovino"


def test_auto_takes_the_next_when_the_first_is_missing(tiny_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)  # import raises ImportError

    assert backends.suitable("auto", tiny_model, BackendSettings())[0].name == "onnxrt"


def test_a_named_backend_that_is_missing_is_not_replaced(tiny_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)

    with pytest.raises(BackendError, match=r"OpenVINO cannot be imported .*pip install openvino"):
        backends.suitable("ovino", tiny_model, BackendSettings())


def test_when_none_will_do_the_message_says_why_of_each(tiny_model):
    with pytest.raises(BackendError, match=r"ovino: .*no int8 graphs.*; onnxrt: .*not in int8"):
        backends.suitable("auto", tiny_model, BackendSettings(precision="int8"))


@pytest.mark.parametrize(("name", "precision"), [("onnxrt", "bf16"), ("onnxrt", "int8"), ("ovino", "int8")])
def test_a_precision_that_is_not_there_is_refused(tiny_model, name, precision):
    with pytest.raises(BackendError, match=f"{precision}.*choose precision"):
        backends.get(name).load(tiny_model, "encoder", BackendSettings(precision=precision))


def test_bf16_is_refused_where_the_processor_lacks_it(tiny_model, monkeypatch):
    monkeypatch.setattr("engines.backends.ovino._has_bf16", lambda: False)

    with pytest.raises(BackendError, match="does not compute in bf16; choose precision fp32"):
        backends.suitable("ovino", tiny_model, BackendSettings(precision="bf16"))


@pytest.mark.parametrize(("prefers", "precision"), [(True, "bf16"), (False, "fp32")])
def test_auto_precision_is_what_openvino_would_choose(monkeypatch, prefers, precision):
    monkeypatch.setattr("engines.backends.ovino.prefers_bf16", lambda: prefers)

    assert f" {precision}, " in backends.get("ovino").describe(BackendSettings())


def test_a_description_names_runtime_precision_and_threads(backend):
    text = backend.describe(BackendSettings(threads=1, precision="fp32"))

    assert "fp32" in text
    assert "1 thread" in text or backend.needs_gpu
    assert "\n" not in text


def test_outputs_come_by_name_with_the_shapes_of_the_spec(backend, tiny_model):
    image = np.full((1, 32, 32, 3), (51, 204, 0), np.uint8)

    with backend.load(tiny_model, "segmenter", replace(ONE_THREAD, precision="fp32")) as engine:
        outputs = engine.run({"image": image})

    assert {name: output.shape for name, output in outputs.items()} == {
        name: spec.shape for name, spec in engine.outputs.items()
    }
    np.testing.assert_allclose(outputs["shift"], [[[-0.6, 0.6], [-0.6, 0.6]]], atol=1e-5)


def test_pinned_inputs_stay_until_pinned_anew(generator, rng):
    values = inputs(generator, rng)
    target = {name: values.pop(name) for name in list(values) if name.startswith("target")}
    target["target_shift"] = values["source_shift"]
    values["features"] = np.full_like(values["features"], 90)

    generator.pin(values)
    first = generator.run(target)["image"].copy()
    generator.pin({"features": values["features"] + 20})
    second = generator.run(target)["image"].copy()

    assert (first == 90).all()
    assert (second == 110).all()


def test_a_pinned_array_may_be_changed_afterwards(generator, rng):
    values = inputs(generator, rng)
    shift = values.pop("target_shift")
    generator.pin(values)
    before = generator.run({"target_shift": shift})["image"].copy()

    values["features"][:] = 255

    np.testing.assert_array_equal(generator.run({"target_shift": shift})["image"], before)


def test_read_only_and_strided_inputs_give_the_same(generator, rng):
    values = inputs(generator, rng)
    values["features"] *= 255
    expected = generator.run(values)["image"].copy()
    strided = {name: np.repeat(value, 2, axis=-1)[..., ::2] for name, value in values.items()}
    for value in strided.values():
        value.flags.writeable = False

    np.testing.assert_array_equal(generator.run(strided)["image"], expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_shift": None}, "no value for target_shift"),
        ({"shift": np.zeros(2, np.float32)}, "no input 'shift'; there are features, "),
        ({"target_shift": np.zeros((1, 3, 2), np.float32)}, r"target_shift is float32 \(1, 3, 2\), expected"),
        ({"features": np.zeros((1, 32, 32, 3))}, "features is float64"),
    ],
)
def test_a_wrong_input_is_named(generator, rng, change, message):
    values = inputs(generator, rng) | change

    with pytest.raises(ValueError, match=message):
        generator.run({name: value for name, value in values.items() if value is not None})


def test_passing_what_is_pinned_is_refused(generator, rng):
    values = inputs(generator, rng)
    generator.pin({"features": values["features"]})

    with pytest.raises(ValueError, match="features is pinned"):
        generator.run(values)


def test_bool_scalars_reach_the_graph(backend, tiny_model, rng):
    with backend.load(tiny_model, "swapper", replace(ONE_THREAD, precision="fp32")) as engine:
        values = inputs(engine, rng) | {
            "driving_image": np.full((1, 32, 32, 3), 100, np.uint8),
            "parts": np.float32([[1, 0, 1]]),
        }
        seen = [
            int(engine.run(values | {"hard": np.array(hard), "source_mask": np.array(mask)})["image"].mean())
            for hard in (False, True)
            for mask in (False, True)
        ]

    assert seen == [150, 155, 153, 158]


def test_a_closed_engine_says_so(generator, rng):
    values = inputs(generator, rng)
    generator.close()
    generator.close()

    with pytest.raises(BackendError, match=r"generator\S* is closed; load it again"):
        generator.run(values)


def test_a_graph_that_is_none_is_reported_with_its_path(backend, tiny_model, tmp_path):
    if backend.name.startswith("tensorrt"):
        pytest.skip("it loads engines, not graphs")
    spec = tiny_model.spec
    for role, entry in spec.roles.items():
        (tmp_path / entry.file).write_bytes(b"junk" if role == "encoder" else tiny_model.file(role).read_bytes())
    entry = spec.roles["encoder"].model_copy(update={"sha256": sha256(tmp_path / "encoder.onnx")})
    write_spec(tmp_path, spec.model_copy(update={"roles": {**spec.roles, "encoder": entry}}))

    with pytest.raises(BackendError, match=r"cannot load .*encoder\.onnx"):
        backend.load(ModelFolder.read(tmp_path), "encoder", ONE_THREAD)


def test_a_role_that_the_model_lacks_is_named(backend, tiny_model):
    roles = {role: entry for role, entry in tiny_model.spec.roles.items() if role != "swapper"}
    model = ModelFolder(tiny_model.path, tiny_model.spec.model_copy(update={"roles": roles}))

    with pytest.raises(ModelFolderError, match="no swapper"):
        backend.load(model, "swapper", ONE_THREAD)


def test_openvino_is_imported_without_its_telemetry():
    code = (
        "import sys, threading; from engines.backends.ovino import import_openvino; import_openvino().Core();"
        "print(*sys.modules, threading.active_count())"
    )

    *loaded, threads = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not any(name.startswith("openvino_telemetry") for name in loaded)
    assert threads == "1"
