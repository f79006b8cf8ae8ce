"""Which part of a picture is the avatar, chosen by hand: a square that is moved and zoomed over the whole picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QWheelEvent
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from puppet import images
from puppet.framing import LEAST_CROP, MOST_CROP, Square, centre_square
from puppet.gui.preview import GROUND, PictureView, as_qimage
from puppet.gui.widgets import Slider

if TYPE_CHECKING:
    from collections.abc import Callable

    from puppet.types import Image

SHOWN_SIDE = 1400
"""Pixels: a larger picture is shrunk once, to be drawn quickly."""
PREVIEW_SIDE = 320
OUTSIDE = QColor(0, 0, 0, 140)
LINE, FAINT = QColor(255, 255, 255, 230), QColor(255, 255, 255, 90)
MOST_ZOOM = 6.0
STEP, LARGE_STEP = 0.01, 0.05
"""Of the square's side: how far an arrow key moves it, alone and with Shift."""
NOTCH = 1.1
"""Zoom by one notch of the wheel, or one press of + or -."""
FACE = QRectF(0.5 - 0.22, 0.5 - 0.24, 0.44, 0.58)
"""Where the model likes a face to be, over the square."""
HINT = (
    "Drag the square, or move it with the arrow keys; zoom with the wheel, or with + and -. "
    "It goes best when the face fills the oval."
)


class CropView(QWidget):
    """The whole picture with the square over it. Emits what the user chooses."""

    changed = pyqtSignal()

    def __init__(self, picture: Image, square: Square) -> None:
        super().__init__()
        self.setAccessibleName("Part of the picture")
        self.setAccessibleDescription("a square, moved by the arrow keys and zoomed by + and -")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.SizeAllCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._size = QSize(picture.shape[1], picture.shape[0])
        self._image = as_qimage(images.fit(picture, longest=SHOWN_SIDE))
        self._square = square
        self._grip: tuple[QPointF, Square] | None = None

    @property
    def square(self) -> Square:
        """In pixels of the picture."""
        return self._square

    @property
    def zoom(self) -> float:
        """1 is the largest square that lies within the picture."""
        return min(self._size.width(), self._size.height()) / self._square.side

    def choose(self, square: Square) -> None:
        """Take another one, as near to it as may be: its middle stays in the picture."""
        width, height = self._size.width(), self._size.height()
        side = min(max(square.side, LEAST_CROP), MOST_CROP * max(width, height))
        x = min(max(square.x + square.side / 2, 0.0), width) - side / 2
        y = min(max(square.y + square.side / 2, 0.0), height) - side / 2
        if (chosen := Square(x, y, side)) != self._square:
            self._square = chosen
            self.update()
            self.changed.emit()

    def zoom_to(self, zoom: float) -> None:
        """Keep the middle."""
        old, side = self._square, min(self._size.width(), self._size.height()) / zoom
        self.choose(Square(old.x + (old.side - side) / 2, old.y + (old.side - side) / 2, side))

    def move_by(self, x: float, y: float) -> None:
        """Move it, in pixels of the picture."""
        self.choose(replace(self._square, x=self._square.x + x, y=self._square.y + y))

    @override
    def sizeHint(self) -> QSize:
        unit = self.fontMetrics().height()
        return QSize(36 * unit, 30 * unit)

    @override
    def minimumSizeHint(self) -> QSize:
        return self.sizeHint() / 2

    @override
    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position(), self._square

    @override
    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        if event is not None and self._grip is not None:
            start, square = self._grip
            moved = (event.position() - start) / self._scale()
            self.choose(replace(square, x=square.x + moved.x(), y=square.y + moved.y()))

    @override
    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        self._grip = None

    @override
    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is not None:
            self.zoom_to(self.zoom * NOTCH ** (event.angleDelta().y() / 120))
            event.accept()

    @override
    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        if event is None:
            return
        is_large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        step = self._square.side * (LARGE_STEP if is_large else STEP)
        moves = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        zooms = {Qt.Key.Key_Plus: NOTCH, Qt.Key.Key_Equal: NOTCH, Qt.Key.Key_Minus: 1 / NOTCH}
        key = Qt.Key(event.key())
        if key in moves:
            self.move_by(moves[key][0] * step, moves[key][1] * step)
        elif key in zooms:
            self.zoom_to(self.zoom * zooms[key])
        else:
            super().keyPressEvent(event)

    @override
    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        whole, clip = QRectF(self.rect()), QPainterPath()
        clip.addRoundedRect(whole, 8, 8)
        painter.setClipPath(clip)
        painter.fillRect(whole, GROUND)
        scale, corner = self._scale(), self._corner()
        painter.drawImage(
            QRectF(corner.x(), corner.y(), self._size.width() * scale, self._size.height() * scale), self._image
        )
        square = self._square
        place = QRectF(
            corner.x() + square.x * scale, corner.y() + square.y * scale, square.side * scale, square.side * scale
        )
        outside, inside = QPainterPath(), QPainterPath()
        outside.addRect(whole)
        inside.addRect(place)
        painter.fillPath(outside.subtracted(inside), OUTSIDE)
        painter.setPen(QPen(LINE, 3 if self.hasFocus() else 2))
        painter.drawRect(place)
        painter.setPen(QPen(FAINT, 1.5, Qt.PenStyle.DashLine))
        painter.drawEllipse(
            QRectF(
                place.x() + FACE.x() * place.width(),
                place.y() + FACE.y() * place.height(),
                FACE.width() * place.width(),
                FACE.height() * place.height(),
            )
        )
        painter.end()

    def _scale(self) -> float:
        """Pixels of the screen over those of the picture."""
        return min(self.width() / self._size.width(), self.height() / self._size.height())

    def _corner(self) -> QPointF:
        scale = self._scale()
        return QPointF(
            (self.width() - self._size.width() * scale) / 2, (self.height() - self._size.height() * scale) / 2
        )


