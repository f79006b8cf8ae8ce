"""Which square of the live picture the model sees: found once by the face, then following the head slowly."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from puppet import framing
from puppet.motion import hull_scale, is_usable

if TYPE_CHECKING:
    from collections.abc import Callable

    from puppet.framing import FindsFaces, Square
    from puppet.settings import CameraSettings
    from puppet.types import Image, Motion

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 1.0
"""While no face has been found."""
SURELY_LOST_S = 0.5
"""A face must be lost for so long before it is looked for."""
FOLLOW_S = 0.8
"""Time constant: slower than any gesture, so that what the driver does is seen before it is centred away."""
ROOM = 0.08
"""Half sides by which the head may be beside its place before the square follows it: talking heads stay within."""
ROOM_ZOOM = 0.12
"""The same of the head's size, natural logarithm."""
CLOSEST, WIDEST = 0.6, 1.7
"""Limits of the followed square's side over that of the square that was found."""
LONGEST_STEP_S = 0.1


class Framer:
    """A square around the head that lets it move: only where the head goes and stays does the square follow.

    The parts' own places say where the head is, beside the reference; the face detector is asked at calibration, and
    again while the face is lost.
    """

    has_face: bool | None = None
    """Whether a face was found when it was last looked for; None: not looked for."""

    def __init__(self, open_finder: Callable[[], FindsFaces]) -> None:
        self._open_finder = open_finder
        self._base: Square | None = None
        self._fixed: Square | None = None
        self._last: Square | None = None
        self._shape: tuple[int, ...] = ()
        self._is_auto = False
        self._looked_at = 0.0
        self._followed_at = 0.0
        self._lost_for = 0.0
        self._x = self._y = 0.0
        self._zoom = 1.0

    def renew(self) -> None:
        """Find the face anew in the next picture."""
        self._base = None
        self._x = self._y = 0.0
        self._zoom = 1.0

    def follow(self, driving: Motion, first: Motion, *, is_lost: bool, now: float) -> None:
        """Let the next square be where the head is.

        Args:
            driving: read off the last square.
            first: the reference: there the head is where it should be, and as large.
            is_lost: whether the face is not to be seen; then it is looked for from time to time.
            now: seconds.
        """
        passed = min(max(now - self._followed_at, 0.0), LONGEST_STEP_S)
        self._followed_at = now
        self._lost_for = self._lost_for + passed if is_lost else 0.0
        if is_lost or self._last is None or not is_usable(driving):
            return
        share = 1 - math.exp(-passed / FOLLOW_S)
        away = driving.shift.mean(axis=0) - first.shift.mean(axis=0)
        away = away * max(0.0, 1 - ROOM / max(float(np.linalg.norm(away)), 1e-6))
        self._x += share * float(away[0]) * self._last.side / 2
        self._y += share * float(away[1]) * self._last.side / 2
        larger = math.log(hull_scale(driving.shift, first.shift))
        larger = math.copysign(max(abs(larger) - ROOM_ZOOM, 0.0), larger)
        self._zoom = min(max(self._zoom * math.exp(share * larger), CLOSEST), WIDEST)

    def square(self, image: Image, settings: CameraSettings, now: float) -> tuple[Square, bool]:
        """The square for this picture, and whether it has moved since the last picture.

        Args:
            image: uint8 (H, W, 3) RGB.
            settings: zoom, shift, and whether to look for a face.
            now: seconds.
        """
        if image.shape != self._shape or settings.auto_framing != self._is_auto:
            self._shape, self._is_auto = image.shape, settings.auto_framing
            self.renew()
        is_overdue = self.has_face is False and settings.auto_framing and now - self._looked_at >= LOOK_AGAIN_S
        if self._base is None or is_overdue:
            self._base = self._find(image, now) if settings.auto_framing else self._centre(image)
        elif self._lost_for > SURELY_LOST_S and settings.auto_framing and now - self._looked_at >= LOOK_AGAIN_S:
            self._find_again(image, now)
        square = _moved(self._base, settings)
        has_moved, self._fixed = self._fixed is not None and square != self._fixed, square
        if settings.auto_framing and settings.follow_head:
            square = self._followed(square, image)
        self._last = square
        return square, has_moved

    def _followed(self, square: Square, image: Image) -> Square:
        """The square where the head is now; its middle stays in the picture."""
        side = square.side * self._zoom
        middle = square.x + square.side / 2, square.y + square.side / 2
        height, width = image.shape[:2]
        self._x = min(max(self._x, -middle[0]), width - middle[0])
        self._y = min(max(self._y, -middle[1]), height - middle[1])
        return replace(square, x=middle[0] + self._x - side / 2, y=middle[1] + self._y - side / 2, side=side)

    def _find_again(self, image: Image, now: float) -> None:
        """The driver may have come back elsewhere; the calibration stays as it is."""
        self._looked_at = now
        box = framing.find_face(image, self._open_finder())
        if box is not None:
            found, base = framing.around_face(box), self._base
            assert base is not None
            self._x = found.x + found.side / 2 - base.x - base.side / 2
            self._y = found.y + found.side / 2 - base.y - base.side / 2
            self._zoom = min(max(found.side / base.side, CLOSEST), WIDEST)

    def _find(self, image: Image, now: float) -> Square:
        self._looked_at = now
        box = framing.find_face(image, self._open_finder())
        self.has_face = box is not None
        log.info("face found: %s", box)
        return framing.centre_square(image.shape[1], image.shape[0]) if box is None else framing.around_face(box)

    def _centre(self, image: Image) -> Square:
        self.has_face = None
        return framing.centre_square(image.shape[1], image.shape[0])


def _moved(base: Square, settings: CameraSettings) -> Square:
    side = base.side / settings.zoom
    x = base.x + (base.side - side) / 2 + settings.shift_x * base.side
    y = base.y + (base.side - side) / 2 + settings.shift_y * base.side
    return replace(base, x=x, y=y, side=side)
