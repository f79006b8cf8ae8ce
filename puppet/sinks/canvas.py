"""The output picture: the avatar on a canvas of constant size, with a background beside it, badge and banner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppet import images
from puppet.sinks import labels

if TYPE_CHECKING:
    from pathlib import Path

    from puppet.settings import OutputSettings
    from puppet.sinks.base import OutputMode
    from puppet.types import Image

BLUR_CELL = 40
"""Pixels of the output that one pixel of the small, blurred picture stands for."""
BLUR_SIGMA = 1.6
BLUR_BRIGHTNESS = 0.6
"""Darker than the avatar, so that its edge is seen."""
MARGIN = 0.02
"""Around the badge, over the height of the output."""
BANNER_AT = 0.9
"""Its middle, over the height of the output."""


Box = tuple[int, int, int, int]
"""Left, top, right, bottom; pixels."""


class Canvas:
    """Composes output pictures. Each is a new array: whoever got one may keep it."""

    def __init__(self, mode: OutputMode) -> None:
        self._width, self._height = mode.width, mode.height
        self._picture: tuple[Path, Image] | None = None
        self._plain: tuple[tuple[int, int, int], Image] | None = None

    def compose(self, picture: Image | None, settings: OutputSettings, *, banner: str | None = None) -> Image:
        """Put one output picture together.

        Args:
            picture: uint8 (H, W, 3) RGB of any size; None shows the background alone.
            settings: where it goes, and what is around it.
            banner: one line to lay over it.

        Returns:
            uint8 (height, width, 3) RGB of the output's size.

        Raises:
            AvatarError: the background picture cannot be read.
        """
        if picture is not None and settings.mirror:
            picture = np.asarray(cv2.flip(picture, 1), np.uint8)
        canvas = self._placed(picture, settings)
        if settings.badge and picture is not None and settings.show == "avatar":
            sign = labels.badge(self._height)
            margin = round(MARGIN * self._height)
            images.stamp(canvas, sign, x=margin, y=self._height - margin - sign.shape[0])
        if banner is not None:
            line = labels.banner(banner, self._width, self._height)
            images.stamp(canvas, line, x=0, y=round(BANNER_AT * self._height) - line.shape[0] // 2)
        return canvas

    def _placed(self, picture: Image | None, settings: OutputSettings) -> Image:
        if picture is None:
            return self._background(None, settings)
        if settings.fit == "fill":
            filled = images.cover(picture, width=self._width, height=self._height)
            return filled.copy() if np.may_share_memory(filled, picture) else filled
        scale = min(self._width / picture.shape[1], self._height / picture.shape[0])
        width, height = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
        left, top = (self._width - width) // 2, (self._height - height) // 2
        canvas = self._background(picture, settings, inside=(left, top, left + width, top + height))
        images.resize_into(canvas[top : top + height, left : left + width], picture)
        return canvas

    def _background(self, picture: Image | None, settings: OutputSettings, *, inside: Box | None = None) -> Image:
        """A new canvas; what lies `inside` will be painted over, and may hold anything."""
        if inside == (0, 0, self._width, self._height):
            return np.empty((self._height, self._width, 3), np.uint8)
        if settings.background == "picture" and settings.picture is not None:
            return self._read(settings.picture).copy()
        if settings.background == "blur" and picture is not None and inside is not None:
            return self._blurred(picture, inside)
        if self._plain is None or self._plain[0] != settings.colour:
            # Kept, because filling with three different values takes ten times as long as copying.
            self._plain = settings.colour, np.full((self._height, self._width, 3), settings.colour, np.uint8)
        return self._plain[1].copy()

    def _blurred(self, picture: Image, inside: Box) -> Image:
        """The picture itself, so small that no detail is left, and large again; only the margins are filled."""
        width, height = -(-self._width // BLUR_CELL), -(-self._height // BLUR_CELL)
        small = images.cover(picture, width=width, height=height)
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), BLUR_SIGMA), np.uint8)
        small = np.asarray(cv2.convertScaleAbs(small, alpha=BLUR_BRIGHTNESS), np.uint8)
        canvas = np.empty((self._height, self._width, 3), np.uint8)
        left, top, right, bottom = inside
        rows, columns = max(1, -(-top // BLUR_CELL)), max(1, -(-left // BLUR_CELL))
        strips = (
            (small[:, :columns], canvas[:, :left]),
            (small[:, width - columns :], canvas[:, right:]),
            (small[:rows], canvas[:top]),
            (small[height - rows :], canvas[bottom:]),
        )
        for few, many in strips:
            if many.size:
                size = (many.shape[1], many.shape[0])
                cv2.resize(few, size, dst=many, interpolation=cv2.INTER_LINEAR)
        return canvas

    def _read(self, path: Path) -> Image:
        if self._picture is None or self._picture[0] != path:
            whole = images.read_picture(path)
            self._picture = path, images.cover(whole, width=self._width, height=self._height)
        return self._picture[1]
