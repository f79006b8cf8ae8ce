"""What a view shows of the pipeline's state: the driver's picture with its guide, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import QRectF

from puppet.gui import status
from puppet.sources.base import Performed

if TYPE_CHECKING:
    from PyQt6.QtGui import QImage

    from puppet.gui.preview import PictureView
    from puppet.settings import Settings
    from puppet.state import LiveState, Shot
    from puppet.types import Frame

LINED_UP = 0.35
"""Opacity of the ghost while the driver lines up with it."""
NO_CAMERA = "Scripted performance"


@dataclass(frozen=True)
class Ghost:
    """The avatar, laid faintly over the driver's picture to line up with."""

    image: QImage | None
    opacity: float


def feed_camera(view: PictureView, state: LiveState, settings: Settings, *, ghost: Ghost) -> None:
    """Show who drives: a camera's picture, or the head that is drawn for a performance."""
    frame = state.frame
    is_performed = isinstance(frame, Performed) or state.source.name is None
    view.show_text(NO_CAMERA if is_performed else "Waiting for the first picture…")
    view.show_picture(None if is_performed or frame is None else frame.image, mirror=settings.camera.mirror_preview)
    view.show_pose(frame.pose if isinstance(frame, Performed) else None)
    view.show_guide(_guide(frame, state.shot), ghost=ghost.image, opacity=ghost.opacity)


def feed_result(view: PictureView, state: LiveState, settings: Settings) -> None:
    """Show what others see, as soon as there is anything to see."""
    shot = state.shot
    is_there = shot is not None and (shot.rendered is not None or settings.output.show != "avatar")
    view.show_picture(state.canvas if is_there else None)
    view.show_guide(None)
    view.show_pose(None)
    view.show_text("" if state.phase == "loading" else status.summary(state))


def _guide(frame: Frame | None, shot: Shot | None) -> QRectF | None:
    """The model's part of the picture, in shares of it; None while nothing says."""
    if frame is None or shot is None or shot.square is None or shot.frame.image.shape != frame.image.shape:
        return None
    height, width = frame.image.shape[:2]
    square = shot.square
    return QRectF(square.x / width, square.y / height, square.side / width, square.side / height)
