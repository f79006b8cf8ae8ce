"""The long run of tools/endure.py, made short: it ends in order, and what is not flat or goes wrong is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools import endure

if TYPE_CHECKING:
    from engines.model_folder import ModelFolder


def test_a_short_run_is_watched_to_its_end(tiny_model: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--model", str(tiny_model.path), "--backend", "onnxrt", "--threads", "1", "--camera", str(endure.CLIP)]

    run = endure.watch([*flags, "--crop", "none"], seconds=8)

    assert (run.code, run.faults) == (0, [])
    assert len(run.memory) > 10
    assert min(run.memory) > 20
    assert run.status[-1].startswith("done: ")
    assert min(run.delays) > 0


def test_what_goes_wrong_makes_it_bad(capsys: pytest.CaptureFixture[str]) -> None:
    assert endure.main(["--minutes", "0.1", "--", "--camera", "none.mp4"]) == 1

    assert "fault: error: there is no video at none.mp4" in capsys.readouterr().out


@pytest.mark.parametrize(("end", "is_good"), [(300.0, True), (305.0, True), (312.0, False), (280.0, False)])
def test_memory_counts_once_all_is_warm(end: float, is_good: bool) -> None:
    warming, rest = [100.0] * 10, [300.0] * 45 + [end] * 45
    run = endure.Run(memory=warming + rest, code=0)

    assert run.is_good is is_good
    assert ("NOT good" in endure.report(run)) is not is_good
