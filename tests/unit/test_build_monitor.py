"""TensorRT's nested phases add up to one fraction that only rises, and a build can be stopped at every step."""

from __future__ import annotations

import json

import pytest

from engines.building.monitor import BuildMonitor, BuildProgress
from engines.building.telling import Teller
from engines.building.timing_cache import default_path, used
from tests.engine_specs import RTX_4090


def build_one(monitor):
    """Two phases of three and two steps within the root's two."""
    monitor.begin("engine")
    monitor.phase_start("root", None, 2)
    for name, steps in (("optimise", 3), ("time", 2)):
        monitor.phase_start(name, "root", steps)
        for step in range(steps):
            if not monitor.step_complete(name, step):
                return
        monitor.phase_finish(name)
        monitor.step_complete("root", 0 if name == "optimise" else 1)
    monitor.phase_finish("root")


def test_phases_add_up_and_never_fall():
    seen: list[BuildProgress] = []
    monitor = BuildMonitor(seen.append, lambda: False, total=2)

    build_one(monitor)
    build_one(monitor)

    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert any(progress.fraction == pytest.approx(1 / 12) for progress in seen)  # a third of a half of a half


def test_time_left_is_told_once_there_is_something_to_go_by():
    seen: list[BuildProgress] = []

    build_one(BuildMonitor(seen.append, lambda: False))

    assert seen[0].left_s is None
    assert all(progress.left_s is not None for progress in seen[-3:])


def test_a_build_is_stopped_at_the_next_step():
    seen: list[BuildProgress] = []
    monitor = BuildMonitor(seen.append, lambda: len(seen) > 5)

    build_one(monitor)

    assert monitor.was_stopped
    assert 5 < len(seen) < 8


def test_without_a_terminal_there_are_plain_lines(capsys):
    with Teller() as teller:
        teller.progress(BuildProgress("bundled segmenter", "Timing tactics", 0.25, 12.0))
        teller.progress(BuildProgress("bundled segmenter", "Timing tactics", 0.26, 12.0))

    assert capsys.readouterr().err == "bundled segmenter: Timing tactics, 25 %, 12 s left\n"


def test_other_programs_get_json_lines(capsys):
    with Teller(as_json=True) as teller:
        teller.progress(BuildProgress("bundled segmenter", "Timing tactics", 0.25, None))
        teller.fail("there is no GPU")

    first, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"title": "bundled segmenter", "phase": "Timing tactics", "fraction": 0.25, "left_s": None}
    assert last == {"error": "there is no GPU"}


class Config:
    """TensorRT's builder configuration, as far as it has to do with the timing cache."""

    def __init__(self, *, learnt: bytes, takes: bool = True) -> None:
        self.learnt, self.takes = learnt, takes
        self.given: list[bytes] = []

    def create_timing_cache(self, held):
        return held

    def set_timing_cache(self, cache, *, ignore_mismatch):
        assert not ignore_mismatch
        self.given.append(cache)
        return self.takes

    def get_timing_cache(self):
        return self

    def serialize(self):
        return self.learnt


def test_what_was_learnt_is_kept_for_the_next_build(tmp_path):
    path = default_path(tmp_path, RTX_4090)
    with used(Config(learnt=b"kernels"), path):
        pass
    again = Config(learnt=b"kernels")
    with used(again, path):
        pass

    assert path.name == "tensorrt-11.3.0-RTX_4090.cache"
    assert again.given == [b"kernels"]
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_timing_cache_of_another_machine_is_not_used(tmp_path, caplog):
    path = tmp_path / "timing.cache"
    path.write_bytes(b"other")
    config = Config(learnt=b"new", takes=False)
    with used(config, path):
        pass

    assert config.given == [b"other", b""]
    assert path.read_bytes() == b"new"
    assert "was written by another TensorRT or GPU" in caplog.text


def test_tensorrt_rtx_has_no_timing_cache(tmp_path):
    assert default_path(tmp_path, RTX_4090.model_copy(update={"backend": "tensorrt-rtx"})) is None
