"""How far a file has come: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from puppet import logs, progress
from puppet.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_shows_frames_fps_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()

    with Progress("rendering", total=50, stream=stream) as shown:
        for _ in range(50):
            shown.advance()

    assert "rendering" in stream.getvalue()
    assert "50/50" in stream.getvalue()
    assert " fps" in stream.getvalue()
    assert "left" in stream.getvalue()


def test_more_frames_than_expected_are_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()

    with Progress("rendering", total=2, stream=stream) as shown:
        for _ in range(5):
            shown.advance()

    assert "5/5" in stream.getvalue()


@pytest.mark.parametrize(("total", "words"), [(4, "2 of 4 frames, "), (None, "2 frames, ")])
def test_plain_lines_come_now_and_then(monkeypatch: pytest.MonkeyPatch, total: int | None, words: str) -> None:
    monkeypatch.setattr(progress, "PLAIN_EVERY", 0.0)
    stream = io.StringIO()

    with Progress("rendering", total=total, stream=stream) as shown:
        shown.advance()
        shown.advance()

    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"rendering: {words}")
    assert lines[1].endswith("s left" if total else "fps")


def test_short_runs_write_no_plain_line() -> None:
    stream = io.StringIO()

    with Progress("rendering", total=3, stream=stream) as shown:
        shown.advance()

    assert stream.getvalue() == ""


@pytest.fixture
def _own_logging(monkeypatch: pytest.MonkeyPatch):
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    level = root.level
    yield
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.mark.usefixtures("_own_logging")
def test_warnings_are_plain_sentences_on_the_present_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    logs.setup(verbose=False)
    replaced = io.StringIO()
    monkeypatch.setattr(sys, "stderr", replaced)

    logging.getLogger("puppet.framing").warning("no face in %s", "cat.png")
    logging.getLogger("puppet.framing").info("not shown")

    assert replaced.getvalue() == "warning: no face in cat.png\n"


@pytest.mark.usefixtures("_own_logging")
def test_verbose_shows_everything_with_its_origin(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup(verbose=True)
    logs.setup(verbose=True)

    logging.getLogger("puppet.render").info("the first frame is rendered")

    assert capsys.readouterr().err.count("puppet.render: the first frame is rendered\n") == 1
