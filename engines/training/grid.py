"""One PNG with the pictures of a step: a row for each pair, a column for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from torch.nn import functional

from engines.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

ROWS = 6


def picture_grid(pictures: dict[str, Tensor]) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: a grid of (batch, 1 or 3, h, w) pictures in [0, 1], all resized to the first one's size."""
    side = next(iter(pictures.values())).shape[-1]
    columns = []
    for picture in pictures.values():
        planes = functional.interpolate(picture[:ROWS], size=(side, side), mode="nearest").clamp(0, 1)
        planes = planes.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).reshape(-1, side, 3)
        columns.append((planes * 255).round().byte().cpu().numpy())
    return np.concatenate(columns, axis=1)


def save_picture(picture: NDArray[np.uint8], path: Path) -> None:
    """Write an RGB picture as PNG; a folder that is missing is made.

    Raises:
        TrainingError: it could not be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), picture[..., ::-1]):
        raise TrainingError(f"{path} could not be written; is the disk full?")
