"""The parts as the model sees them, in distinct colours over the picture."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import numpy as np

from puppet import images

if TYPE_CHECKING:
    from puppet.types import Floats, Image

OPACITY = 0.55
SHARPENING = 4
"""Exponent on the masks: parts share most pixels a little, which would mix all colours to grey."""
GOLDEN_ANGLE = 0.381966
"""Of the colour circle: neighbours in number lie far apart in hue, however many there are."""


def colours(parts: int) -> Floats:
    """One colour a part, float32 (parts, 3), RGB in [0, 255]."""
    hues = (index * GOLDEN_ANGLE % 1.0 for index in range(parts))
    rows = [colorsys.hsv_to_rgb(hue, 0.9 if index % 2 else 0.6, 1.0) for index, hue in enumerate(hues)]
    return np.array(rows, np.float32).reshape(parts, 3) * 255


def paint_parts(image: Image, segmentation: Floats, *, opacity: float = OPACITY) -> Image:
    """Tint each pixel by the parts that hold it; the background stays as it is.

    Args:
        image: uint8 (H, W, 3) RGB.
        segmentation: (K + 1, h, w) in [0, 1], background first.
        opacity: of the tint where a part holds a pixel wholly, 0 to 1.

    Returns:
        uint8 (H, W, 3) RGB.
    """
    height, width = image.shape[:2]
    # Tinted while small: mixing K colours at full size would cost more than the model.
    weights = segmentation.astype(np.float32) ** SHARPENING
    weights /= weights.sum(axis=0) + 1e-9
    tint = np.tensordot(colours(len(segmentation) - 1), weights[1:], axes=(0, 0))
    small = np.concatenate([tint, weights[:1]]).astype(np.float32)
    planes = images.enlarge_planes(small, width=width, height=height)
    held = 1 - planes[3]
    mixed = image * (1 - opacity * held[..., None]) + opacity * planes[:3].transpose(1, 2, 0)
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)
