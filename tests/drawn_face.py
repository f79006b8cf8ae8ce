"""A face drawn with a few shapes, plain enough to foretell and lifelike enough for the face networks to find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class DrawnFace:
    """What is drawn, on a 256 pixel square; lengths in its pixels."""

    mouth: float = 0.0
    """Gap between the lips."""
    x: float = 128.0
    y: float = 128.0
    roll: float = 0.0
    """Degrees, clockwise."""
    width: float = 58.0
    """Half of the face's."""
    skin: Colour = (222, 178, 150)
    hair: Colour = (70, 45, 30)
    iris: Colour = (70, 95, 130)

    def draw(self, *, side: int = 256) -> NDArray[np.uint8]:
        """The picture, uint8 (side, side, 3) RGB."""
        canvas = np.full((512, 512, 3), (120, 135, 150), np.uint8)
        self._head(canvas)
        for sign in (-1, 1):
            self._eye(canvas, sign)
        self._nose(canvas)
        self._mouth(canvas)
        canvas = cv2.GaussianBlur(canvas, (0, 0), 1.6)
        turn = cv2.getRotationMatrix2D((256, 256), -self.roll, 1)
        turn[:, 2] += 2 * self.x - 256, 2 * self.y - 256
        canvas = cv2.warpAffine(canvas, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
        return cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)

    def _head(self, canvas: NDArray[np.uint8]) -> None:
        wide = 2 * self.width
        _ellipse(canvas, (0, 175), (wide * 0.62, 90), _shade(self.skin, 0.72))  # neck
        _ellipse(canvas, (0, 265), (wide * 1.6, 95), (60, 70, 110))
        _ellipse(canvas, (0, -30), (wide * 1.14, 168), self.hair)
        steps = 30
        for step in range(steps):  # lighter towards the middle, as a lit ball is
            grown = 1 - step / steps
            light = 0.78 + 0.26 * step / steps
            _ellipse(canvas, (0, 12), (wide * grown, 150 * grown), _shade(self.skin, light))
        _ellipse(canvas, (0, -150), (wide * 0.86, 50), self.hair)

    def _eye(self, canvas: NDArray[np.uint8], sign: int) -> None:
        x = sign * 0.42 * 2 * self.width
        _ellipse(canvas, (x, -22), (34, 22), _shade(self.skin, 0.86))
        _ellipse(canvas, (x, -20), (25, 11), (240, 238, 235))
        _ellipse(canvas, (x, -20), (11, 11), self.iris)
        _ellipse(canvas, (x, -20), (5, 5), (15, 12, 12))
        _ellipse(canvas, (x - 3, -23), (2, 2), (255, 255, 255))
        _arc(canvas, (x, -20), (26, 13), (180, 360), _shade(self.hair, 0.6), 4)
        _arc(canvas, (x, -40), (34, 14), (200, 340), self.hair, 8)

    def _nose(self, canvas: NDArray[np.uint8]) -> None:
        _ellipse(canvas, (0, 12), (9, 34), _shade(self.skin, 1.07))
        _ellipse(canvas, (0, 44), (20, 11), _shade(self.skin, 0.88))
        _ellipse(canvas, (0, 40), (15, 10), _shade(self.skin, 1.05))
        for sign in (-1, 1):
            _ellipse(canvas, (sign * 10, 49), (5, 3), _shade(self.skin, 0.42))

    def _mouth(self, canvas: NDArray[np.uint8]) -> None:
        lips = (178, 88, 86)
        gap = self.mouth  # canvas is twice as large, so this is half the gap
        _ellipse(canvas, (0, 88 + gap), (42, 10 + gap), lips)
        _ellipse(canvas, (0, 88 + gap), (33, max(1.5, gap)), (50, 18, 20))
        _arc(canvas, (0, 118 + 2 * gap), (30, 8), (20, 160), _shade(self.skin, 0.8), 4)


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue


def _ellipse(canvas: NDArray[np.uint8], centre: tuple[float, float], axes: tuple[float, float], colour: Colour) -> None:
    place = (round(256 + centre[0]), round(256 + centre[1]))
    cv2.ellipse(canvas, place, (round(axes[0]), round(axes[1])), 0, 0, 360, colour, -1, cv2.LINE_AA)


def _arc(
    canvas: NDArray[np.uint8],
    centre: tuple[float, float],
    axes: tuple[float, float],
    degrees: tuple[int, int],
    colour: Colour,
    width: int,
) -> None:
    place = (round(256 + centre[0]), round(256 + centre[1]))
    cv2.ellipse(canvas, place, (round(axes[0]), round(axes[1])), 0, *degrees, colour, width, cv2.LINE_AA)
