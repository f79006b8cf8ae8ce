"""Views of pictures, and the head that is drawn where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage

from puppet.gui.preview import GROUND, PictureView, as_qimage
from puppet.sources.head import Pose

ORANGE = (250, 100, 20)


@pytest.fixture
def view(qtbot) -> PictureView:
    made = PictureView("Test", aspect=1.0, units=20)
    qtbot.addWidget(made)
    made.resize(80, 80)
    return made


def drawn(view: PictureView) -> np.ndarray:
    """uint8 (H, W, 3)."""
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint8).reshape(image.height(), -1)
    # A copy: the picture's memory is Qt's, and freed with it.
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def test_colours_are_shown_as_they_are_and_mirrored_on_request(view):
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, :20] = ORANGE

    view.show_picture(picture)
    assert (tuple(drawn(view)[40, 20]), tuple(drawn(view)[40, 60])) == (ORANGE, (0, 0, 0))
    view.show_picture(picture, mirror=True)
    assert (tuple(drawn(view)[40, 20]), tuple(drawn(view)[40, 60])) == ((0, 0, 0), ORANGE)


def test_a_picture_of_another_shape_keeps_its_proportions(view):
    view.show_picture(np.full((20, 40, 3), ORANGE, np.uint8))

    ground = QColor(GROUND).getRgb()[:3]
    assert tuple(drawn(view)[40, 40]) == ORANGE
    assert tuple(drawn(view)[10, 40]) == ground
    assert tuple(drawn(view)[70, 40]) == ground


def test_a_large_picture_is_shrunk_before_it_is_drawn(view, rng):
    picture = rng.integers(0, 255, (720, 1280, 3)).astype(np.uint8)
    view.show_picture(picture)

    assert view.picture is picture
    assert view._image.width() == 80


def test_what_the_model_does_not_see_is_dimmed_and_the_ghost_lies_inside(view):
    view.show_picture(np.full((40, 40, 3), 200, np.uint8))
    view.show_guide(QRectF(0.25, 0.25, 0.5, 0.5))
    plain = drawn(view)
    assert plain[40, 40, 0] == 200 > plain[40, 8, 0] + 50

    view.show_guide(QRectF(0.25, 0.25, 0.5, 0.5), ghost=as_qimage(np.zeros((8, 8, 3), np.uint8)), opacity=0.5)
    assert drawn(view)[40, 40, 0] == pytest.approx(100, abs=2)


@pytest.mark.parametrize("pose", [Pose(yaw=0.3), Pose(roll=0.3), Pose(blink=1.0), Pose(jaw=1.0), Pose(smile=1.0)])
def test_the_drawn_head_takes_the_pose(view, pose):
    view.show_pose(Pose())
    rest = drawn(view).astype(int)
    view.show_pose(pose)

    assert np.abs(drawn(view).astype(int) - rest).max() > 60
    view.show_picture(np.zeros((8, 8, 3), np.uint8))
    assert drawn(view)[10:70, 10:70].max() == 0, "a picture takes its place"
