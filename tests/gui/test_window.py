"""The window as its user meets it."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QDialog,
    QListWidget,
    QSlider,
)

from puppet.errors import PuppetError, SinkError
from puppet.gui.crop import CropView
from puppet.gui.feed import LINED_UP
from puppet.saved_settings import SavedSettings
from puppet.settings import Settings
from puppet.sinks.video_file import VideoFileSink
from puppet.sources.video_file import VideoFile
from puppet.types import Frame
from tests.gui.conftest import WAIT_MS
from tests.live_fakes import FakeSink, grey
from tests.media import brightening, write_video

CORNER = QPoint(5, 5)


def test_without_a_camera_the_avatar_moves_all_the_same(window, pipeline, puppeteer, qtbot):
    rendered = len(puppeteer.inferred)

    qtbot.waitUntil(lambda: len(puppeteer.inferred) > rendered + 5, timeout=WAIT_MS)
    assert window.parts.picker.wanted == "scripted"
    assert window.parts.result.picture is not None
    np.testing.assert_allclose(window.parts.avatar.picture.mean(), 60, atol=1)


def test_closing_it_ends_its_timer_and_threads(window, pipeline):
    window.close()
    pipeline.stop()

    assert not any(timer.isActive() for timer in window.findChildren(QTimer))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("window", "capture", "infer"))]


def test_it_is_there_before_the_model_is_and_says_so(open_window, puppeteer, qtbot):
    puppeteer.gate.clear()
    window = open_window()

    qtbot.waitUntil(lambda: bool(window.parts.status.texts()[0]), timeout=WAIT_MS)
    assert window.isVisible()
    assert window.parts.result.picture is None
    assert window.parts.status.texts()[0] in ("Loading the model…", "Reading the avatar…")
    puppeteer.gate.set()


def test_a_failure_is_one_sentence_in_the_banner(window, puppeteer, pipeline, qtbot):
    puppeteer.failure = PuppetError("the model broke; choose another one")
    window.gallery.strip.pick(1)

    qtbot.waitUntil(lambda: window.parts.banner.text == "The model broke; choose another one", timeout=WAIT_MS)
    assert window.isVisible()
    assert not window.findChildren(QDialog)


@pytest.mark.parametrize("shortcut", ["2", "Right"])
def test_a_key_takes_another_avatar(window, qtbot, shortcut, pictures):
    action = next(action for action in window.actions() if action.shortcut().toString() == shortcut)
    action.trigger()

    assert window.parts.strip.current == pictures[1]
    qtbot.waitUntil(lambda: abs(window.parts.avatar.picture.mean() - 120) < 2, timeout=WAIT_MS)


@pytest.mark.parametrize(("key", "index"), [(Qt.Key.Key_3, 2), (Qt.Key.Key_Left, 2), (Qt.Key.Key_Right, 1)])
def test_keys_pressed_on_the_keyboard_take_another_avatar(window, qtbot, pictures, key, index):
    with qtbot.waitActive(window, timeout=WAIT_MS):
        window.activateWindow()
    qtbot.keyClick(window, key)

    assert window.parts.strip.current == pictures[index]


def drop(window, *paths, place: QPoint = CORNER) -> bool:
    """Returns whether the window would take them."""
    data, buttons, keys = QMimeData(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    entered = QDragEnterEvent(place, Qt.DropAction.CopyAction, data, buttons, keys)
    entered.ignore()
    window.dragEnterEvent(entered)
    if entered.isAccepted():
        window.dropEvent(QDropEvent(QPointF(place), Qt.DropAction.CopyAction, data, buttons, keys))
    return entered.isAccepted()


def test_a_dropped_video_drives_and_a_dropped_folder_is_watched(window, tmp_path):
    (tmp_path / "folder").mkdir()

    assert not drop(window, tmp_path / "notes.txt")
    assert drop(window, tmp_path / "folder")
    assert drop(window, tmp_path / "clip.MP4")
    assert window.gallery.folder == tmp_path / "folder"
    assert window.parts.picker.wanted == str(tmp_path / "clip.MP4")


def test_a_clip_that_is_dropped_on_the_strip_becomes_an_avatar(window, tmp_path):
    clip = write_video(tmp_path / "clip.mp4", brightening(10, width=64, height=48), rate=25)
    strip = window.parts.strip

    assert drop(window, clip, place=strip.mapTo(window, strip.rect().center()))
    assert strip.current == clip
    assert window.parts.picker.wanted == "scripted"


def test_dropped_pictures_join_the_strip_and_can_be_removed(window, pictures, tmp_path, qtbot):
    mine = tmp_path / "mine.jpg"
    mine.write_bytes(pictures[2].read_bytes())

    assert drop(window, mine, tmp_path / "notes.txt")
    assert window.parts.strip.current == mine
    assert window.saved().added_avatars == (mine,)
    window.gallery.remove()
    assert mine not in window.parts.strip.paths
    window.gallery.remove()
    assert len(window.parts.strip.paths) == 3, "bundled ones stay"


def test_the_end_is_remembered_and_begins_the_next_run(window, pictures):
    window.gallery.strip.pick(2)
    changed = Settings().model_copy(update={"camera": window.commands.settings.camera.model_copy(update={"zoom": 1.5})})
    window.commands.change(changed)
    window.commands.toggle_show("nothing")
    saved = window.saved()

    assert SavedSettings.model_validate_json(saved.model_dump_json()) == saved
    assert (saved.avatar, saved.source, saved.settings.camera.zoom) == (pictures[2], "scripted", 1.5)
    assert saved.settings.output.show == "avatar", "nobody wants to find himself hidden"


def test_a_recording_and_a_snapshot_are_files(window, tmp_path, qtbot):
    window.commands.toggle_recording()
    qtbot.waitUntil(lambda: window.commands.message.startswith("recording into"), timeout=WAIT_MS)
    window.commands.take_snapshot()
    qtbot.waitUntil(lambda: window.commands.message.startswith("snapshot saved"), timeout=WAIT_MS)
    window.commands.toggle_recording()
    qtbot.waitUntil(lambda: window.commands.message.startswith("recorded in"), timeout=WAIT_MS)

    (video,), (picture,) = (tmp_path / "videos").iterdir(), (tmp_path / "pictures").iterdir()
    assert next(VideoFile(video).frames()).image.shape == (720, 1280, 3)
    assert b"trainedAlgorithmicMedia" in picture.read_bytes()


def test_a_recording_that_fails_is_told_and_is_over(window, qtbot, monkeypatch, caplog):
    def fail(*_: object) -> None:
        raise SinkError("the disk is full; free some space")

    monkeypatch.setattr(VideoFileSink, "write", fail)
    window.commands.toggle_recording()
    qtbot.waitUntil(lambda: "disk is full" in window.parts.banner.text, timeout=WAIT_MS)

    qtbot.waitUntil(lambda: window.commands.recorder is None, timeout=WAIT_MS)


def test_the_virtual_camera_is_switched_on_and_off(window, pipeline, qtbot):
    sink = FakeSink("loopback")
    window.commands.open_virtual_camera = lambda: sink

    window.commands.toggle_virtual_camera()
    qtbot.waitUntil(lambda: "virtual camera on" in window.parts.status.texts(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: len(sink.pictures) > 0, timeout=WAIT_MS)
    window.commands.toggle_virtual_camera()
    qtbot.waitUntil(lambda: "virtual camera off" in window.parts.status.texts(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: sink.closed, timeout=WAIT_MS)


def test_who_shows_the_camera_to_others_is_told_and_shows_the_avatar_again_with_one_click(window, qtbot):
    window.commands.open_virtual_camera = lambda: FakeSink("loopback")
    window.commands.toggle_virtual_camera()
    qtbot.waitUntil(lambda: "virtual camera on" in window.parts.status.texts(), timeout=WAIT_MS)
    window._actions["pass_through"].trigger()
    window.commands.hush()

    qtbot.waitUntil(lambda: window.parts.banner.text.startswith("Others see your camera's own"), timeout=WAIT_MS)
    window.parts.banner.button.click()
    assert window.commands.settings.output.show == "avatar"


def test_calibration_counts_down_first(window, pipeline, monkeypatch):
    asked, now = [], 100.0
    driven = replace(pipeline.state(), frame=Frame(grey(50), 0, 0.0))
    monkeypatch.setattr(pipeline, "state", lambda: driven)
    monkeypatch.setattr(pipeline, "calibrate", lambda: asked.append(now))
    monkeypatch.setattr(window.commands, "_clock", lambda: now)

    window.commands.calibrate()
    marks = []
    for now in (100.0, 101.2, 102.9, 103.0):  # noqa: B007 - the clock reads it
        marks.append(window.commands.tick())
    assert marks == [3, 2, 1, 0]
    assert asked == [103.0]


def test_while_the_countdown_runs_the_driver_is_seen_large_with_the_avatar_over_it(window, pipeline, monkeypatch):
    driven = replace(pipeline.state(), frame=Frame(grey(50), 0, 0.0))
    monkeypatch.setattr(pipeline, "state", lambda: driven)
    window.commands.calibrate()
    window.tick()
    result = window.parts.result
    assert (result.picture is driven.frame.image, result._mark, result._ghost_opacity) == (True, "3", LINED_UP)

    window.commands.calibrate()
    window.tick()
    assert (result.picture is driven.canvas, result._mark, result._ghost_opacity) == (True, "", 0.0)


def test_without_a_driver_there_is_nothing_to_calibrate_on(window):
    for key in ("calibrate", "find_reference"):
        window._actions[key].trigger()

        assert not window.commands.is_calibrating
        assert window.commands.message.startswith("nobody drives the avatar yet; choose a camera")


def test_everything_that_takes_the_focus_has_an_accessible_name(window):
    kinds = (QAbstractButton, QComboBox, QSlider, QListWidget)
    widgets = [widget for kind in kinds for widget in window.parts.page.findChildren(kind)]
    nameless = [
        widget for widget in widgets
        if widget.focusPolicy() and not (widget.accessibleName() or getattr(widget, "text", str)())
    ]  # fmt: skip

    assert len(widgets) > 20
    assert not nameless


@pytest.mark.parametrize("key", ["shortcuts", "notice", "set_up", "crop_avatar", "about"])
def test_everything_in_a_dialog_has_an_accessible_name(window, qtbot, key):
    window._actions[key].trigger()
    qtbot.waitUntil(lambda: window.findChild(QDialog) is not None, timeout=WAIT_MS)
    dialog = window.findChild(QDialog)
    kinds = (QAbstractButton, QAbstractSlider, QAbstractItemView, CropView)
    shown = [each for kind in kinds for each in dialog.findChildren(kind) if each.isVisibleTo(dialog)]
    nameless = [each for each in shown if not (each.accessibleName() or getattr(each, "text", str)())]

    assert shown
    assert not [each for each in nameless if each.focusPolicy() != Qt.FocusPolicy.NoFocus]
    dialog.reject()
