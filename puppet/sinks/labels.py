"""Small signs with text that are laid over the output."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from puppet.types import Image

BADGE = "AI-generated"
INK = (255, 255, 255, 235)
BADGE_GROUND = (0, 0, 0, 120)
BANNER_GROUND = (20, 20, 24, 215)
SMALLEST_TEXT = 9
"""Pixels; smaller cannot be read."""


@lru_cache(maxsize=8)
def badge(height: int) -> Image:
    """The sign that a picture is made by AI, uint8 (h, w, 4) RGBA, for an output of that height, pixels."""
    size = max(SMALLEST_TEXT, round(height / 40))
    return _sign(BADGE, size, ground=BADGE_GROUND, width=None)


@lru_cache(maxsize=8)
def banner(text: str, width: int, height: int) -> Image:
    """One line across the output, uint8 (h, width, 4) RGBA; the text shrinks until it fits, then it is cut."""
    size = max(SMALLEST_TEXT, round(height / 28))
    while size > SMALLEST_TEXT and _text_width(text, size) > width - 2 * size:
        size -= 1
    return _sign(text, size, ground=BANNER_GROUND, width=width)


def _sign(text: str, size: int, *, ground: tuple[int, int, int, int], width: int | None) -> Image:
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    text_width = _text_width(text, size)
    wide, high = width or round(text_width + 1.4 * size), round(1.8 * size)
    picture = Pillow.new("RGBA", (wide, high), (*ground[:3], 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, wide - 1, high - 1), radius=0 if width else size // 2, fill=ground)
    font = ImageFont.load_default(size)
    draw.text((wide / 2, high / 2), text, font=font, fill=INK, anchor="mm")
    return np.array(picture)


def _text_width(text: str, size: int) -> float:
    from PIL import ImageFont

    return float(ImageFont.load_default(size).getlength(text))
