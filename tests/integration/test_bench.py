"""`bench`: what it measures and prints."""

from __future__ import annotations

import argparse
import json
import sys

import pytest

from engines.errors import BackendError, ModelFolderError
from puppet import bench

NUMBERS = {"count", "p50", "p90", "p99", "mean", "fps"}


def arguments(*flags: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args([str(flag) for flag in flags])


def report(capsys, *flags: object) -> dict:
    assert bench.run(arguments("--json", "--threads", 1, *flags)) == 0
    return json.loads(capsys.readouterr().out)


def test_every_usable_backend_and_precision_is_measured_in_one_run(tiny_model, capsys):
    found = report(capsys, "--model", tiny_model.path, "--frames", 7)

    names = [contender["name"] for contender in found["contenders"]]
    assert {"ovino fp32", "onnxrt fp32"} <= set(names)
    assert found["frames"] == 7
    for contender in found["contenders"]:
        assert contender["faster_than_peer"] is None
        assert list(contender["times"]) == ["segmenter", "motion", "generator", "encoder", "frame"]
        assert all(set(times) == NUMBERS for times in contender["times"].values())
        assert contender["times"]["frame"]["count"] == 7


def test_percentiles_rise_and_the_frame_is_the_longest(tiny_model, capsys):
    found = report(capsys, "--model", tiny_model.path, "--frames", 20, "--backend", "onnxrt")

    (contender,) = found["contenders"]
    for times in contender["times"].values():
        assert 0 < times["p50"] <= times["p90"] <= times["p99"]
    assert contender["times"]["frame"]["p50"] >= contender["times"]["generator"]["p50"]


def test_the_table_names_roles_and_what_was_left_out(tiny_model, capsys):
    assert bench.run(arguments("--model", tiny_model.path, "--frames", 2, "--backend", "onnxrt", "--threads", 1)) == 0

    printed = capsys.readouterr().out
    assert all(word in printed for word in ("tiny", "onnxrt fp32", "segmenter", "generator", "p99", "fps"))
    assert "not measured: onnxrt bf16" in printed


def test_the_peer_runs_everything_for_every_frame_and_is_the_yardstick(small_model, capsys):
    found = report(capsys, "--model", small_model.path, "--frames", 2, "--peer", "--backend", "ovino")

    peer = found["contenders"][-1]
    assert peer["name"] == bench.PEER
    assert peer["faster_than_peer"] == 1
    assert {name: times["count"] for name, times in peer["times"].items()} == dict.fromkeys(
        ("segmenter", "encoder", "generator", "frame"), 2
    )
    assert found["contenders"][0]["faster_than_peer"] > 0


def test_without_torch_the_peer_says_what_to_install(tiny_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(BackendError, match=r"PyTorch cannot be imported .*pip install 'puppet-live\[train\]'"):
        bench.run(arguments("--model", tiny_model.path, "--frames", 1, "--peer"))


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelFolderError, match=r"no model\.json"):
        bench.run(arguments("--model", tmp_path))


@pytest.mark.parametrize("flags", [("--frames", "0"), ("--frames", "many"), ("--threads", "-1")])
def test_numbers_out_of_range_are_refused_with_the_lowest(flags, capsys):
    with pytest.raises(SystemExit) as stopped:
        arguments(*flags)

    assert stopped.value.code == 2
    assert f"{flags[1]!r} is not a whole number of at least {int(flags[0] == '--frames')}" in capsys.readouterr().err
