"""Which square of the live picture the model sees: found once by the face, then fixed until the next calibration."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from puppet import framing

if TYPE_CHECKING:
    from collections.abc import Callable

    from puppet.framing import FindsFaces, Square
    from puppet.settings import CameraSettings
    from puppet.types import Image

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 1.0
"""While no face has been found."""


class Framer:
    """A square that stays where it is: if it followed the face, the model would see no movement."""

    has_face: bool | None = None
    """Whether a face was found when it was last looked for; None: not looked for."""

    def __init__(self, open_finder: Callable[[], FindsFaces]) -> None:
        self._open_finder = open_finder
        self._base: Square | None = None
        self._last: Square | None = None
        self._shape: tuple[int, ...] = ()
        self._is_auto = False
        self._looked_at = 0.0

    def renew(self) -> None:
        """Find the face anew in the next picture."""
        self._base = None

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
        square = _moved(self._base, settings)
        has_moved, self._last = self._last is not None and square != self._last, square
        return square, has_moved

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
