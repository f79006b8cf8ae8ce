"""What the window says of the pipeline's state."""

from __future__ import annotations

import pytest

from puppet.calibration import FaceState
from puppet.errors import PuppetError
from puppet.gui import status
from puppet.gui.banner import Banner, Offer
from puppet.sources.base import SourceMode
from puppet.state import MODEL, TOTAL, Counts, LiveState, SinkState, SourceState
from puppet.stats import Summary

RUNNING = {"phase": "running", "avatar": "ada"}
CAMERA = SourceState("Fine camera", SourceMode(640, 480, 30))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (LiveState(), "Loading the model…"),
        (LiveState(phase="running"), "Reading the avatar…"),
        (LiveState(**RUNNING), "Waiting for a camera"),
        (LiveState(**RUNNING, source=CAMERA), "Driven by Fine camera"),
        (LiveState(**RUNNING, source=SourceState("Fine camera", trouble="gone")), "Waiting for Fine camera"),
        (LiveState(**RUNNING, source=CAMERA, is_searching=True), "Looking for the best reference…"),
        (LiveState(**RUNNING, failure=PuppetError("broken")), "Stopped"),
    ],
)
def test_how_it_goes_is_said_in_a_few_words(state, words):
    assert status.summary(state) == words


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, None),
        ({"failure": PuppetError("broken"), "source": SourceState("c", trouble="gone")}, "broken"),
        ({"source": SourceState("c", trouble="gone"), "face": FaceState("left")}, "gone"),
        ({"sinks": (SinkState("v", False, "no device"),), "face": FaceState("left")}, "no device"),
        ({"face": FaceState("left")}, None),
    ],
)
def test_the_most_important_trouble_is_told(changes, sentence):
    assert status.trouble(LiveState(**RUNNING, **changes)) == sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, None),
        ({"source": SourceState("c", notice="black"), "face": FaceState("left")}, "black"),
        ({"face": FaceState("drifted"), "has_face": False}, FaceState("drifted").sentence),
        ({"has_face": False}, "no face was found in the picture; turn to the camera, or let in some light"),
    ],
)
def test_what_works_and_looks_wrong_is_a_warning(changes, sentence):
    assert status.warning(LiveState(**RUNNING, **changes)) == sentence


def test_figures_are_rounded_for_reading(qtbot):
    line = status.StatusLine()
    qtbot.addWidget(line)
    times = {TOTAL: Summary(100, p50=0.0314, p90=0.04, p99=0.0567, mean=0.03)}
    times[MODEL] = Summary(100, p50=0.0123, p90=0.02, p99=0.0234, mean=0.013)
    model = "small on OpenVINO 2026, some processor, bf16"

    line.show_state(
        LiveState(
            **RUNNING, fps=29.6, times=times, counts=Counts(dropped=7), model=model, sinks=(SinkState("v", True),)
        ),
        virtual_camera_name="v",
        recording_s=75.4,
    )
    assert line.texts()[0] == "Recording 1:15 · Waiting for a camera"
    assert line.texts()[1:] == [
        "30 fps", "model 12 / 23 ms", "total 31 / 57 ms", "7 dropped", "face -", "virtual camera on",
        "small, OpenVINO 2026, some processor, bf16",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"face": FaceState("seen")}, "face in view"),
        ({"face": FaceState("left")}, "face left"),
        ({"face": FaceState("drifted"), "has_face": True}, "face turned away"),
        ({"face": FaceState("seen"), "has_face": False}, "no face"),
    ],
)
def test_how_the_face_stands_is_said_in_two_words(changes, words):
    assert status.face(LiveState(**RUNNING, **changes)) == words


def test_a_text_without_room_is_cut_off_instead_of_widening_the_window(qtbot):
    label = status.Elided("some processor with a long name, and then some more of it")
    qtbot.addWidget(label)

    assert label.minimumSizeHint().width() < label.sizeHint().width() / 3


def test_a_banner_is_there_only_while_it_has_something_to_say(qtbot):
    banner = Banner()
    qtbot.addWidget(banner)

    banner.say("gone; plug it in", "trouble")
    assert (banner.text, banner.isHidden(), banner.button.isHidden()) == ("Gone; plug it in", False, True)
    banner.say(None)
    assert banner.isHidden()


def test_a_banner_does_what_it_offers_with_one_click(qtbot):
    banner, done = Banner(), []
    qtbot.addWidget(banner)

    banner.say("a camera was plugged in", offer=Offer("Use it", lambda: done.append("used")))
    assert banner.button.text() == "Use it"
    banner.button.click()
    banner.say("saved", offer=None)
    banner.button.click()
    assert done == ["used"]
