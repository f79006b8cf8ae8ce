"""Which sentence the banner shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from puppet.calibration import FaceState
from puppet.gui import news
from puppet.gui.commands import Commands
from puppet.gui.news import News
from puppet.pipeline import Pipeline
from puppet.state import LiveState, SinkState, SourceState
from tests.live_fakes import FakePuppeteer

RUNNING = LiveState(phase="running", avatar="ada", face=FaceState("seen"))
LOST = replace(RUNNING, source=SourceState("c", trouble="gone; plug it in"))


@pytest.fixture
def commands() -> Commands:
    return Commands(Pipeline(FakePuppeteer))


def test_nothing_is_shown_while_all_is_well(commands):
    assert News(commands).latest(RUNNING) == (None, "warning", None)


def test_a_lost_camera_is_more_important_than_what_was_told_and_a_sink_is_not(commands):
    commands.say("saved")
    latest = News(commands).latest

    assert latest(LOST)[:2] == ("gone; plug it in", "trouble")
    assert latest(replace(RUNNING, sinks=(SinkState("v", False, "no device"),)))[:2] == ("saved", "note")
    commands.hush()
    assert latest(replace(RUNNING, sinks=(SinkState("v", False, "no device"),)))[:2] == ("no device", "trouble")


def test_a_face_that_has_left_is_a_warning_with_calibration_one_click_away(commands):
    sentence, kind, offer = News(commands).latest(replace(RUNNING, face=FaceState("left")))

    assert (sentence, kind) == (FaceState("left").sentence, "warning")
    assert (offer.label, offer.run) == ("Calibrate", commands.calibrate)


def test_who_is_seen_by_others_is_told_only_while_anybody_sees(commands):
    commands.toggle_show("camera")
    latest = News(commands).latest

    assert latest(RUNNING)[0] is None
    assert latest(replace(RUNNING, sinks=(SinkState("v", True),)))[:2] == (news.SEEN, "warning")


def test_the_end_of_a_search_is_told(commands):
    latest = News(commands).latest
    latest(replace(RUNNING, is_searching=True))

    assert latest(RUNNING)[:2] == (news.FOUND, "note")
