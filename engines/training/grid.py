"""One PNG with the pictures of a step: a row for each pair, a column for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from torch.nn import functional

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

ROWS = 6


def save_grid(pictures: dict[str, Tensor], path: Path) -> None:
    """Write a grid of (batch, 1 or 3, h, w) pictures in [0, 1], all resized to the first one's size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    side = next(iter(pictures.values())).shape[-1]
    columns = []
    for picture in pictures.values():
        planes = functional.interpolate(picture[:ROWS], size=(side, side), mode="nearest").clamp(0, 1)
        planes = planes.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).reshape(-1, side, 3)
        columns.append((planes * 255).round().byte().cpu().numpy())
    cv2.imwrite(str(path), np.concatenate(columns, axis=1)[..., ::-1])
