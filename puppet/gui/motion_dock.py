"""Plots of the last seconds: what was read, calmed and shown, how far from the reference, and where limits acted."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PyQt6.QtCore import QEvent, QRectF, QSize, Qt, QTimer
from PyQt6.QtGui import QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QMainWindow, QVBoxLayout, QWidget
from typing_extensions import override

from puppet import trace
from puppet.gui import plots
from puppet.gui.widgets import Parts

if TYPE_CHECKING:
    from puppet.state import LiveState, Shot
    from puppet.types import Floats

FRAMES = 256
"""That are kept, at most: the window looks for a new one thirty times a second."""
PAINT_MS = 100
"""Between two paintings; faster cannot be read."""
LINE = 2 * "\N{BOX DRAWINGS HEAVY HORIZONTAL}"
BLOCK = "\N{FULL BLOCK}"


class Sample(NamedTuple):
    """One frame."""

    number: int
    at: float
    """Seconds, when it was captured."""
    values: Floats
    """(curves, K), see `trace.measure`."""
    is_held: bool
    """Whether limits acted."""


class MotionPlots(QWidget):
    """All plots beside and below each other, the newest frame at the right of each."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Motion of the last seconds")
        self.samples: deque[Sample] = deque(maxlen=FRAMES)
        self.parts: tuple[int, ...] = ()
        """Numbers of those that are shown."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.update)

    def add(self, shot: Shot) -> None:
        """Take a frame; the same one again counts once."""
        if shot.rendered is None or (self.samples and self.samples[-1].number == shot.frame.index):
            return
        values = trace.measure(shot.rendered, shot.read)
        if values is None:
            return
        sample = Sample(shot.frame.index, shot.frame.captured_at, values, shot.rendered.limited > 0)
        last = self.samples[-1] if self.samples else sample
        if sample.number < last.number or values.shape != last.values.shape:
            self.samples.clear()  # another source, another model
        self.samples.append(sample)
        if not self._timer.isActive():
            self._timer.start(PAINT_MS)

    def stop(self) -> None:
        """Nobody looks: paint no more, and begin anew next time."""
        self._timer.stop()
        self.samples.clear()

    @override
    def sizeHint(self) -> QSize:
        letter = self.fontMetrics().height()
        return QSize(60 * letter, 16 * letter)

    @override
    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        gap = self.fontMetrics().height() / 2
        columns = min((1, 2, 3, 6), key=lambda count: abs(self._ratio(count) - 3.0))
        rows = len(trace.PLOTS) // columns
        width, height = (self.width() - gap * (columns - 1)) / columns, (self.height() - gap * (rows - 1)) / rows
        times, values = self._stacked()
        for number, plot in enumerate(trace.PLOTS):
            row, column = divmod(number, columns)
            card = QRectF(column * (width + gap), row * (height + gap), width, height)
            parts = list(self.parts) if plot.has_parts else [0]
            colours = trace.colours(len(parts), is_dark=plots.is_dark())
            lines = plots.Lines(values[:, trace.of_plot(number)][:, :, parts], colours)
            plots.draw(painter, card, plot=plot, times=times, lines=lines)
        painter.end()

    def _ratio(self, columns: int) -> float:
        """Of a plot's width to its height, with so many columns."""
        return self.width() / columns / max(1.0, self.height() * columns / len(trace.PLOTS))

    def _stacked(self) -> tuple[plots.Times, Floats]:
        """What is kept of the seconds that are shown; values (N, curves, K)."""
        newest = self.samples[-1].at if self.samples else 0.0
        shown = [sample for sample in self.samples if newest - sample.at <= plots.SECONDS]
        ages = np.array([newest - sample.at for sample in shown], np.float64)
        is_held = np.array([sample.is_held for sample in shown], bool)
        parts = 1 + max(self.parts, default=0)
        values = np.stack([sample.values for sample in shown]) if shown else np.zeros((0, trace.CURVES, parts))
        return plots.Times(ages, is_held), values.astype(np.float32)


class MotionDock(QDockWidget):
    """The plots below the picture; hidden until they are wanted, and at no cost while they are."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__("Motion", window)
        self.setObjectName("motion")
        self.plots = MotionPlots()
        self.parts = Parts("Parts", "whose motion is plotted")
        self.parts.changed.connect(self._choose)
        self._names: tuple[str, ...] = ()
        self._legend, self._key = QLabel(), QLabel()
        self._legend.setWordWrap(True)
        self._key.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        head = QHBoxLayout()
        head.addWidget(QLabel("Parts"))
        head.addWidget(self.parts)
        head.addWidget(self._legend, 1)
        head.addWidget(self._key)
        page = QWidget()
        column = QVBoxLayout(page)
        column.addLayout(head)
        column.addWidget(self.plots, 1)
        gap = page.fontMetrics().height()
        column.setContentsMargins(gap, gap // 2, gap, gap // 2)
        self.setWidget(page)
        self.visibilityChanged.connect(lambda is_visible: None if is_visible else self.plots.stop())
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self)
        self.hide()

    def follow(self, state: LiveState, part_names: tuple[str, ...]) -> None:
        """Show the newest frame; the names are empty if the model gives its parts none."""
        if not self.isVisible() or state.shot is None or state.shot.rendered is None:
            return
        parts = len(state.shot.rendered.driving.shift)
        self._offer(part_names if len(part_names) == parts else tuple(f"part_{n + 1}" for n in range(parts)))
        self.plots.add(state.shot)

    def toggle(self) -> None:
        """Show or hide it."""
        self.setVisible(self.isHidden())

    @override
    def changeEvent(self, event: QEvent | None) -> None:
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._write_legend()

    def _offer(self, names: tuple[str, ...]) -> None:
        if names != self._names:
            self._names = names
            self.parts.offer(names)
            self.parts.set_value(tuple(names[index] for index in trace.few(names)))
            self._choose()

    def _choose(self) -> None:
        chosen = self.parts.value()
        self.plots.parts = tuple(index for index, name in enumerate(self._names) if name in chosen)
        self.plots.update()
        self._write_legend()

    def _write_legend(self) -> None:
        """In colours that suit the ground."""
        shown = self.plots.parts
        colours = trace.colours(len(shown), is_dark=plots.is_dark()).tolist()
        entries = []
        for part, (red, green, blue) in zip(shown, colours, strict=True):
            name = self._names[part].replace("_", "&nbsp;")
            entries.append(f'<span style="color:rgb({red},{green},{blue})">{LINE}</span>&nbsp;{name}')
        self._legend.setText("&emsp; ".join(entries))
        faint = self.palette().color(QPalette.ColorRole.Mid).name()
        self._key.setText(
            f'<span style="color:{faint}">{LINE}</span>&nbsp;driver, or as read &emsp; '
            f"{LINE}&nbsp;avatar, or calmed &emsp; "
            f'<span style="color:{plots.BREAKS.name()}">{BLOCK}</span>&nbsp;limits act'
        )
