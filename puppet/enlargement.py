"""Pictures larger than the model's: the avatar's own pixels at full size, moved as the model moved the small ones.

A generator gives its picture, the avatar's pixels as it moved them (`warped`), and the deformation by which it did.
Where picture and moved pixels agree, what the model shows is the avatar itself, so the large avatar is moved alike and
only the small difference is enlarged. Where they do not (an open mouth, a closed lid, what came out from behind the
head), the model's picture is enlarged and nothing is added. Both parts are sums of the same two pictures, so there is
no seam between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppet import images

if TYPE_CHECKING:
    from puppet.types import Floats, Image

OUTPUTS = frozenset({"warped", "deformation"})
"""What a generator has to give beside its picture."""
AGREEMENT = 10.0
"""Levels of 255: where the averages of picture and moved pixels differ by more, hardly any detail is shown."""
CELL = 4
"""Pixels of the model's picture whose averages are compared: a decoded picture may be softer and show the same."""

FINER = 2
"""The avatar is kept so many times finer, in four channels: read between four of its pixels it is as sharp as read
between sixteen of the plain picture's, in a third of the time."""


class Enlarger:
    """Enlarges a model's pictures of one avatar to one size."""

    def __init__(self, picture: Image, *, size: int, model_size: int) -> None:
        """Take the avatar.

        Args:
            picture: uint8 (H, H, 3) RGB, framed; the larger, the more detail there is to show.
            size: side of the pictures to make, pixels.
            model_size: side of the model's pictures, pixels.
        """
        self.size = size
        self._scale = size / model_size
        self._model_size = model_size
        avatar = images.resize(picture, width=size, height=size)
        finer = np.diag([FINER, FINER, 1.0])[:2]  # every pixel of the plain picture stays one of the finer one
        side = (FINER * size, FINER * size)
        fine = cv2.warpAffine(avatar, finer, side, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        self._avatar = cv2.cvtColor(fine, cv2.COLOR_RGB2RGBA)
        across = FINER * np.arange(size, dtype=np.float32)
        self._grid: Floats = np.stack(np.meshgrid(across, across), axis=-1)
        # Written anew in every frame: fresh memory for pictures this large costs more than the arithmetic.
        self._places = np.empty_like(self._grid)
        self._moved = np.empty((size, size, 4), np.uint8)
        self._colours = np.empty((size, size, 3), np.uint8)
        self._share, self._shown, self._rest = np.empty((3, size, size, 3), np.float32)

    def enlarge(self, image: Image, warped: Image, deformation: Floats) -> Image:
        """Make one picture larger.

        Args:
            image: the model's picture, uint8 (M, M, 3) RGB.
            warped: the avatar's pixels, moved, uint8 (M, M, 3) RGB.
            deformation: float32 (h, h, 2), backward, x then y; -1 and 1 are the centres of the corner pixels.

        Returns:
            uint8 (size, size, 3) RGB.
        """
        target = (self.size, self.size)
        agreement = _agreement(image, warped)
        small = cv2.resize(agreement, (self._model_size, self._model_size), interpolation=cv2.INTER_LINEAR)
        rest = cv2.subtract(image, cv2.multiply(warped, small, dtype=cv2.CV_32F), dtype=cv2.CV_32F)
        cv2.resize(self._displacement(deformation), target, dst=self._places)
        cv2.add(self._places, self._grid, dst=self._places)
        # The stubs do not know that a map of both coordinates goes without a second one.
        cv2.remap(
            self._avatar,
            self._places,
            None,  # type: ignore[call-overload]
            cv2.INTER_LINEAR,
            dst=self._moved,
            borderMode=cv2.BORDER_REPLICATE,
        )
        cv2.cvtColor(self._moved, cv2.COLOR_RGBA2RGB, dst=self._colours)
        cv2.resize(agreement, target, dst=self._share, interpolation=cv2.INTER_LINEAR)
        cv2.multiply(self._colours, self._share, dst=self._shown, dtype=cv2.CV_32F)
        cv2.resize(rest, target, dst=self._rest, interpolation=cv2.INTER_CUBIC)
        return np.asarray(cv2.add(self._shown, self._rest, dtype=cv2.CV_8U), np.uint8)

    def _displacement(self, deformation: Floats) -> Floats:
        """How far each place reads from itself, float32 (h, h, 2), pixels of the avatar as it is kept.

        The outermost values of the deformation lie on the centres of corner pixels; `cv2.resize` wants values at the
        centres of cells, which are up to one and a half pixels away.
        """
        side = deformation.shape[0]
        nodes = np.linspace(-1, 1, side, dtype=np.float32)
        there = np.stack(np.meshgrid(nodes, nodes), axis=-1)
        moved = (deformation - there) * np.float32((self._model_size - 1) / 2 * self._scale * FINER)
        at_cells = _centres(side, self._model_size)
        rows = np.tensordot(at_cells, moved, axes=(1, 0))
        return np.ascontiguousarray(np.tensordot(at_cells, rows, axes=(1, 1)).swapaxes(0, 1))


def _agreement(image: Image, warped: Image) -> Floats:
    """How far the model's picture is the moved avatar, float32 (h, h, 3) in [0, 1], the same for all colours."""
    side = image.shape[0] // CELL
    averages = [cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in (image, warped)]
    difference = cv2.absdiff(*averages).mean(axis=2, dtype=np.float32)
    close = np.exp(-np.square(difference / AGREEMENT))
    return np.asarray(cv2.merge([cv2.GaussianBlur(close, (3, 3), 0)] * 3), np.float32)


def _centres(side: int, pixels: int) -> Floats:
    """Weights (side, side): values at the centres of `side` cells, from those on a grid from corner to corner."""
    places = (np.arange(side) + 0.5) * pixels / side - 0.5
    nodes = np.linspace(0, pixels - 1, side)
    weights = [np.interp(places, nodes, row) for row in np.eye(side)]
    return np.asarray(np.stack(weights, axis=1), np.float32)
