"""What drives the avatar, as the window offers and chooses it."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import (
    QDialog,
)

from puppet.saved_settings import SavedSettings
from puppet.sources.cameras import CameraInfo
from tests.gui.conftest import WAIT_MS
from tests.media import brightening, write_video

CAMERA = CameraInfo("Fine camera", "/dev/video77", 200, "usb-1")


def test_cameras_are_opened_only_after_the_notice(open_window, pipeline, qtbot):
    window = open_window(saved=SavedSettings(), list_cameras=lambda: [CAMERA])
    qtbot.waitUntil(lambda: window.parts.picker.cameras == [CAMERA], timeout=WAIT_MS)
    assert window.parts.picker.wanted == "scripted"

    window.show_notice()
    window.findChild(QDialog).accept()
    assert window.parts.picker.wanted == "Fine camera"
    qtbot.waitUntil(lambda: pipeline.state().source.name == "Fine camera", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: "Fine camera" in window.parts.banner.text, timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("asked", "wanted", "sentence"),
    [
        ("0", "Fine camera", ""),
        ("fine", "Fine camera", ""),
        ("Gone camera", "Fine camera", "there is no camera 'Gone camera'; there is Fine camera (/dev/video77)"),
        ("none.mp4", "none.mp4", ""),
    ],
)
def test_a_source_may_be_asked_for_as_on_the_command_line(open_window, qtbot, asked, wanted, sentence):
    window = open_window(source=asked)
    window._offer_cameras([CAMERA])

    assert window.parts.picker.wanted == wanted
    assert window.commands.message == sentence
    if wanted == "none.mp4":
        qtbot.waitUntil(lambda: "no video at none.mp4" in window.parts.banner.text, timeout=WAIT_MS)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_virtual_camera_is_listed_but_neither_chosen_nor_offered_unasked(open_window, qtbot, is_first):
    ours = CameraInfo("Puppet", "/dev/video10", 200, is_virtual=True)
    window = open_window(list_cameras=lambda: [ours] if is_first else [])
    qtbot.waitUntil(lambda: window.parts.picker.cameras is not None, timeout=WAIT_MS)
    window._offer_cameras([ours])

    assert window.parts.picker.findText("Puppet") >= 0
    assert window.parts.picker.wanted == "scripted"
    assert "plugged in" not in window.parts.banner.text


def test_a_camera_that_comes_later_is_offered(open_window, qtbot):
    window = open_window()
    qtbot.waitUntil(lambda: window.parts.picker.cameras == [], timeout=WAIT_MS)
    window._offer_cameras([CAMERA])

    assert window.parts.picker.itemText(0) == "Fine camera"
    assert window.parts.picker.wanted == "scripted"
    qtbot.waitUntil(lambda: window.parts.banner.text.startswith("Fine camera was plugged in"), timeout=WAIT_MS)
    window.parts.banner.button.click()
    assert window.parts.picker.wanted == "Fine camera"


def test_a_video_drives_instead_of_a_camera(window, pipeline, tmp_path, qtbot):
    clip = write_video(tmp_path / "clip.mp4", brightening(10, width=64, height=48), rate=25)
    window.parts.picker.choose(str(clip))

    qtbot.waitUntil(lambda: window.parts.camera.picture is not None, timeout=WAIT_MS)
    assert pipeline.state().source.name == "clip.mp4"
    assert window.parts.picker.currentText() == "clip.mp4"
