"""Draws one plot of `puppet.trace`: a card with a title, an axis that stays still, and the lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QGuiApplication, QPainter, QPalette, QPen, QPolygonF

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from puppet.trace import Plot
    from puppet.types import Floats, Image

SECONDS = 8.0
"""That are shown."""
GAP_S = 1.0
"""Without a frame; lines are broken there."""
EVERY_S = 2.0
"""Between the lines of the time axis."""
INTERVALS = 3
"""Of the other axis, at most."""
STEPS = (1.0, 2.0, 5.0, 10.0)
FAINT = 110
"""Opacity of what goes in, of 255."""
SMALLER = 0.85
"""Size of numbers and units over that of titles."""
BREAKS, HELD = QColor(224, 122, 31), QColor(224, 122, 31, 70)
"""Of a value worth a line, and behind the lines where limits acted."""


class Times(NamedTuple):
    """The N frames that are drawn."""

    ages: NDArray[np.float64]
    """(N,): seconds before the newest frame, falling to 0."""
    is_held: NDArray[np.bool_]
    """(N,): whether limits acted."""


class Lines(NamedTuple):
    """What is drawn of P parts."""

    values: Floats
    """(N, curves of this plot, P)."""
    colours: Image
    """(P, 3) RGB."""


class Axis(NamedTuple):
    """Round numbers around what is shown."""

    low: float
    high: float
    step: float


def axis(low: float, high: float, *, least: tuple[float, float]) -> Axis:
    """An axis that shows what lies between two values, and what it shows in any case; it seldom changes, in steps."""
    low, high = min(low, least[0]), max(high, least[1])
    rough = (high - low) / INTERVALS
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(each for each in STEPS if each * power >= rough * (1 - 1e-9))
    return Axis(step * math.floor(low / step + 1e-6), step * math.ceil(high / step - 1e-6), step)


def is_dark() -> bool:
    """Whether what is drawn lies on a dark ground."""
    return QGuiApplication.palette().color(QPalette.ColorRole.Base).lightness() < 128


def draw(painter: QPainter, card: QRectF, *, plot: Plot, times: Times, lines: Lines) -> None:
    """Draw a plot into its place."""
    letter = painter.fontMetrics().height()
    palette = QGuiApplication.palette()
    ink, faint = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.PlaceholderText)
    grid = palette.color(QPalette.ColorRole.Midlight)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(grid, 1))
    painter.setBrush(palette.color(QPalette.ColorRole.Base))
    painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), letter / 3, letter / 3)
    _write_title(painter, card, plot, colours=(ink, faint))
    low, high = (float(lines.values.min()), float(lines.values.max())) if lines.values.size else plot.least
    scale = axis(low, high, least=plot.least)
    place = card.adjusted(3.4 * letter, 1.9 * letter, -0.6 * letter, -1.2 * letter)
    _draw_grid(painter, place, plot, scale, colours=(grid, faint))
    painter.save()
    painter.setClipRect(place)
    across = place.right() - times.ages * (place.width() / SECONDS)
    down = place.bottom() - (lines.values - scale.low) * _unit(place, scale)
    pieces = np.split(np.arange(len(across)), np.flatnonzero(-np.diff(times.ages) > GAP_S) + 1)
    for piece in pieces:
        _draw_held(painter, place, across[piece], times.is_held[piece])
        _draw_lines(painter, across[piece], down[piece], plot, lines.colours)
    painter.restore()


def _write_title(painter: QPainter, card: QRectF, plot: Plot, *, colours: tuple[QColor, QColor]) -> None:
    letter = painter.fontMetrics().height()
    baseline = QPointF(card.left() + letter / 2, card.top() + 1.15 * letter)
    painter.setPen(colours[0])
    painter.drawText(baseline, plot.title)
    if plot.unit:
        baseline += QPointF(painter.fontMetrics().horizontalAdvance(plot.title) + letter / 2, 0)
        painter.setPen(colours[1])
        _write_small(painter, baseline, plot.unit)


def _draw_grid(painter: QPainter, place: QRectF, plot: Plot, scale: Axis, *, colours: tuple[QColor, QColor]) -> None:
    """Lines and numbers of both axes; the line of rest is stronger."""
    grid, faint = colours
    letter = painter.fontMetrics().height()
    for number in range(round((scale.high - scale.low) / scale.step) + 1):
        value = scale.low + number * scale.step
        down = place.bottom() - number * scale.step * _unit(place, scale)
        is_rest = abs(value - plot.rest) < scale.step / 1000
        painter.setPen(_pen(faint if is_rest else grid))
        painter.drawLine(QPointF(place.left(), down), QPointF(place.right(), down))
        painter.setPen(faint)
        text = f"{value:.{max(0, -math.floor(math.log10(scale.step)))}f}".replace("-", "−")  # noqa: RUF001
        _write_small(painter, QPointF(place.left() - letter / 3, down + letter / 4), text, is_left=True)
    for number in range(round(SECONDS / EVERY_S) + 1):
        along = place.right() - number * EVERY_S * place.width() / SECONDS
        painter.setPen(_pen(grid))
        painter.drawLine(QPointF(along, place.top()), QPointF(along, place.bottom()))
        painter.setPen(faint)
        text = f"−{number * EVERY_S:g} s" if number else "now"  # noqa: RUF001
        _write_small(painter, QPointF(along + letter / 2, place.bottom() + 0.9 * letter), text, is_left=True)
    if plot.mark is not None and plot.mark <= scale.high:
        painter.setPen(QPen(BREAKS, 1, Qt.PenStyle.DashLine))
        down = place.bottom() - (plot.mark - scale.low) * _unit(place, scale)
        painter.drawLine(QPointF(place.left(), down), QPointF(place.right(), down))


def _draw_held(painter: QPainter, place: QRectF, across: NDArray[np.float64], is_held: NDArray[np.bool_]) -> None:
    """Bands, each from the frame before limits acted to the last in which they did."""
    edges = np.flatnonzero(np.diff(is_held, prepend=False, append=False)).reshape(-1, 2)
    for first, end in edges.tolist():
        left, right = across[max(first - 1, 0)], across[end - 1]
        # Edges between pixels would be blended, which is slow.
        painter.fillRect(QRectF(left, place.top(), max(1.0, right - left), place.height()).toRect(), HELD)


def _draw_lines(
    painter: QPainter, across: NDArray[np.float64], down: NDArray[np.floating], plot: Plot, colours: Image
) -> None:
    """Qt draws lines of one pixel thirty times as fast as wider ones: strong ones are two of them."""
    if not len(across):
        return
    ratio = 1 / painter.device().devicePixelRatioF()  # type: ignore[union-attr]
    for number, curve in sorted(enumerate(plot.curves), key=lambda row: not row[1].is_faint):
        for part, (red, green, blue) in enumerate(colours.tolist()):
            painter.setPen(_pen(QColor(red, green, blue, FAINT if curve.is_faint else 255)))
            line = _polygon(across, down[:, number, part])
            painter.drawPolyline(line)
            if not curve.is_faint:
                painter.drawPolyline(line.translated(0, ratio))


def _polygon(across: NDArray[np.float64], down: NDArray[np.floating]) -> QPolygonF:
    """Written into Qt's own memory, two float64 a point: ten times as fast as making a QPointF of each."""
    polygon = QPolygonF()
    polygon.fill(QPointF(), len(across))
    memory = polygon.data()
    memory.setsize(16 * len(across))
    points = np.frombuffer(memory, np.float64)  # type: ignore[call-overload]  # it has the buffer protocol
    points.reshape(-1, 2)[:] = np.stack([across, down], axis=1)
    return polygon


def _pen(colour: QColor) -> QPen:
    pen = QPen(colour, 1)
    pen.setCosmetic(True)
    return pen


def _unit(place: QRectF, scale: Axis) -> float:
    """Pixels."""
    return place.height() / (scale.high - scale.low)


def _write_small(painter: QPainter, baseline: QPointF, text: str, *, is_left: bool = False) -> None:
    """A unit or a number, to the right of a place or to its left."""
    font, small = painter.font(), QFont(painter.font())
    small.setPointSizeF(SMALLER * font.pointSizeF())
    painter.setFont(small)
    width = painter.fontMetrics().horizontalAdvance(text) if is_left else 0
    painter.drawText(baseline - QPointF(width, 0), text)
    painter.setFont(font)
