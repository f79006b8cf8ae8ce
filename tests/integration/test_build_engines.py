"""TensorRT-RTX builds engines on a machine without a GPU: every family, every kind of GPU, in fp16 and fp32."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="onnx is not installed (extra: train, tensorrt or tensorrt-rtx)")

from engines import engine_files
from engines.backends import trt_vendor
from engines.building import command
from engines.building.build import build, target_machine
from engines.building.graph import prepared
from engines.building.monitor import BuildMonitor
from engines.engine_spec import BuildOptions
from engines.errors import BackendError, BuildCancelledError, BuildError
from engines.model_folder import sha256

try:
    trt_vendor.machine("tensorrt-rtx")
except BackendError as error:
    pytest.skip(str(error), allow_module_level=True)

ROOT = Path(__file__).parents[2]
GPUS = ("7.5", "8.0", "8.6", "8.9", "12.0")
ROLES = ("segmenter", "encoder", "generator", "swapper")


def quiet(*, should_stop=lambda: False, total=1):
    return BuildMonitor(lambda progress: None, should_stop, total=total)


@pytest.fixture(scope="module")
def everywhere():
    return target_machine("tensorrt-rtx", GPUS)


@pytest.fixture(scope="module")
def built(tmp_path_factory, bundled_model, everywhere):
    """The bundled encoder, in fp16."""
    folder = tmp_path_factory.mktemp("engines")
    build(bundled_model, "encoder", folder, target=everywhere, options=BuildOptions(), monitor=quiet())
    return folder


@pytest.mark.parametrize("precision", ["fp16", "fp32"])
@pytest.mark.parametrize("name", ["bundled_model", "small_model", "small_fomm"])
def test_every_family_builds_for_every_gpu(name, precision, request, everywhere, tmp_path, record_property):
    model = request.getfixturevalue(name)
    for role in model.spec.roles:
        made = build(
            model, role, tmp_path, target=everywhere, options=BuildOptions(precision=precision), monitor=quiet()
        )

        size = made.spec.engine_bytes / 1e6
        record_property("engine", f"{model.spec.name} {role} {precision}: {made.spec.build_s:.2f} s, {size:.1f} MB")
        assert engine_files.EngineFile.read(made.path) == made
        assert len(made.content()) == made.path.stat().st_size > 10_000
        assert made.spec.machine.capabilities == GPUS
        assert made.spec.onnx_sha256 == sha256(model.file(role))
        assert made.spec.inputs[: len(model.spec.roles[role].inputs)] == model.spec.roles[role].inputs


@pytest.mark.parametrize("capability", GPUS)
def test_one_gpu_at_a_time_builds_too(capability, small_fomm, tmp_path):
    target = target_machine("tensorrt-rtx", (capability,))

    made = build(
        small_fomm, "generator", tmp_path, target=target, options=BuildOptions(precision="fp32"), monitor=quiet()
    )

    assert made.path.name == f"generator-fp32-tensorrt-rtx-sm{capability.replace('.', '')}.engine"


def test_bf16_builds_where_it_is_there_and_is_refused_on_turing(small_model, everywhere, tmp_path):
    options = BuildOptions(precision="bf16")
    with pytest.raises(BuildError, match=r"bf16 needs compute capability 8\.0"):
        build(small_model, "segmenter", tmp_path, target=everywhere, options=options, monitor=quiet())

    ampere = target_machine("tensorrt-rtx", ("8.6",))
    assert build(small_model, "segmenter", tmp_path, target=ampere, options=options, monitor=quiet()).path.is_file()


def test_progress_rises_to_one(bundled_model, everywhere, tmp_path):
    seen = []
    monitor = BuildMonitor(seen.append, lambda: False)

    build(bundled_model, "encoder", tmp_path, target=everywhere, options=BuildOptions(), monitor=monitor)

    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 50
    assert {"Optimizing graph", "Building engine"} <= {progress.phase for progress in seen}


def test_a_cancelled_build_leaves_nothing(bundled_model, everywhere, tmp_path):
    steps = iter(range(10**6))
    monitor = quiet(should_stop=lambda: next(steps) > 30)

    with pytest.raises(BuildCancelledError, match="cancelled; nothing of this engine was written"):
        build(bundled_model, "encoder", tmp_path, target=everywhere, options=BuildOptions(), monitor=monitor)

    assert not list(tmp_path.rglob("*.*"))


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_ctrl_c_ends_the_tool_within_a_step(bundled_model, tmp_path):
    wanted = ["--computeCapability", "sm89", "--output", str(tmp_path), "--json"]
    command = [sys.executable, "-m", "engines.building", str(bundled_model.path), *wanted]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        first = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().splitlines()

    assert first["fraction"] == 0
    assert process.returncode == 130
    assert json.loads(rest[-1]) == {"error": "the build was cancelled; nothing of this engine was written"}
    assert not list(tmp_path.rglob("*generator*"))
    assert not list(tmp_path.rglob("*.unfinished"))


def test_a_graph_that_tensorrt_does_not_take_is_named_by_its_node(bundled_model, everywhere, tmp_path, monkeypatch):
    def spoilt(*arguments):
        graph = prepared(*arguments)
        graph.graph.node[3].op_type = "Unheard"
        return graph

    monkeypatch.setattr("engines.building.build.prepared", spoilt)

    with pytest.raises(BuildError, match=r"has a node that TensorRT [\d.]+ does not take \(node_mul: "):
        build(bundled_model, "encoder", tmp_path, target=everywhere, options=BuildOptions(), monitor=quiet())


@pytest.mark.skipif(trt_vendor.machine("tensorrt-rtx").device is not None, reason="there is a GPU here")
def test_the_tool_says_that_there_is_no_gpu(capsys):
    assert command.main(["--backend", "tensorrt-rtx"]) == 2
    assert re.fullmatch(
        r"error: there is no NVIDIA driver here; name the GPUs to build for with --computeCapability, such as sm89\n",
        capsys.readouterr().err,
    )


def test_the_tool_refuses_a_gpu_that_it_cannot_build_for(capsys):
    assert command.main(["--computeCapability", "sm61"]) == 2
    assert "does not build for sm61; it does for sm75, sm80, " in capsys.readouterr().err


def test_the_tool_builds_what_is_missing_only(bundled_model, built, capsys):
    wanted = ["--output", str(built), "--computeCapability", *GPUS, "--json"]

    assert command.main([str(bundled_model.path), *wanted]) == 0

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    notes = [line["note"] for line in lines if "note" in line]
    count = len(bundled_model.spec.roles)
    assert notes[0] == f"1 of {count} engines are there and fit; --force builds them again"
    assert len(notes) == count + 1
    assert notes[-1] == "not verified: the GPU that was built for is not here"
    assert max(line["fraction"] for line in lines if "fraction" in line) > 0.8


def test_the_tool_lists_and_prunes(tmp_path, bundled_model, everywhere, capsys):
    made = build(bundled_model, "encoder", tmp_path, target=everywhere, options=BuildOptions(), monitor=quiet())
    assert command.main(["--list", "--output", str(tmp_path)]) == 0
    listing = capsys.readouterr().out
    assert "default encoder fp16, tensorrt-rtx" in listing
    assert "old:" not in listing
    made.path.write_bytes(made.path.read_bytes()[:-1])

    assert command.main(["--prune", "--output", str(tmp_path)]) == 0

    assert "is cut off" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.engine"))
