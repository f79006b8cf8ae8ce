"""Icons as lines on a grid of 24 units, drawn in the colour of the text around them, at any size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PyQt6.QtSvg import QSvgRenderer
from typing_extensions import override

if TYPE_CHECKING:
    from PyQt6.QtGui import QColor

FOLDER = Path(__file__).parents[1] / "assets" / "icons"
DRAWINGS = {
    "add_avatars": '<path d="M12 5v14M5 12h14"/>',
    "calibrate": '<circle cx="12" cy="12" r="6.5"/><path d="M12 2.5V8M12 16v5.5M2.5 12H8M16 12h5.5"/>',
    "virtual_camera": '<rect x="2.5" y="6.5" width="13" height="11" rx="2.5"/><path d="M15.5 11 21.5 7.5v9L15.5 13"/>',
    "record": '<circle cx="12" cy="12" r="8.5"/><circle cx="12" cy="12" r="4" fill="currentColor"/>',
    "snapshot": '<rect x="2.5" y="7.5" width="19" height="12" rx="2"/><path d="M7.5 7.5 9 5h6l1.5 2.5"/>'
    '<circle cx="12" cy="13" r="3.4"/>',
    "pass_through": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20c.8-4 3.8-6 7.5-6s6.7 2 7.5 6"/>',
    "hide": '<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/>'
    '<circle cx="12" cy="12" r="2.8"/><path d="M4.5 4.500l15 15"/>',
}
"""By the key of the command."""
FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.6" '
    'stroke-linecap="round" stroke-linejoin="round">{}</svg>'
)


class LineEngine(QIconEngine):
    """Draws when it is asked to, so that it follows light and dark schemes and sharp screens."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    @override
    def paint(self, painter: QPainter | None, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        if painter is None:
            return
        drawing = FRAME.format(DRAWINGS[self._key]).replace("currentColor", _ink(mode, state).name())
        renderer = QSvgRenderer(QByteArray(drawing.encode()))
        painter.save()
        if mode == QIcon.Mode.Disabled:
            painter.setOpacity(0.4)
        renderer.render(painter, QRectF(rect))
        painter.restore()

    @override
    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        made = QPixmap(size)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return made

    @override
    def clone(self) -> QIconEngine:
        return LineEngine(self._key)


def icon(key: str) -> QIcon:
    """The icon of a command; an empty one if it has none."""
    return QIcon(LineEngine(key)) if key in DRAWINGS else QIcon()


def program_icon() -> QIcon:
    """Of the program itself."""
    return QIcon(str(FOLDER / "puppet.svg"))


def _ink(mode: QIcon.Mode, state: QIcon.State) -> QColor:
    """A button that is on has the colour of what is chosen behind it."""
    is_on = state == QIcon.State.On
    role = QPalette.ColorRole.HighlightedText if is_on else QPalette.ColorRole.ButtonText
    return QGuiApplication.palette().color(role)
