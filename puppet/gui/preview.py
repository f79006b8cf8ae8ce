"""Views of pictures: as large as there is room, in their own proportions, with rounded corners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QRectF, QSize, Qt, pyqtBoundSignal, pyqtSignal
from PyQt6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from puppet import images
from puppet.gui.figure import draw_head

if TYPE_CHECKING:
    from puppet.sources.head import Pose
    from puppet.types import Image

GROUND = QColor(22, 24, 29)
"""Behind and beside a picture, in light and dark schemes: it shows colours best."""
FAINT = QColor(255, 255, 255, 150)
GUIDE = QColor(255, 255, 255, 200)
EDGE = QColor(255, 255, 255, 28)
"""So that a dark place is seen on a dark ground."""
OUTSIDE = QColor(0, 0, 0, 110)
DISC = QColor(0, 0, 0, 170)
MARK = 6
"""Heights of a line: diameter of a mark's disc, where there is room."""
LEAST = 0.55
"""Of the width that is asked for."""


def as_qimage(image: Image) -> QImage:
    """A copy of uint8 (H, W, 3) RGB."""
    image = np.ascontiguousarray(image)
    height, width = image.shape[:2]
    content = image.tobytes()  # held until it is copied: Qt only looks at it
    return QImage(content, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


class PictureView(QWidget):
    """Shows one picture, or a line of text while there is none."""

    clicked = pyqtSignal(float, float)
    """In shares of the picture, across and down, while it is clickable."""
    hovered = pyqtSignal(float, float)

    def __init__(self, name: str, *, aspect: float, units: int) -> None:
        """Make it.

        Args:
            name: what it shows, for those who cannot see it.
            aspect: width over height of the place it takes.
            units: its width, in widths of a letter; it may shrink from there, and grow.
        """
        super().__init__()
        self.setAccessibleName(name)
        self._aspect = aspect
        self._units = units
        self._shown: Image | None = None
        self._image: QImage | None = None
        self._is_mirrored = False
        self._text = ""
        self._mark = ""
        self._pose: Pose | None = None
        self._guide: QRectF | None = None
        self._ghost: QImage | None = None
        self._ghost_opacity = 0.0
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_picture(self, image: Image | None, *, mirror: bool = False) -> None:
        """Show uint8 (H, W, 3) RGB; nothing is done if it is shown already."""
        if image is self._shown and mirror == self._is_mirrored:
            return
        self._shown, self._is_mirrored = image, mirror
        self._image = None if image is None else as_qimage(self._small_enough(image))
        self.update()

    def show_text(self, text: str) -> None:
        """What stands there while there is no picture."""
        if text != self._text:
            self._text = text
            self.update()

    def show_pose(self, pose: Pose | None) -> None:
        """A drawn head while there is no picture; with the text below it."""
        if pose != self._pose:
            self._pose = pose
            self.update()

    def show_mark(self, text: str) -> None:
        """Something large over the picture, such as the seconds of a countdown; empty: nothing."""
        if text != self._mark:
            self._mark = text
            self.update()

    def show_guide(self, guide: QRectF | None, *, ghost: QImage | None = None, opacity: float = 0.0) -> None:
        """Mark the part that the model sees, as shares of the picture, with a picture laid faintly over it."""
        if (guide, ghost, opacity) != (self._guide, self._ghost, self._ghost_opacity):
            self._guide, self._ghost, self._ghost_opacity = guide, ghost, opacity
            self.update()

    def set_clickable(self, is_clickable: bool) -> None:
        """Whether clicks and movements of the pointer are told."""
        if is_clickable != self.hasMouseTracking():
            self.setMouseTracking(is_clickable)
            self.setCursor(Qt.CursorShape.PointingHandCursor if is_clickable else Qt.CursorShape.ArrowCursor)
            self.setToolTip("")

    @override
    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        self._tell_place(event, self.clicked)

    @override
    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        self._tell_place(event, self.hovered)

    def _tell_place(self, event: QMouseEvent | None, signal: pyqtBoundSignal) -> None:
        if event is None or self._image is None or not self.hasMouseTracking():
            return
        inside = self._inside(self._place(), self._image)
        across = (event.position().x() - inside.x()) / inside.width()
        if 0 <= across <= 1 and inside.contains(event.position()):
            signal.emit(
                1 - across if self._is_mirrored else across, (event.position().y() - inside.y()) / inside.height()
            )

    @property
    def picture(self) -> Image | None:
        """What is shown."""
        return self._shown

    @override
    def sizeHint(self) -> QSize:
        width = self._units * self.fontMetrics().averageCharWidth()
        return QSize(width, round(width / self._aspect))

    @override
    def minimumSizeHint(self) -> QSize:
        return self.sizeHint() * LEAST

    @override
    def hasHeightForWidth(self) -> bool:
        return True

    @override
    def heightForWidth(self, width: int) -> int:
        return round(width / self._aspect)

    @override
    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        place = self._place()
        path = QPainterPath()
        radius = self.fontMetrics().height() * 0.6
        path.addRoundedRect(place, radius, radius)
        painter.setClipPath(path)
        painter.fillRect(place, GROUND)
        if self._image is not None:
            self._draw_picture(painter, place, self._image)
        elif self._pose is not None:
            line = 2.2 * self.fontMetrics().height()
            draw_head(painter, place.adjusted(0, 0, 0, -line / 2), self._pose)
            self._draw_text(painter, place.adjusted(0, place.height() - line, 0, 0), self._text, 0.95)
        else:
            self._draw_text(painter, place, self._text, 1.1)
        if self._mark:
            self._draw_mark(painter, place)
        painter.setPen(QPen(EDGE, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(place, radius, radius)
        painter.end()

    def _draw_picture(self, painter: QPainter, place: QRectF, image: QImage) -> None:
        inside = self._inside(place, image)
        if self._is_mirrored:
            painter.save()
            painter.translate(2 * inside.center().x(), 0)
            painter.scale(-1, 1)
        painter.drawImage(inside, image)
        if self._guide is not None:
            self._draw_guide(painter, inside, self._guide)
        if self._is_mirrored:
            painter.restore()

    @staticmethod
    def _inside(place: QRectF, image: QImage) -> QRectF:
        """Where the picture lies, in its own proportions."""
        scale = min(place.width() / image.width(), place.height() / image.height())
        size = image.width() * scale, image.height() * scale
        return QRectF(place.center().x() - size[0] / 2, place.center().y() - size[1] / 2, *size)

    def _draw_guide(self, painter: QPainter, inside: QRectF, guide: QRectF) -> None:
        frame = QRectF(
            inside.x() + guide.x() * inside.width(),
            inside.y() + guide.y() * inside.height(),
            guide.width() * inside.width(),
            guide.height() * inside.height(),
        )
        outside, window = QPainterPath(), QPainterPath()
        outside.addRect(inside)
        radius = frame.width() * 0.06
        window.addRoundedRect(frame, radius, radius)
        painter.fillPath(outside.subtracted(window), OUTSIDE)
        if self._ghost is not None and self._ghost_opacity > 0:
            painter.setOpacity(self._ghost_opacity)
            painter.drawImage(frame, self._ghost)
            painter.setOpacity(1.0)
        painter.setPen(QPen(GUIDE, max(1.0, self.fontMetrics().height() / 10)))
        painter.drawPath(window)

    def _draw_mark(self, painter: QPainter, place: QRectF) -> None:
        """On a disc at the top, where it hides no face."""
        unit = min(MARK * self.fontMetrics().height(), place.height() / 3)
        disc = QRectF(place.center().x() - unit / 2, place.y() + unit / 5, unit, unit)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(DISC)
        painter.drawEllipse(disc)
        font = self.font()
        font.setPixelSize(round(0.6 * unit))
        painter.setFont(font)
        painter.setPen(GUIDE)
        painter.drawText(disc, int(Qt.AlignmentFlag.AlignCenter), self._mark)

    def _draw_text(self, painter: QPainter, place: QRectF, text: str, size: float) -> None:
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * size)
        painter.setFont(font)
        painter.setPen(FAINT)
        margin = self.fontMetrics().height()
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(place.adjusted(margin, margin / 2, -margin, -margin / 2), int(flags), text)

    def _place(self) -> QRectF:
        """The largest of its proportions, in the middle."""
        width = min(float(self.width()), self.height() * self._aspect)
        height = width / self._aspect
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def _small_enough(self, image: Image) -> Image:
        ratio = self.devicePixelRatioF()
        room = max(1, round(max(self.width(), self.height()) * ratio))
        height, width = image.shape[:2]
        if max(height, width) < 2 * room:
            return image
        scale = 1.0 * room / max(height, width)
        return images.shrink_quickly(image, width=max(1, round(width * scale)), height=max(1, round(height * scale)))
