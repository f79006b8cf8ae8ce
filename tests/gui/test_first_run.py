"""The notice and the three steps of the first run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QAbstractButton, QLabel, QListView

from puppet.gui import first_run
from puppet.gui.first_run import AVATAR, CALIBRATE, CAMERA, NOTICE_PAGE, FirstRun
from puppet.saved_settings import SavedSettings
from puppet.sources.cameras import CameraInfo
from puppet.types import Frame
from tests.gui.conftest import WAIT_MS
from tests.live_fakes import grey

CAMERAS = [CameraInfo("Fine camera", "/dev/video77", 200, "usb-1"), CameraInfo("Other", "/dev/video78", 200, "usb-2")]


@pytest.fixture
def new_window(open_window, qtbot):
    """Of somebody who has not agreed to anything yet, with two cameras."""
    made = open_window(saved=SavedSettings(), list_cameras=lambda: CAMERAS)
    qtbot.waitUntil(lambda: made.parts.picker.cameras == CAMERAS, timeout=WAIT_MS)
    made.greet()
    qtbot.waitUntil(lambda: made.findChild(FirstRun) is not None, timeout=WAIT_MS)
    return made


@pytest.fixture
def steps(new_window) -> FirstRun:
    return new_window.findChild(FirstRun)


def test_no_camera_is_touched_before_the_notice_was_read(new_window, steps):
    assert steps.pages.currentIndex() == NOTICE_PAGE
    assert new_window.parts.picker.wanted == "scripted"
    steps.reject()

    assert not new_window.has_agreed
    assert new_window.parts.picker.wanted == "scripted"


def test_three_steps_lead_from_the_notice_to_the_end(new_window, steps, qtbot):
    titles = []
    for _ in range(4):
        titles.append((steps.step_label.text(), steps.title.text()))
        qtbot.mouseClick(steps.next, Qt.MouseButton.LeftButton)

    assert titles == [
        ("Welcome", "Before you begin"),
        ("Step 1 of 3", "Choose your camera"),
        ("Step 2 of 3", "Choose an avatar"),
        ("Step 3 of 3", "Calibrate"),
    ]
    qtbot.waitUntil(lambda: new_window.findChild(FirstRun) is None, timeout=WAIT_MS)
    assert new_window.saved().has_agreed


def test_what_is_chosen_in_the_steps_is_chosen_in_the_window(new_window, steps, qtbot):
    steps.next.click()
    assert new_window.parts.picker.wanted == "Fine camera"
    qtbot.waitUntil(lambda: [index.row() for index in steps.sources.selectedIndexes()] == [0], timeout=WAIT_MS)
    steps.sources.clicked.emit(steps.sources.model().index(1, 0))
    assert new_window.parts.picker.wanted == "Other"

    steps.next.click()
    steps.avatars.clicked.emit(steps.avatars.model().index(2, 0))
    assert new_window.parts.strip.currentRow() == 2
    qtbot.waitUntil(lambda: steps.avatars.currentIndex().row() == 2, timeout=WAIT_MS)


def test_without_a_camera_the_step_says_what_to_do(open_window, qtbot):
    window = open_window()
    window.show_first_run()
    steps = window.findChild(FirstRun)

    qtbot.waitUntil(lambda: steps.camera._text == first_run.NO_CAMERA, timeout=WAIT_MS)
    steps.go(CALIBRATE)
    qtbot.waitUntil(lambda: steps.pose_word.text() == first_run.NOBODY, timeout=WAIT_MS)
    assert not steps.calibrate.isEnabled()


def test_the_last_step_shows_picture_ghost_countdown_and_success(window, pipeline, monkeypatch):
    window.show_first_run()
    steps, driven = window.findChild(FirstRun), replace(pipeline.state(), frame=Frame(grey(50), 0, 0.0))
    monkeypatch.setattr(pipeline, "state", lambda: driven)
    steps.go(CALIBRATE)
    steps.follow(driven, window._avatar_image, "3")

    assert steps.pose_camera.picture is driven.frame.image
    assert (steps.pose_camera._mark, steps.pose_camera._ghost) == ("3", window._avatar_image)
    assert steps.pose_word.text() == first_run.READY
    steps.calibrate.click()
    assert window.commands.is_calibrating
    steps.follow(replace(driven, calibrated=driven.calibrated + 1), None, "")
    assert steps.pose_word.text() == first_run.CALIBRATED


def test_the_steps_can_be_left_and_taken_again(window, qtbot):
    window._actions["set_up"].trigger()
    window._actions["set_up"].trigger()
    (steps,) = window.findChildren(FirstRun)
    assert steps.pages.currentIndex() == CAMERA, "the notice was read already"

    steps.skip.click()
    qtbot.waitUntil(lambda: not window.findChildren(FirstRun), timeout=WAIT_MS)
    window._actions["set_up"].trigger()
    assert window.findChild(FirstRun).pages.currentIndex() == CAMERA


@pytest.mark.parametrize("page", [NOTICE_PAGE, CAMERA, AVATAR, CALIBRATE])
def test_every_step_can_be_gone_with_the_keyboard_alone(new_window, steps, page):
    steps.go(page)
    shown = [each for kind in (QAbstractButton, QListView) for each in steps.findChildren(kind) if each.isVisible()]

    assert steps.next in shown
    assert all(each.focusPolicy() & Qt.FocusPolicy.TabFocus for each in shown)
    assert all(each.accessibleName() or each.text() for each in shown)
    assert steps.findChild(QLabel)


def test_arrow_keys_go_through_the_list_and_enter_chooses_then_goes_on(new_window, pipeline, steps, qtbot):
    steps.go(AVATAR)
    qtbot.waitUntil(lambda: [index.row() for index in steps.avatars.selectedIndexes()] == [0], timeout=WAIT_MS)
    qtbot.keyClick(steps.avatars, Qt.Key.Key_Right)
    steps.follow(pipeline.state(), None, "")
    assert steps.avatars.currentIndex().row() == 1, "it stays where the key has put it"

    qtbot.keyClick(steps.avatars, Qt.Key.Key_Return)
    assert (new_window.parts.strip.currentRow(), steps.pages.currentIndex()) == (1, AVATAR)
    steps.follow(pipeline.state(), None, "")
    qtbot.keyClick(steps.avatars, Qt.Key.Key_Return)
    assert steps.pages.currentIndex() == CALIBRATE


def test_without_anybody_to_calibrate_on_enter_ends_the_steps(window, qtbot):
    window.show_first_run()
    steps = window.findChild(FirstRun)
    qtbot.waitUntil(lambda: not steps.calibrate.isEnabled(), timeout=WAIT_MS)
    steps.go(CALIBRATE)

    assert steps.focusWidget() is steps.next
