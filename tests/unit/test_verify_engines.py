"""Engines on a fake GPU are compared with ONNX Runtime and measured; one that computes something else is deleted."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not installed (extra: train, tensorrt or tensorrt-rtx)")

from engines import engine_files
from engines.building import benchmark, command, options
from engines.building.samples import pictures
from engines.building.verify import compared, verify
from engines.errors import BuildError
from puppet import config
from tests.engine_building import build_all
from tests.fake_gpu import FakeGpu


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(benchmark, "WARM_UP_S", 0.0)
    monkeypatch.setattr(benchmark, "MEASURED_S", 0.0)
    monkeypatch.setattr(benchmark, "LEAST", 3)


def files(folder, role="generator"):
    return [found for found in engine_files.listed(folder) if found.spec.role == role]


def build(model, folder, *flags):
    return command.main([str(model.path), "--output", str(folder), "--backend", "tensorrt", *flags])


def test_the_tool_builds_verifies_and_measures(fake_gpu, tiny_model, tmp_path, capsys):
    assert build(tiny_model, tmp_path, "--precision", "fp32", "--benchmark") == 0

    told = capsys.readouterr().err
    assert "image: greatest difference 0, mean 0, 120.0 dB" in told
    assert "verifying tiny generator fp32: " in told
    assert "tiny segmenter: GPU Compute Time: min = 0.250 ms, max = 0.250 ms, mean = 0.250 ms, median" in told
    assert "tiny whole frame: Throughput: " in told
    for found in engine_files.listed(tmp_path):
        assert found.spec.latency.p50 > 0
        assert all(parity.max_difference < 1e-3 for parity in found.spec.parity.values())
    assert {"image", "carried_segmentation"} == files(tmp_path)[0].spec.parity.keys()


def test_without_a_name_both_bundled_models_are_meant() -> None:
    assert [model.spec.name for model in command.bundled()] == ["default", "default-m"]
    assert options.parser([]).parse_args([]).models == []


def test_what_is_there_is_verified_without_building_it_again(fake_gpu, tiny_model, tmp_path, capsys):
    assert build(tiny_model, tmp_path, "--precision", "fp32", "--no-verify") == 0
    before = files(tmp_path)[0]
    assert not before.spec.parity

    assert build(tiny_model, tmp_path, "--precision", "fp32") == 0

    after = files(tmp_path)[0]
    assert after.spec.parity
    assert after.spec.built_at == before.spec.built_at
    assert "4 of 4 engines are there and fit" in capsys.readouterr().err


def test_the_bundled_generator_keeps_45_db_in_half_precision(fake_gpu, bundled_model, tmp_path):
    build_all(bundled_model, tmp_path, precision="fp16")

    parity = verify(files(tmp_path)[0], bundled_model, pictures(bundled_model, config.avatars()[:2]))

    assert parity["image"].psnr > 45
    assert parity["carried_segmentation"].max_difference < 1e-3


@pytest.mark.parametrize(
    ("role", "output", "spoil", "sentence"),
    [
        ("generator", "image", lambda value: value ^ 16, r"image of generator-fp32-\S+ has 2\d\.\d dB against"),
        ("segmenter", "shift", lambda value: value + 0.01, r"shift of segmenter-fp32-\S+ differs .* by 0\.01"),
        ("segmenter", "affine", lambda value: value * np.float32("nan"), r"affine of .* differs .* by 1e\+30"),
    ],
)
def test_a_failed_check_names_the_output_and_leaves_no_engine(
    fake_gpu, tiny_model, tmp_path, role, output, spoil, sentence
):
    build_all(tiny_model, tmp_path)
    fake_gpu.trt.spoil = lambda name, value: spoil(value).astype(value.dtype) if name == output else value

    with pytest.raises(BuildError, match=sentence):
        verify(files(tmp_path, role)[0], tiny_model, pictures(tiny_model, []))

    assert not files(tmp_path, role)
    assert len(list(engine_files.listed(tmp_path))) == 3


def test_pictures_that_are_none_are_named(fake_gpu, tiny_model, tmp_path, capsys):
    (tmp_path / "text.png").write_text("no picture")

    assert build(tiny_model, tmp_path / "engines", "--pictures", str(tmp_path / "text.png")) == 2

    assert "text.png is no picture; name another one with --pictures" in capsys.readouterr().err


def test_equal_pictures_have_no_infinite_psnr():
    same = [{"image": np.zeros((2, 2, 3), np.uint8)}]

    parity = compared(same, same)

    assert parity["image"].psnr == 120
    assert json.loads(parity["image"].model_dump_json())["max_difference"] == 0


def test_classic_tensorrt_builds_for_its_own_gpu_only(fake_gpu, tiny_model, tmp_path, capsys):
    assert build(tiny_model, tmp_path, "--computeCapability", "sm75") == 2

    assert capsys.readouterr().err == (
        "error: TensorRT builds for the GPU of this machine only (RTX 4090); leave out --computeCapability, or take "
        "--backend tensorrt-rtx\n"
    )


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--versionCompatible"], "--versionCompatible: TensorRT-RTX lacks the runtime for it"),
        (["--timingCacheFile", "timings"], "--timingCacheFile: TensorRT-RTX times nothing when it builds"),
    ],
)
def test_what_tensorrt_rtx_cannot_do_is_refused(fake_gpu, tiny_model, capsys, flags, sentence):
    assert command.main([str(tiny_model.path), "--backend", "tensorrt-rtx", *flags]) == 2

    assert capsys.readouterr().err.startswith(f"error: {sentence}")


def test_a_graph_that_needs_a_plugin_is_refused(fake_gpu, tiny_model, tmp_path, monkeypatch, capsys):
    layer = SimpleNamespace(type="LayerType.PLUGIN_V3", name="GridSample3D")
    network = SimpleNamespace(num_layers=1, get_layer=lambda index: layer)
    monkeypatch.setattr("tests.fake_gpu._Builder.create_network", lambda builder, flags: network)

    assert build(tiny_model, tmp_path) == 2

    assert "the graph needs plugins (GridSample3D); export the model again" in capsys.readouterr().err


def test_options_reach_the_builder(fake_gpu, tiny_model, tmp_path):
    flags = ["--memPoolSize", "workspace:64", "--builderOptimizationLevel", "5", "--versionCompatible"]

    assert build(tiny_model, tmp_path, "--precision", "fp32", *flags) == 0

    options = files(tmp_path)[0].spec.options
    assert (options.workspace_mib, options.optimisation, options.version_compatible) == (64, 5, True)
    config = fake_gpu.trt.configs[-1]
    assert config.settings == {"workspace": 64 << 20}
    assert config.builder_optimization_level == 5
    assert config.flags == {"version compatible", "user"}


@pytest.mark.parametrize(("backend", "wanted"), [("tensorrt-rtx", {0: 89}), ("tensorrt", {})])
def test_tensorrt_rtx_is_told_which_gpu_is_here(fake_gpu, tiny_model, tmp_path, backend, wanted):
    build_all(tiny_model, tmp_path, backend=backend)

    assert fake_gpu.trt.configs[-1].capabilities == wanted


def test_tensorrt_rtx_builds_nothing_for_a_data_centre_gpu(tiny_model, tmp_path, monkeypatch, capsys):
    FakeGpu("NVIDIA H100", (9, 0)).install(monkeypatch)

    assert command.main([str(tiny_model.path), "--backend", "tensorrt-rtx", "--output", str(tmp_path)]) == 2

    assert capsys.readouterr().err.startswith(
        "error: TensorRT-RTX 11.3.0 knows no GPU of compute capability 9.0 (NVIDIA H100); name the GPUs to build for"
    )


def test_verifying_needs_the_gpu_that_is_built_for(fake_gpu, tiny_model, tmp_path, capsys):
    wanted = ["--backend", "tensorrt-rtx", "--computeCapability", "sm75", "--verify", "--output", str(tmp_path)]

    assert command.main([str(tiny_model.path), *wanted]) == 2

    assert "--verify and --benchmark need the GPU that is built for" in capsys.readouterr().err


def test_the_timing_cache_is_kept_beside_the_engines(fake_gpu, tiny_model, tmp_path):
    build(tiny_model, tmp_path, "--precision", "fp32")

    assert [path.name for path in (tmp_path / "timing").iterdir()] == ["tensorrt-11.3.0-RTX_4090.cache"]
