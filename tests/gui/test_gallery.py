"""The strip of avatars: pictures cropped by hand, and those of a watched folder."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent

from puppet import images
from puppet.framing import Square
from puppet.gui import avatars, dialogs
from puppet.gui.crop import CropDialog, CropView
from puppet.saved_settings import SavedSettings
from tests.gui.conftest import WAIT_MS
from tests.live_fakes import grey
from tests.media import write_video

PICTURE = grey(0, width=200, height=100)
SQUARE = Square(50.0, 0.0, 100.0)


@pytest.fixture
def view(qtbot) -> CropView:
    made = CropView(PICTURE, SQUARE)
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


@pytest.fixture
def split(tmp_path):
    """A picture whose left half is black and whose right half is white."""
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[:, 100:] = 255
    path = tmp_path / "split.png"
    images.write_picture(path, picture)
    return path


def test_the_square_is_dragged_and_its_middle_stays_in_the_picture(view, qtbot):
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    qtbot.mouseMove(view, QPoint(240, 150))
    assert view.square == Square(70.0, 0.0, 100.0), "two pixels of the screen are one of the picture"

    qtbot.mouseMove(view, QPoint(390, 290))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton)
    qtbot.mouseMove(view, QPoint(0, 0))
    assert view.square == Square(145.0, 50.0, 100.0)


@pytest.mark.parametrize(
    ("key", "square"),
    [
        (Qt.Key.Key_Right, Square(51.0, 0.0, 100.0)),
        (Qt.Key.Key_Up, Square(50.0, -1.0, 100.0)),
        (Qt.Key.Key_Minus, Square(45.0, -5.0, 110.0)),
    ],
)
def test_the_square_is_moved_and_zoomed_by_keys(view, qtbot, key, square):
    qtbot.keyClick(view, key)

    assert (view.square.x, view.square.y, view.square.side) == pytest.approx((square.x, square.y, square.side))


def test_the_wheel_zooms_within_bounds(view):
    def turn(notches: int) -> None:
        place, angle = QPointF(10, 10), QPoint(0, 120 * notches)
        phase, buttons = Qt.ScrollPhase.NoScrollPhase, Qt.MouseButton.NoButton
        view.wheelEvent(
            QWheelEvent(place, place, QPoint(), angle, buttons, Qt.KeyboardModifier.NoModifier, phase, False)
        )

    turn(1)
    assert view.zoom == pytest.approx(1.1)
    turn(100)
    assert view.square.side == 24
    turn(-100)
    assert view.square.side == 400


def test_a_part_chosen_by_hand_is_driven_and_remembered(window, split, qtbot):
    window.gallery.add([split])
    qtbot.waitUntil(lambda: abs(window.parts.avatar.picture.mean() - 127) < 9, timeout=WAIT_MS)
    window._actions["crop_avatar"].trigger()
    qtbot.waitUntil(lambda: window.findChild(CropDialog) is not None, timeout=WAIT_MS)
    dialog = window.findChild(CropDialog)
    dialog.view.choose(Square(100.0, 0.0, 100.0))
    assert dialog.preview.picture.mean() == 255

    dialog.accept()
    qtbot.waitUntil(lambda: window.parts.avatar.picture.mean() == 255, timeout=WAIT_MS)
    saved = SavedSettings.model_validate_json(window.saved().model_dump_json())
    assert saved.crops == {split: Square(100.0, 0.0, 100.0)}


def test_a_crop_that_is_cancelled_changes_nothing(window, qtbot):
    window.gallery.ask_crop()
    qtbot.waitUntil(lambda: window.findChild(CropDialog) is not None, timeout=WAIT_MS)
    dialog = window.findChild(CropDialog)
    dialog.zoom.slider.setValue(80)
    dialog.reject()

    assert window.saved().crops == {}


def test_a_crop_that_does_not_fit_the_picture_any_more_is_left_out(open_window, split, qtbot):
    saved = SavedSettings(has_agreed=True, crops={split: Square(900.0, 0.0, 50.0)})
    window = open_window(saved=saved, avatar=split)

    qtbot.waitUntil(lambda: window.parts.avatar.picture is not None, timeout=WAIT_MS)
    assert window.parts.avatar.picture.mean() == pytest.approx(127, abs=9)


def test_pictures_of_a_watched_folder_come_and_go(window, tmp_path, qtbot, monkeypatch):
    monkeypatch.setattr("puppet.gui.gallery.LOOK_S", 0.05)
    folder = tmp_path / "folder"
    folder.mkdir()
    images.write_picture(folder / "zoe.png", grey(30))
    (folder / "notes.txt").write_text("no picture")
    before = window.parts.strip.paths
    window.gallery.watch(folder)
    qtbot.waitUntil(lambda: window.parts.strip.paths == [*before, folder / "zoe.png"], timeout=WAIT_MS)

    images.write_picture(folder / "amy.png", grey(40))
    qtbot.waitUntil(lambda: folder / "amy.png" in window.parts.strip.paths, timeout=WAIT_MS)
    os.remove(folder / "zoe.png")
    qtbot.waitUntil(lambda: window.parts.strip.paths == [*before, folder / "amy.png"], timeout=WAIT_MS)
    assert window.saved().folder == folder
    window._actions["watch_folder"].trigger()
    assert (window.parts.strip.paths, window.saved().folder) == (before, None)


def test_a_watched_picture_is_removed_in_its_folder_only(window, tmp_path, qtbot):
    images.write_picture(tmp_path / "zoe.png", grey(30))
    window.parts.strip.watch({tmp_path / "zoe.png": 1.0})
    window.parts.strip.step(-1)
    window.gallery.remove()

    assert window.commands.message.startswith("that picture lies in the watched folder; remove it there")
    assert window.parts.strip.current == tmp_path / "zoe.png"


def test_a_watched_picture_is_driven_again_at_the_next_start_and_stays_the_folders(open_window, tmp_path, qtbot):
    folder = tmp_path / "folder"
    folder.mkdir()
    images.write_picture(folder / "zoe.png", grey(200))
    window = open_window(saved=SavedSettings(has_agreed=True, folder=folder), avatar=folder / "zoe.png")

    qtbot.waitUntil(lambda: window.parts.avatar.picture is not None, timeout=WAIT_MS)
    assert window.parts.strip.current == folder / "zoe.png"
    assert window.saved().added_avatars == ()


def test_a_folder_that_is_gone_is_told_and_forgotten(window, tmp_path, qtbot):
    window.gallery.watch(tmp_path / "nothing")

    qtbot.waitUntil(lambda: "cannot be watched any more" in window.commands.message, timeout=WAIT_MS)
    assert window.gallery.folder is None


def test_a_clip_joins_the_strip_with_its_first_picture(window, qtbot, tmp_path):
    clip = write_video(tmp_path / "face.mp4", [grey(90, width=64, height=64), grey(200, width=64, height=64)])

    window.gallery.add([clip])

    assert window.gallery.strip.current == clip
    np.testing.assert_allclose(avatars.thumbnail(clip, 16), 90, atol=2)


def test_the_dialog_offers_pictures_and_clips_at_once():
    assert "*.png" in dialogs.AVATARS
    assert "*.mp4" in dialogs.AVATARS
    assert dialogs.AVATARS.count("(") == dialogs.AVATARS.count(")") == 1


def test_more_pictures_than_can_be_remembered_do_not_keep_the_rest_from_being(window, tmp_path, monkeypatch):
    monkeypatch.setattr("puppet.gui.window.MOST_AVATARS", 2)
    for name in ("a", "b", "c"):
        images.write_picture(tmp_path / f"{name}.png", grey(30))
        window.parts.strip.crop(tmp_path / f"{name}.png", SQUARE)
    window.gallery.add([tmp_path / f"{name}.png" for name in ("a", "b", "c")])

    saved = window.saved()
    assert saved.added_avatars == (tmp_path / "b.png", tmp_path / "c.png")
    assert len(saved.crops) <= 2


def test_a_long_name_is_cut_and_a_file_that_is_no_picture_says_so(window, tmp_path, qtbot):
    names = ["IMG_20251124_123456_portrait_final_version.png", "broken.png"]
    for name in names:
        (tmp_path / name).write_text("no picture")
    strip = window.parts.strip
    strip.watch({tmp_path / name: 1.0 for name in names})

    item = strip.item(strip.count() - 2)
    assert len(item.text()) < 24
    assert "…" in item.text()
    qtbot.waitUntil(lambda: "is not a picture that can be read" in item.toolTip(), timeout=WAIT_MS)
