"""A plot of the last seconds: what was read, what was shown, how far from the reference, where limits acted."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QDockWidget, QMainWindow, QWidget
from typing_extensions import override

from puppet.calibration import DRIFTED

if TYPE_CHECKING:
    from puppet.state import LiveState, Shot

FRAMES = 240
"""Frames that are kept: eight seconds at 30 a second."""
GROUND, GRID, INK = QColor(22, 24, 29), QColor(255, 255, 255, 40), QColor(255, 255, 255, 190)
ROWS: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("Head, around its middle", ("driver across", "driver down", "avatar across", "avatar down"), 0.25),
    ("Avatar's parts", ("stretch", "squeeze", "turn"), 0.15),
    ("Far from the reference", ("distance", "parts held back"), DRIFTED),
)
"""Titles, lines, and the value at the upper edge; the first two are shown around their medians."""
CENTRED = 2
COLOURS = (QColor(120, 170, 255), QColor(255, 180, 90), QColor(120, 255, 170), QColor(255, 120, 160))


class Sample(NamedTuple):
    """One frame."""

    number: int
    values: tuple[tuple[float, ...], ...]
    """By row and line."""


def sample(shot: Shot, drift: float) -> Sample | None:
    """What the plot keeps of a frame; None if nothing was rendered."""
    rendered = shot.rendered
    if rendered is None:
        return None
    driver, avatar = rendered.driving, rendered.target
    places = [float(value) for motion in (driver, avatar) for value in motion.shift.mean(axis=0)]
    values = np.log(np.maximum(np.linalg.svd(avatar.affine, compute_uv=False), 1e-3)).mean(axis=0)
    turn = np.arctan2(
        avatar.affine[:, 1, 0] - avatar.affine[:, 0, 1], avatar.affine[:, 0, 0] + avatar.affine[:, 1, 1]
    ).mean()
    affines = float(values[0]), float(values[1]), float(turn)
    share = rendered.limited / len(avatar.shift)
    return Sample(shot.frame.index, (tuple(places), affines, (drift, share * DRIFTED)))


class MotionPlot(QWidget):
    """Three rows of lines, the newest frame at the right."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Motion of the last seconds")
        self.samples: deque[Sample] = deque(maxlen=FRAMES)

    def add(self, state: LiveState) -> None:
        """Take the newest frame, once."""
        if state.shot is None or (self.samples and self.samples[-1].number == state.shot.frame.index):
            return
        taken = sample(state.shot, state.face.drift)
        if taken is not None and self.samples and taken.number < self.samples[-1].number:
            self.samples.clear()  # another source
        if taken is not None:
            self.samples.append(taken)
            self.update()

    @override
    def sizeHint(self) -> QSize:
        letter = self.fontMetrics().height()
        return QSize(40 * letter, 14 * letter)

    @override
    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), GROUND)
        height = self.height() / len(ROWS)
        for row in range(len(ROWS)):
            self._draw_row(painter, QRectF(0, row * height, self.width(), height), row)
        painter.end()

    def _draw_row(self, painter: QPainter, place: QRectF, row: int) -> None:
        title, names, most = ROWS[row]
        letter = self.fontMetrics().height()
        is_centred = row < CENTRED
        plot = place.adjusted(letter, 1.4 * letter, -letter, -letter / 2)
        zero = plot.center().y() if is_centred else plot.bottom()
        scale = plot.height() / (2 * most if is_centred else 1.2 * most)
        painter.setPen(QPen(GRID, 1))
        painter.drawLine(QPointF(plot.left(), zero), QPointF(plot.right(), zero))
        painter.setPen(INK)
        painter.drawText(QPointF(plot.left(), place.top() + letter), title)
        values = np.array([each.values[row] for each in self.samples]).reshape(-1, len(names))
        if is_centred and len(values):
            values = values - np.median(values, axis=0)
        across = plot.right() - plot.width() / (FRAMES - 1) * np.arange(len(values))[::-1]
        down = np.clip(zero - values * scale, plot.top(), plot.bottom())
        left = plot.left() + self.fontMetrics().horizontalAdvance(title) + letter
        for number, name in enumerate(names):
            painter.setPen(QPen(COLOURS[number], 1.4))
            points = [QPointF(x, y) for x, y in zip(across.tolist(), down[:, number].tolist(), strict=True)]
            painter.drawPolyline(QPolygonF(points))
            painter.drawText(QPointF(left, place.top() + letter), name)
            left += self.fontMetrics().horizontalAdvance(name) + letter


class MotionDock(QDockWidget):
    """The plot below the picture; hidden until it is wanted, and costs nothing while it is."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__("Motion", window)
        self.setObjectName("motion")
        self.plot = MotionPlot()
        self.setWidget(self.plot)
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self)
        self.hide()

    def follow(self, state: LiveState) -> None:
        """Show the newest frame."""
        if self.isVisible():
            self.plot.add(state)

    def toggle(self) -> None:
        """Show or hide it."""
        self.setVisible(self.isHidden())
