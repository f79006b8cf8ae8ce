"""A drawn head that stands for a driver whom no camera sees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPen

if TYPE_CHECKING:
    from puppet.sources.head import Pose

INK = QColor(150, 170, 230)
FILL = QColor(150, 170, 230, 28)
UNIT = 0.26
"""Half the width of the face, over the height of the place."""
REACH = 0.75
"""How far the features go with a turned head, in units a radian."""
EXAGGERATION = 1.6
"""So small a picture must turn farther to be seen turning."""


def draw_head(painter: QPainter, place: QRectF, pose: Pose) -> None:
    """Draw the pose into a place; all lengths inside are in units of half the width of the face."""
    unit = UNIT * place.height()
    painter.save()
    painter.translate(place.center().x() + pose.x * unit, place.center().y() + pose.y * unit)
    painter.scale(unit, unit)
    painter.rotate(math.degrees(pose.roll))
    painter.setPen(QPen(INK, 0.07, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(FILL)
    painter.drawEllipse(QPointF(0, 0), 1.0, 1.32)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    yaw, pitch = EXAGGERATION * pose.yaw, EXAGGERATION * pose.pitch
    painter.translate(REACH * math.sin(yaw), REACH * math.sin(pitch))
    painter.scale(max(0.3, math.cos(yaw)), 1.0)
    for side in (-1, 1):
        _draw_eye(painter, side, pose)
    nose = QPainterPath(QPointF(0, -0.15))
    nose.quadTo(QPointF(0.16 * math.copysign(1, yaw), 0.22), QPointF(0, 0.26))
    painter.drawPath(nose)
    _draw_mouth(painter, pose)
    painter.restore()


def _draw_eye(painter: QPainter, side: int, pose: Pose) -> None:
    painter.setBrush(INK)
    painter.drawEllipse(QPointF(0.4 * side + 0.08 * pose.gaze, -0.22), 0.07, 0.09 * max(0.0, 1 - pose.blink))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    height = -0.5 - 0.12 * pose.brows
    brow = QPainterPath(QPointF(0.22 * side, height))
    brow.quadTo(QPointF(0.42 * side, height - 0.12), QPointF(0.62 * side, height + 0.03))
    painter.drawPath(brow)


def _draw_mouth(painter: QPainter, pose: Pose) -> None:
    half = 0.34 + 0.1 * pose.smile
    corners = 0.62 - 0.08 * pose.smile
    mouth = QPainterPath(QPointF(-half, corners))
    mouth.quadTo(QPointF(0, corners + 0.04 + 0.2 * pose.smile), QPointF(half, corners))
    mouth.quadTo(QPointF(0, corners + 0.04 + 0.25 * pose.smile + 0.7 * pose.jaw), QPointF(-half, corners))
    painter.drawPath(mouth)
