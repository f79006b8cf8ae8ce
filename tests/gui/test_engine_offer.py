"""Engines for the GPU, offered and built while the picture goes on."""

from __future__ import annotations

import json

import pytest

from puppet import engine_builds
from puppet.engine_builds import Missing
from tests.gui.conftest import WAIT_MS

LINE = {"title": "tiny generator fp16", "phase": "Timing", "fraction": 0.42, "left_s": 31.0}
TELL = f"import time; print({json.dumps(json.dumps(LINE))}, flush=True);"
TOOLS = {
    "good": TELL,
    "slow": f"{TELL} time.sleep(60)",
    "bad": f"""{TELL} print('{{"error": "the GPU is full"}}'); raise SystemExit(2)""",
}


class Build(Missing):
    """By a tool that the test chooses; its name stands for the reason."""

    @property
    def command(self) -> list[str]:
        return ["-c", TOOLS[self.reason]]


@pytest.fixture
def offer(monkeypatch):
    """Lets the window find something to build."""

    def find(tool: str) -> None:
        monkeypatch.setattr(engine_builds, "missing", lambda path: Build(path, "tensorrt", "RTX 4090", tool))

    return find


def banner_says(window, text):
    return lambda: text in window.parts.banner.text


def test_it_is_offered_once_the_model_runs_and_built_when_it_is_wanted(offer, open_window, qtbot):
    offer("good")
    window = open_window(offers_engines=True)
    qtbot.waitUntil(banner_says(window, "RTX 4090 can run the model"), timeout=WAIT_MS)
    assert not window.engines.is_building

    window.parts.banner.button.click()

    qtbot.waitUntil(banner_says(window, "The engines are built and checked"), timeout=WAIT_MS)
    assert window.parts.banner.button.text() == "Use them"
    assert window.parts.result.picture is not None


def test_the_offer_gives_way_to_the_progress(offer, open_window, qtbot):
    offer("slow")
    window = open_window(offers_engines=True)
    qtbot.waitUntil(banner_says(window, "RTX 4090 can run the model"), timeout=WAIT_MS)

    window.parts.banner.button.click()

    qtbot.waitUntil(banner_says(window, "42 %, 31 s left"), timeout=WAIT_MS)
    assert window.parts.banner.button.text() == "Cancel"


def test_nothing_is_offered_where_a_backend_was_asked_for(offer, window, qtbot):
    offer("good")
    qtbot.wait(400)

    assert "RTX 4090" not in window.parts.banner.text


def test_progress_is_told_and_cancel_stops_it(offer, window, qtbot):
    offer("slow")
    window.engines.ask()
    qtbot.waitUntil(banner_says(window, "tiny generator fp16, 42 %, 31 s left"), timeout=WAIT_MS)

    window.parts.banner.button.click()

    qtbot.waitUntil(banner_says(window, "called off; what was finished stays"), timeout=WAIT_MS)
    assert not window.engines.is_building


def test_a_failed_build_is_told_in_its_own_words(offer, window, qtbot):
    offer("bad")

    window.engines.ask()

    qtbot.waitUntil(banner_says(window, "The GPU is full"), timeout=WAIT_MS)


def test_closing_the_window_ends_a_build(offer, window, qtbot):
    offer("slow")
    window.engines.ask()
    qtbot.waitUntil(lambda: window.engines.is_building, timeout=WAIT_MS)

    window.close()

    assert not window.engines.is_building


@pytest.mark.parametrize(
    ("reason", "told"),
    [("there is no NVIDIA driver here", "There is no NVIDIA driver here"), (None, "The engines are there, and fit")],
)
def test_asking_where_there_is_nothing_to_build_is_answered(window, qtbot, monkeypatch, reason, told):
    monkeypatch.setattr(engine_builds, "missing", lambda path: None)
    monkeypatch.setattr(engine_builds, "why_none", lambda: reason)

    window.engines.ask()

    qtbot.waitUntil(lambda: told.lower() in window.parts.banner.text.lower(), timeout=WAIT_MS)
