"""TensorRT engines on a fake GPU: what stays where, what is waited for, what is refused, what happens in trouble."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engines import backends, engine_files
from engines.backends.base import BackendSettings
from engines.errors import BackendError, GpuError
from puppet.choosing import open_measured
from puppet.motion import carry_masks
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame, Motion
from tests.engine_building import build_all
from tests.fake_cudart import LOST, OUT_OF_MEMORY
from tests.fake_gpu import FakeGpu
from tests.feeds import feed

PLAIN = LiveSettings(adapt_scale=False)
ONE_FRAME = {"target_shift", "target_affine"}


@pytest.fixture
def settings(tmp_path):
    return BackendSettings(threads=1, precision="fp32", engine_folder=tmp_path / "engines")


@pytest.fixture
def ready(fake_gpu, tiny_model, settings):
    """The GPU, with engines for it."""
    build_all(tiny_model, settings.engine_folder)
    return fake_gpu


@pytest.fixture
def generator(ready, tiny_model, settings):
    with backends.get("tensorrt").load(tiny_model, "generator", settings) as engine:
        yield engine


@pytest.fixture
def values(tiny_model, rng):
    return feed(tiny_model, "generator", rng)


def split(values, names=ONE_FRAME):
    """What is pinned and what comes with every frame."""
    pinned = {name: value for name, value in values.items() if name.startswith("source") or name == "features"}
    return pinned, {name: values[name] for name in names}


def picture(red: int) -> np.ndarray:
    return np.full((32, 32, 3), (red, 128, 0), np.uint8)


def test_a_run_waits_once_and_allocates_nothing(generator, ready, values):
    pinned, frame = split(values)
    generator.pin(pinned)
    generator.run(frame)
    ready.cudart.calls.clear()

    for _ in range(10):
        generator.run(frame)

    assert ready.cudart.calls == {"cudaGraphLaunch": 10, "cudaStreamSynchronize": 10}


def test_a_graph_gives_what_was_given_last(generator, values):
    pinned, frame = split(values | {"features": np.full_like(values["features"], 90)})
    generator.pin(pinned)
    seen = []
    for shift in (0.0, 0.1, -0.2):
        frame["target_shift"] = values["source_shift"] + np.float32(shift)
        seen.append(int(generator.run(frame)["image"][0, 0, 0, 0]))

    assert seen == [90, 100, 70]


def test_masks_that_are_left_out_are_the_avatars_carried_along(generator, values):
    pinned, frame = split(values)
    generator.pin(pinned)
    motions = {side: Motion(*(values[f"{side}_{name}"][0] for name in ("shift", "affine", "segmentation")))
               for side in ("source", "target")}  # fmt: skip

    carried = generator.run(frame)["carried_segmentation"][0].copy()
    given = generator.run(frame | {"target_segmentation": values["target_segmentation"]})["carried_segmentation"][0]

    np.testing.assert_allclose(carried, carry_masks(motions["source"], motions["target"]), atol=0.05)
    np.testing.assert_array_equal(given, values["target_segmentation"][0])


def test_where_nothing_can_be_captured_it_runs_all_the_same(generator, ready, values):
    ready.trt.refuses_capture = True
    pinned, frame = split(values)
    generator.pin(pinned)

    first = generator.run(frame)["image"].copy()
    second = generator.run(frame)["image"]

    np.testing.assert_array_equal(first, second)
    assert "cudaGraphLaunch" not in ready.cudart.calls


def test_a_graph_that_missed_the_engine_is_not_used(generator, ready, values):
    pinned, frame = split(values)
    generator.pin(pinned)
    ready.trt.misses_capture = True
    seen = []
    for shift in (0.0, 0.1):
        frame["target_shift"] = values["source_shift"] + np.float32(shift)
        seen.append(generator.run(frame)["image"].copy())

    assert (seen[0] != seen[1]).any()
    assert "cudaGraphLaunch" not in ready.cudart.calls


def test_an_engine_that_wants_a_tensor_on_the_host_is_refused(ready, tiny_model, settings):
    ready.trt.on_host = {"target_shift"}

    with pytest.raises(BackendError, match=r"has other tensors than its side-car says \(target_shift\)"):
        backends.get("tensorrt").load(tiny_model, "generator", settings)


def test_compiled_kernels_are_kept_and_taken_up_by_the_next_start(ready, tiny_model, settings, values, caplog):
    build_all(tiny_model, settings.engine_folder, backend="tensorrt-rtx")
    caplog.set_level("INFO")
    for _ in range(2):
        ready.cudart.has_context = False
        with backends.get("tensorrt-rtx").load(tiny_model, "generator", settings) as engine:
            engine.run(values)

    assert [path.name for path in settings.engine_folder.rglob("*.kernels")] == [
        "generator-fp32-tensorrt-rtx-sm89.kernels"
    ]
    assert "kernels are compiled anew" not in caplog.text


def test_a_gpu_that_tensorrt_rtx_does_not_know_is_named(tiny_model, monkeypatch):
    FakeGpu("NVIDIA H100", (9, 0)).install(monkeypatch)

    assert backends.get("tensorrt-rtx").why_unavailable() == (
        "TensorRT-RTX 11.3.0 knows no GPU of compute capability 9.0 (NVIDIA H100); choose another backend"
    )
    assert backends.get("tensorrt").why_unavailable() is None


def test_an_engine_whose_tensors_were_mixed_up_is_refused(ready, tiny_model, settings):
    found = engine_files.listed(settings.engine_folder)
    path = next(each.path for each in found if each.spec.role == "segmenter")
    side_car = path.with_suffix(".json")
    spec = json.loads(side_car.read_text())
    spec["outputs"].append({"name": "shift_2", "shape": [1, 2, 2], "dtype": "float32"})
    side_car.write_text(json.dumps(spec))

    with pytest.raises(BackendError, match=r"has other tensors than its side-car says \(shift_2\)"):
        backends.get("tensorrt").load(tiny_model, "segmenter", settings)


def test_an_engine_of_another_gpu_is_not_loaded(ready, tiny_model, settings, monkeypatch):
    FakeGpu("RTX 3060", (8, 6), "11.4.0").install(monkeypatch)

    with pytest.raises(BackendError) as failure:
        backends.get("tensorrt").load(tiny_model, "segmenter", settings)

    assert "was built for compute capability 8.9 with TensorRT 11.3.0; this is 8.6 with 11.4.0" in str(failure.value)


def test_a_full_gpu_is_one_sentence_and_leaves_nothing(ready, tiny_model, settings):
    ready.cudart.faults["cudaMalloc"] = OUT_OF_MEMORY

    with pytest.raises(GpuError, match=r"the GPU failed while .* MB were asked for .*its memory is full: close other"):
        backends.get("tensorrt").load(tiny_model, "segmenter", settings)


def test_what_tensorrt_cannot_read_is_refused(ready, tiny_model, settings, monkeypatch):
    monkeypatch.setattr("tests.fake_gpu.MAGIC", b"ANOTHER")

    with pytest.raises(BackendError, match=r"TensorRT cannot read .*\(magic tag does not match\); build it again"):
        backends.get("tensorrt").load(tiny_model, "segmenter", settings)


def test_auto_prefers_an_engine_that_fits(ready, tiny_model, settings):
    assert [each.name for each in backends.suitable("auto", tiny_model, settings)] == ["tensorrt", "ovino", "onnxrt"]


@pytest.mark.parametrize("fault", ["cudaStreamSynchronize", "cudaGraphLaunch"])
def test_a_lost_gpu_is_said_and_the_next_backend_goes_on(ready, tiny_model, settings, caplog, fault):
    with Puppeteer(tiny_model, backend="tensorrt", engine_settings=settings) as puppeteer:
        puppeteer.set_avatar(puppeteer.make_avatar(picture(100), name="grey"))
        puppeteer.render(Frame(picture(128), 0, 0.0), PLAIN)
        wanted = puppeteer.render(Frame(picture(179), 1, 0.1), PLAIN)
        ready.cudart.faults[fault] = LOST

        seen = [puppeteer.render(Frame(picture(179), number, 0.2), PLAIN) for number in (2, 3)]

    for rendered in seen:
        np.testing.assert_array_equal(rendered.image, wanted.image)
        np.testing.assert_allclose(rendered.target.segmentation, wanted.target.segmentation, atol=0.05)
    assert puppeteer.notice.endswith("; ovino is used from now on")
    assert "OpenVINO" in puppeteer.description
    assert "the GPU failed while" in caplog.text


def test_auto_takes_the_next_backend_when_the_gpu_is_full(ready, tiny_model, settings, caplog):
    ready.cudart.faults["cudaMalloc"] = OUT_OF_MEMORY

    with Puppeteer(tiny_model, engine_settings=settings) as puppeteer:
        assert puppeteer.notice.endswith("; ovino is used instead")
        assert "OpenVINO" in puppeteer.description


def test_a_measured_choice_that_no_longer_works_is_replaced(fake_gpu, tiny_model, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("puppet.choosing.default_path", lambda: tmp_path / "measured.json")
    monkeypatch.setattr("engines.engine_files.default_folder", lambda: tmp_path / "engines")
    build_all(tiny_model)
    (tmp_path / "measured.json").write_text(choice(tiny_model, "tensorrt"))
    fake_gpu.cudart.faults["cudaMalloc"] = OUT_OF_MEMORY

    with open_measured(tiny_model) as puppeteer:
        assert "OpenVINO" in puppeteer.description
        assert "its memory is full" in puppeteer.notice


def test_a_full_gpu_is_said_once_for_all_its_engines_and_tried_again_next_time(
    fake_gpu, tiny_model, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr("puppet.choosing.default_path", lambda: tmp_path / "measured.json")
    monkeypatch.setattr("engines.engine_files.default_folder", lambda: tmp_path / "engines")
    for precision in ("fp32", "fp16"):
        build_all(tiny_model, precision=precision)
    fake_gpu.cudart.faults["cudaMalloc"] = OUT_OF_MEMORY

    with open_measured(tiny_model) as puppeteer:
        assert "TensorRT" not in puppeteer.description
    assert not (tmp_path / "measured.json").exists()
    assert [record.message.partition(":")[0] for record in caplog.records if record.levelname == "WARNING"] == [
        "tensorrt is not used"
    ]


def choice(model, backend):
    from puppet.choosing import Choice, _machine

    found = Choice(
        machine=_machine(model, "auto", 0, is_light=False), backend=backend, precision="fp32", size=32, fps=100.0
    )
    return found.model_dump_json()


def test_timing_in_pieces_uses_trtexecs_words(generator, ready, values):
    pinned, frame = split(values)
    generator.pin(pinned)
    generator.run(frame)

    times = generator.timed(frame)

    assert ready.cudart.calls["cudaGraphLaunch"] == 1  # as trtexec does with --useCudaGraph
    assert list(times) == ["H2D Latency", "GPU Compute Time", "D2H Latency", "Enqueue Time", "Latency"]
    assert times["Latency"] == pytest.approx(0.75)
