"""What could be built for this machine is found, offered in a sentence, and built in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engines.errors import BuildError
from puppet import app, engine_builds
from puppet.engine_builds import Missing, Step, build_now, missing
from tests.engine_building import build_all
from tests.fake_gpu import FakeGpu


@pytest.fixture(autouse=True)
def _engines(monkeypatch, tmp_path):
    monkeypatch.setattr("engines.engine_files.default_folder", lambda: tmp_path / "engines")


def test_where_there_is_no_gpu_there_is_nothing_to_build(tiny_model):
    assert missing(tiny_model.path) is None


def test_a_gpu_without_engines_is_an_offer(fake_gpu, tiny_model):
    found = missing(tiny_model.path)

    assert (found.backend, found.device) == ("tensorrt", "RTX 4090")
    assert found.sentence.startswith("RTX 4090 can run the model: TensorRT engines for it")
    assert found.command[:3] == ["-m", "engines.building", str(tiny_model.path)]


def test_engines_that_fit_are_no_offer(fake_gpu, tiny_model):
    build_all(tiny_model, precision="fp16")

    assert missing(tiny_model.path) is None


def test_the_larger_sister_is_built_too(fake_gpu, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train)")
    from tests.tiny_model import write

    model, larger = write(tmp_path / "tiny"), write(tmp_path / "tiny-m", can_enlarge=True)
    assert missing(model.path).models == (model.path, larger.path)

    build_all(model, precision="fp16")
    found = missing(model.path)
    assert found.command[2:4] == [str(larger.path), "--backend"]
    build_all(larger, precision="fp16")
    assert missing(model.path) is None


def test_engines_of_another_version_are_an_offer_that_says_why(fake_gpu, tiny_model, monkeypatch):
    build_all(tiny_model, precision="fp16")
    FakeGpu(version="11.4.0").install(monkeypatch)

    sentence = missing(tiny_model.path).sentence
    assert "was built with TensorRT 11.3.0; this is 11.4.0" in sentence
    assert sentence.endswith("; TensorRT engines take some minutes to build anew")


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ({"title": "tiny generator fp16", "phase": "Timing", "fraction": 0.424, "left_s": 31.0},
         Step("building engines: tiny generator fp16, 42 %, 31 s left")),
        ({"title": "tiny generator fp16", "phase": "Timing", "fraction": 0.5, "left_s": 150.0},
         Step("building engines: tiny generator fp16, 50 %, 2 min left")),
        ({"title": "tiny generator fp16", "phase": "Timing", "fraction": 0.0, "left_s": None},
         Step("building engines: tiny generator fp16, 0 %")),
        ({"error": "the GPU is full"}, Step("the GPU is full", is_error=True)),
        ({"note": "built"}, None),
    ],
)  # fmt: skip
def test_a_line_of_a_build_becomes_words(values, step):
    assert Step.read(json.dumps(values)) == step


def test_what_is_no_line_of_a_build_is_passed_over():
    assert Step.read("Segmentation fault") is None
    assert Step.read("[1]") is None


def test_rebuild_waits_for_the_tool_and_says_when_it_failed(tiny_model, monkeypatch, tmp_path):
    class Failing(Missing):
        @property
        def command(self):
            return ["-c", f"open({str(tmp_path / 'ran')!r}, 'w').close(); raise SystemExit(2)"]

    monkeypatch.setattr(engine_builds, "missing", lambda path: Failing((path,), "tensorrt", "RTX 4090", "none"))

    with pytest.raises(BuildError, match=r"were not built \(exit code 2\); leave out --rebuild"):
        build_now(tiny_model.path)
    assert (tmp_path / "ran").exists()


def test_rebuild_without_a_gpu_says_why_nothing_is_built(tiny_model, caplog):
    build_now(tiny_model.path)

    assert "nothing to build engines for: " in caplog.text


def test_live_rebuilds_before_it_opens_anything(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(engine_builds, "build_now", asked.append)

    assert app.main(["live", "--no-window", "--rebuild", "--avatar", "missing.png"]) == 2

    assert [Path(path).name for path in asked] == ["default"]
    assert "there is no picture at missing.png" in capsys.readouterr().err


def test_the_tool_runs_as_a_module_of_the_project():
    shown = subprocess.run(
        [sys.executable, "-m", "engines.building", "--help"], cwd=engine_builds.ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip

    assert "--computeCapability" in shown.stdout
