"""The GPU report: gathered on a fake GPU, and written so that every figure and every gap can be read."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not installed (extra: train, tensorrt or tensorrt-rtx)")

from engines.gpu_peer import GpuPeer
from engines.model_folder import ModelFolder
from tests.fake_gpu import FakeGpu
from tools import gpu_figures, gpu_parts, gpu_report
from tools.gpu_figures import COMPILED, EAGER, Check, Device, Figures, GpuReport, ModelFigures, Way

RTX_4090 = Device(name="RTX 4090", capability="8.9", memory_gib=24.0, driver="13.0", cuda="13.0")


def way(name, p50, **more):
    return Way(name=name, description=f"{name} there", frame=Figures(mean=p50, p50=p50, p90=p50, p99=2 * p50), **more)


def report(*ways, model="vox-10", **changes):
    values = {
        "made_at": datetime(2026, 1, 2, tzinfo=timezone.utc), "seconds": 300.0, "device": RTX_4090,
        "backend": "TensorRT 11.3.0, RTX 4090", "platform": "Linux", "packages": {"torch": "2.13.0"},
        "models": (ModelFigures(model=model, family="mcs", size=256, ways=ways),), "checks": (), "missing": (),
    }  # fmt: skip
    return GpuReport(**(values | changes))


def test_targets_compare_the_fastest_of_ours_with_each_peer():
    made = report(
        way("tensorrt fp16", 1.0, psnr=50.0), way("tensorrt fp32", 2.0, psnr=60.0), way(EAGER, 7.0), way(COMPILED, 2.5)
    )

    assert [(each.found, each.is_met) for each in gpu_figures.targets(made)] == [
        ("1.00 ms", True),
        ("7.0 times as fast", False),
        ("2.5 times as fast", True),
        ("50.0 dB", True),
        ("not measured", None),
    ]


def test_what_was_not_measured_is_said_and_never_counts_as_met():
    made = report(models=(), missing=("vox-10: PyTorch cannot be imported",))

    assert {each.is_met for each in gpu_figures.targets(made)} == {None}
    assert "- vox-10: PyTorch cannot be imported" in gpu_figures.render(made)


def test_the_page_holds_every_figure():
    pieces = {"segmenter": {"GPU Compute Time": Figures(mean=0.11, p50=0.1, p90=0.12, p99=0.2)}}
    made = report(
        way("tensorrt fp16", 1.5, psnr=47.25, build_s=80.0, megabytes=90.0, pieces=pieces),
        checks=(Check(name="test_a", outcome="passed"), Check(name="test_b", outcome="failed", detail="7 != 8")),
    )

    page = gpu_figures.render(made)

    assert page.startswith("# RTX 4090\n")
    assert "| tensorrt fp16 | 1.50 | 1.50 | 3.00 | 667 | 47.2 dB | 80 s | 90.0 MB |" in page
    assert "| segmenter | GPU Compute Time | 0.110 | 0.100 | 0.120 | 0.200 |" in page
    assert "- failed: test_b: 7 != 8" in page
    assert "| vox-10, whole frame with copies, p50 | under 1.2 ms | 1.50 ms | **not met** |" in page


def test_a_peer_that_keeps_the_avatar_paints_what_one_that_does_not_paints(small_model, rng):
    driving = rng.integers(0, 256, (256, 256, 3), np.uint8)
    painted = []
    for is_cached in (False, True):
        peer = GpuPeer(small_model.spec, way="eager fp32", is_cached=is_cached, device="cpu")
        peer.set_avatar(driving[::-1].copy())
        painted.append(peer.render(driving))

    np.testing.assert_array_equal(*painted)
    assert painted[0].shape == (256, 256, 3)


def test_without_a_gpu_there_is_nothing_to_report(tmp_path, capsys):
    assert gpu_report.main(["--output", str(tmp_path / "reports")]) == 2
    assert capsys.readouterr().err.startswith("error: CUDA")
    assert not (tmp_path / "reports").exists()


def test_a_folder_that_cannot_be_made_is_said_before_anything_is_measured(fake_gpu, tmp_path, capsys):
    (tmp_path / "file").touch()

    assert gpu_report.main(["--output", str(tmp_path / "file" / "reports")]) == 2
    assert "reports cannot be made (Not a directory); choose another with --output" in capsys.readouterr().err


def test_without_any_backend_every_reason_is_said(tmp_path, monkeypatch, fake_onnxruntime, capsys):
    FakeGpu("NVIDIA H100", (9, 0)).install(monkeypatch)
    monkeypatch.setattr(
        "engines.backends.trt.TensorRtBackend.why_unavailable", lambda backend: f"{backend.name} is not"
    )
    fake_onnxruntime.providers = []

    assert gpu_report.main(["--output", str(tmp_path)]) == 2
    assert "tensorrt: tensorrt is not; tensorrt-rtx: " in (said := capsys.readouterr().err)
    assert "; onnxrt-cuda: this ONNX Runtime " in said


def test_what_stands_in_for_tensorrt_is_said_with_the_reason(monkeypatch, fake_onnxruntime):
    FakeGpu("NVIDIA H100", (9, 0)).install(monkeypatch)
    monkeypatch.setattr(
        "engines.backends.trt.TensorRtBackend.why_unavailable", lambda backend: f"{backend.name} is not"
    )

    backend, reason = gpu_report._backend()
    page = gpu_figures.render(report(backend=backend, stand_in=reason))

    assert backend == "onnxrt-cuda"
    assert "- It stands in for TensorRT: tensorrt: tensorrt is not; tensorrt-rtx: tensorrt-rtx is not\n" in page


def test_the_stand_in_is_compared_and_measured_in_half_precision(fake_onnxruntime, tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_parts, "MEASURED_S", 0.0)

    made = gpu_parts._as_it_is(tiny_model, "fp16", tmp_path, title="onnxrt-cuda fp16")

    assert made.psnr > 40
    assert ModelFolder.read(tmp_path / "tiny-fp16").spec.precision == "fp16"
    assert made.description.endswith(", CUDA, fp16")


TESTS = """
import pytest

