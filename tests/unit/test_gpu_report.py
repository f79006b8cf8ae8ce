"""The GPU report: gathered on a fake GPU, and written so that every figure and every gap can be read."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not installed (extra: train, tensorrt or tensorrt-rtx)")

from engines.building import benchmark
from engines.gpu_peer import GpuPeer
from tests.engine_specs import RTX_4090
from tools import gpu_figures, gpu_report
from tools.gpu_figures import COMPILED, EAGER, Check, Figures, GpuReport, ModelFigures, Way


def way(name, p50, **more):
    return Way(name=name, description=f"{name} there", frame=Figures(mean=p50, p50=p50, p90=p50, p99=2 * p50), **more)


def report(*ways, model="vox-10", **changes):
    values = {
        "made_at": datetime(2026, 1, 2, tzinfo=timezone.utc), "seconds": 300.0, "machine": RTX_4090,
        "memory_gib": 24.0, "platform": "Linux", "packages": {"torch": "2.13.0"},
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


def test_outcomes_are_read_off_pytests_own_report(tmp_path):
    (tmp_path / "tests.xml").write_text(
        '<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure message="7 != 8&#10;more"/></testcase>'
        '<testcase name="c"><skipped message="no TensorRT"/></testcase></testsuite></testsuites>'
    )

    assert [(each.name, each.outcome, each.detail) for each in gpu_report.read_checks(tmp_path / "tests.xml")] == [
        ("a", "passed", ""),
        ("b", "failed", "7 != 8"),
        ("c", "skipped", "no TensorRT"),
    ]


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
    assert capsys.readouterr().err.startswith("error: no TensorRT with a GPU is here")
    assert not (tmp_path / "reports").exists()


@pytest.fixture
def quick(monkeypatch, tiny_model):
    """The tiny model for the bundled one, and hardly any time for anything."""
    monkeypatch.setattr(gpu_report, "BUNDLED", tiny_model.path)
    monkeypatch.setattr(gpu_report, "_published", lambda gathering, folder: None)
    monkeypatch.setattr(gpu_report, "_run_tests", lambda gathering, result: [Check(name="test_a", outcome="passed")])
    monkeypatch.setattr(gpu_report, "MEASURED_S", 0.0)
    monkeypatch.setattr(gpu_report, "WARM_UP", 2)
    monkeypatch.setattr(benchmark, "LEAST", 2)
    monkeypatch.setattr(benchmark, "WARM_UP_S", 0.0)
    measure = benchmark.measure
    monkeypatch.setattr(benchmark, "measure", lambda *given, **more: measure(*given, **(more | {"seconds": 0.0})))


def test_everything_is_gathered_and_what_is_not_is_named(fake_gpu, quick, tmp_path, capsys):
    assert gpu_report.main(["--output", str(tmp_path)]) == 0

    made = GpuReport.model_validate_json(
        (tmp_path / f"{datetime.now(timezone.utc):%Y-%m-%d}-rtx-4090.json").read_text()
    )
    (model,) = made.models
    assert [each.name for each in model.ways] == ["tensorrt fp16", "tensorrt fp32"]
    assert model.ways[1].psnr == 120
    assert {"segmenter", "whole frame"} <= model.ways[0].pieces.keys()
    assert len(made.missing) == 3
    assert all("finds no GPU" in sentence or "PyTorch cannot be imported" in sentence for sentence in made.missing)
    assert (tmp_path / f"{made.made_at:%Y-%m-%d}-rtx-4090.md").read_text() == gpu_figures.render(made)


def test_when_the_time_is_up_the_rest_is_named(fake_gpu, quick, tmp_path):
    assert gpu_report.main(["--output", str(tmp_path), "--seconds", "1"]) == 0

    made = GpuReport.model_validate_json(next(tmp_path.glob("*.json")).read_text())
    assert made.models[0].ways == ()
    assert all(sentence.endswith("no time was left") for sentence in made.missing)