class CropDialog(QDialog):
    """Shows the part at once as the avatar would be; calls `take` with what was chosen."""

    def __init__(
        self,
        parent: QWidget | None,
        picture: Image,
        *,
        found: Square,
        chosen: Square | None,
        take: Callable[[Square], None],
    ) -> None:
        """Make it.

        Args:
            parent: the window.
            picture: uint8 (H, W, 3) RGB.
            found: the part that is taken when nobody chooses.
            chosen: the part that was chosen before.
            take: called when the user accepts.
        """
        super().__init__(parent)
        self.setWindowTitle("Crop the avatar")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._small = images.fit(picture, longest=SHOWN_SIDE)
        self._shrunk = self._small.shape[1] / picture.shape[1]
        self.view = CropView(picture, chosen or found)
        self.zoom = Slider("Zoom", "size of the face; 1 is the largest square in the picture", bounds=(0.5, MOST_ZOOM))
        self.preview = PictureView("As the avatar", aspect=1.0, units=34)
        face = QPushButton("Find the face")
        face.setToolTip("Takes the part that is taken when nobody chooses")
        face.clicked.connect(lambda: self.view.choose(found))
        centre = QPushButton("Use the middle")
        centre.setToolTip("Takes the largest square in the middle of the picture")
        centre.clicked.connect(lambda: self.view.choose(centre_square(picture.shape[1], picture.shape[0])))
        self._lay_out(face, centre)
        self.view.changed.connect(self._follow)
        self.zoom.changed.connect(lambda: self.view.zoom_to(self.zoom.value()))
        self.accepted.connect(lambda: take(self.view.square))
        self.view.setFocus()
        self._follow()

    def _lay_out(self, face: QPushButton, centre: QPushButton) -> None:
        hint = QLabel(HINT)
        hint.setWordWrap(True)
        hint.setObjectName("hint")
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        use = box.addButton("Use this part", QDialogButtonBox.ButtonRole.AcceptRole)
        if use is not None:
            use.setObjectName("primary")
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        column = QVBoxLayout()
        caption = QLabel("As the avatar")
        caption.setObjectName("caption")
        for widget in (caption, self.preview, QLabel("Zoom"), self.zoom, face, centre, hint):
            column.addWidget(widget)
        column.addStretch()
        row = QHBoxLayout()
        row.addWidget(self.view, 1)
        row.addLayout(column)
        gap = self.fontMetrics().height()
        row.setSpacing(gap)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(gap, gap, gap, gap)
        whole.setSpacing(gap)
        whole.addLayout(row, 1)
        whole.addWidget(box)

    def _follow(self) -> None:
        self.zoom.set_value(self.view.zoom)
        square, scale = self.view.square, self._shrunk
        small = Square(square.x * scale, square.y * scale, square.side * scale)
        self.preview.show_picture(images.crop(self._small, small, size=PREVIEW_SIDE, quick=True))