def test_good(): pass
def test_bad(): assert 7 == 8
@pytest.mark.skip(reason="no TensorRT")
def test_left_out(): pass
"""
OPTION = """
import pytest

def pytest_addoption(parser): parser.addoption("--engine-timings")
def pytest_collection_modifyitems(items):
    for item in items: item.add_marker(pytest.mark.gpu)
"""


@pytest.fixture
def run(fake_gpu, tiny_model, tmp_path, monkeypatch):
    """Runs some of the parts on the fake GPU; a few of them may crash, hang or fail."""

    def run(titles, *, fates=None, flags=()) -> GpuReport:
        wanted = {"model": str(tiny_model.path), "tests": str(tmp_path / "tests"), "fates": fates or {}}
        chosen = [part for part in gpu_report.parts("tensorrt") if f"{part.model} {part.title}".strip() in titles]
        monkeypatch.setattr(gpu_report, "PART", (sys.executable, "-m", "tests.fake_gpu_part", json.dumps(wanted)))
        monkeypatch.setattr(gpu_report, "parts", lambda backend: chosen)
        monkeypatch.setattr(gpu_report, "BUNDLED_FOLDER", tiny_model.path)
        assert gpu_report.main(["--output", str(tmp_path / "reports"), *flags]) == 0
        (written,) = (tmp_path / "reports").glob("*-rtx-4090.json")
        made = GpuReport.model_validate_json(written.read_text())
        assert written.with_suffix(".md").read_text() == gpu_figures.render(made)
        return made

    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text(OPTION)
    (tmp_path / "tests" / "test_some.py").write_text(TESTS)
    return run


def test_everything_is_gathered_and_what_is_not_is_named(run):
    made = run(["default tensorrt fp16", "export of vox-10", "vox-10 tensorrt fp16", f"vox-10 {EAGER}", "tests/gpu"])

    assert [(each.model, [way.name for way in each.ways]) for each in made.models] == [
        ("default", ["tensorrt fp16"]),
        ("vox-10", ["tensorrt fp16"]),
    ]
    assert made.models[0].ways[0].psnr > 45
    assert {"segmenter", "whole frame"} <= made.models[1].ways[0].pieces.keys()
    assert [(each.name, each.outcome) for each in made.checks] == [
        ("test_good", "passed"), ("test_bad", "failed"), ("test_left_out", "skipped"),
    ]  # fmt: skip
    assert (made.checks[1].detail, made.checks[2].detail) == ("assert 7 == 8", "no TensorRT")
    assert made.stand_in is None
    (sentence,) = made.missing
    assert sentence.startswith(f"vox-10, {EAGER}: PyTorch ")


def test_parts_that_crash_hang_or_fail_take_nothing_else_along(run, monkeypatch):
    monkeypatch.setattr(
        gpu_report.Part, "limit_s", lambda part, left: 2.0 if part.title == "export of vox-10" else left
    )
    fates = {"tensorrt fp16": "crash", "export of vox-10": "hang", EAGER: "fail"}
    wanted = ["default tensorrt fp16", "export of vox-10", "vox-10 tensorrt fp16", f"default {EAGER}"]

    made = run([*wanted, "default tensorrt fp32"], fates=fates)

    assert [way.name for way in made.models[0].ways] == ["tensorrt fp32"]
    assert made.missing == (
        "default, tensorrt fp16: it ended with 134 (an illegal memory access was encountered)",
        "export of vox-10: not finished in 2 s",
        "vox-10, tensorrt fp16: there is no vox-10 to measure",
        f"default, {EAGER}: it ended with 1 (MemoryError: CUDA out of memory)",
    )


def test_when_the_time_is_up_the_rest_is_named(run):
    made = run(["default tensorrt fp16", "tests/gpu"], flags=["--seconds", "1"])

    assert made.models[0].ways == ()
    assert made.missing == ("default, tensorrt fp16: no time was left", "tests/gpu: no time was left")


@pytest.mark.parametrize("backend", gpu_report.ENGINES)
def test_the_most_wanted_parts_come_first(backend):
    order = [f"{part.model} {part.title}".strip() for part in gpu_report.parts(backend)]

    assert order[:4] == [f"default {backend} fp16", "export of vox-10", f"vox-10 {backend} fp16", f"vox-10 {EAGER}"]
    assert len(order) == len(set(order)) == 12
