"""The plots of motion in the window."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QGuiApplication, QImage, QPainter

from puppet import trace
from puppet.gui import plots, style
from puppet.gui.motion_dock import FRAMES, MotionPlots
from puppet.state import Shot
from puppet.types import Frame, Motion, Rendered
from tests.gui.conftest import WAIT_MS
from tests.live_fakes import grey

RATE = 30


def motion(x: float = 0.0) -> Motion:
    return Motion(np.full((3, 2), x, np.float32), np.stack([np.eye(2, dtype=np.float32)] * 3))


def shot(number: int, x: float = 0.0, *, limited: int = 0) -> Shot:
    frame = Frame(grey(90), number, number / RATE)
    rendered = Rendered(grey(90), frame, motion(x), motion(x), limited=limited, first=motion(), rest=motion())
    return Shot(frame, None, rendered, motion(x))


@pytest.fixture
def shown(qtbot):
    """The plots, with two parts chosen."""
    made = MotionPlots()
    qtbot.addWidget(made)
    made.resize(900, 240)
    made.parts = (0, 1)
    yield made
    made.stop()


def test_the_dock_is_off_at_first_then_follows_and_forgets_when_hidden(window, qtbot):
    assert window.trace.isHidden()
    window.trace.toggle()

    qtbot.waitUntil(lambda: len(window.trace.plots.samples) > 5, timeout=WAIT_MS)
    window.trace.toggle()
    assert window.trace.isHidden()
    assert not window.trace.plots.samples


def test_parts_are_chosen_and_named_in_the_legend(window, qtbot):
    window.trace.toggle()
    qtbot.waitUntil(lambda: len(window.trace.plots.samples) > 0, timeout=WAIT_MS)
    dock = window.trace

    assert dock.parts.names == ("part_1", "part_2", "part_3"), "the fake model cannot swap, so nobody names its parts"
    dock.parts.set_value(("part_2",))
    dock.parts.changed.emit()
    assert dock.plots.parts == (1,)
    assert "part&nbsp;2" in dock._legend.text()
    assert "part&nbsp;1" not in dock._legend.text()


def test_each_frame_counts_once_and_no_more_are_kept_than_fit(shown):
    for number in range(FRAMES + 20):
        for _ in range(2):
            shown.add(shot(number))

    assert len(shown.samples) == FRAMES
    shown.add(shot(3))
    assert len(shown.samples) == 1, "another source begins anew"


def test_it_is_painted_ten_times_a_second_at_most(shown, qtbot, monkeypatch):
    painted = []
    monkeypatch.setattr(plots, "draw", lambda *_, **__: painted.append(1))
    shown.show()
    qtbot.waitUntil(lambda: len(painted) == len(trace.PLOTS), timeout=WAIT_MS)

    for number in range(50):
        shown.add(shot(number))
    shown.repaint()
    assert shown._timer.isActive()
    qtbot.waitUntil(lambda: not shown._timer.isActive(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: len(painted) == 3 * len(trace.PLOTS), timeout=WAIT_MS)


def test_lines_and_limits_are_drawn(shown):
    empty = shown.grab().toImage()
    for number in range(40):
        shown.add(shot(number, number / 100))
    moved = shown.grab().toImage()
    shown.add(shot(40, 0.4, limited=1))

    assert empty != moved
    assert held_pixels(shown.grab().toImage()) > held_pixels(moved)


def held_pixels(image: QImage) -> int:
    """More red than blue."""
    colours = [image.pixelColor(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 8)]
    return sum(colour.red() > colour.blue() + 25 for colour in colours)


@pytest.mark.parametrize("is_dark", [False, True])
def test_plots_take_the_colours_of_the_scheme(qapp, monkeypatch, is_dark):
    monkeypatch.setattr(QGuiApplication, "palette", lambda: style.palette(is_dark=is_dark))
    image = QImage(300, 120, QImage.Format.Format_RGB32)
    times, none = plots.Times(np.zeros(0), np.zeros(0, bool)), np.zeros((0, 2, 1), np.float32)

    painter = QPainter(image)
    lines = plots.Lines(none, trace.colours(1, is_dark=is_dark))
    plots.draw(painter, QRectF(0, 0, 300, 120), plot=trace.PLOTS[0], times=times, lines=lines)
    painter.end()

    assert plots.is_dark() == is_dark
    assert (image.pixelColor(295, 60).lightness() < 128) == is_dark


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 0.0, (-0.05, 0.05)), (-0.31, 0.02, (-0.4, 0.2)), (0.0, 0.9, (-0.5, 1.0)), (-0.001, 0.07, (-0.05, 0.1))],
)
def test_an_axis_is_round_numbers_around_what_is_shown(low, high, expected):
    scale = plots.axis(low, high, least=(-0.05, 0.05))

    assert (scale.low, scale.high) == pytest.approx(expected)
    assert 2 <= round((scale.high - scale.low) / scale.step) <= plots.INTERVALS + 1


def test_lines_and_bands_are_broken_where_frames_are_missing(qapp, monkeypatch):
    pieces = []
    monkeypatch.setattr(plots, "_draw_lines", lambda painter, across, *_: pieces.append(len(across)))
    monkeypatch.setattr(plots, "_draw_held", lambda painter, place, across, *_: pieces.append(len(across)))
    image = QImage(300, 120, QImage.Format.Format_RGB32)
    times = plots.Times(np.array([5.0, 4.9, 4.8, 0.1, 0.0]), np.zeros(5, bool))

    painter = QPainter(image)
    lines = plots.Lines(np.zeros((5, 2, 1), np.float32), trace.colours(1, is_dark=False))
    plots.draw(painter, QRectF(0, 0, 300, 120), plot=trace.PLOTS[0], times=times, lines=lines)
    painter.end()

    assert pieces == [3, 3, 2, 2]
