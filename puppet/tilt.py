"""How the driver's head is tilted where relative motion starts from, and what sets its movements upright.

Who holds the head tilted there nods along a tilted line; the avatar shall nod upright, whatever its own tilt: it looks
where the driver looks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from puppet.part_groups import of_head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.types import Floats

MOST_TILT = math.radians(40)
LEAST_LENGTH = 1e-3
"""Of the line from right to left, half sides: below, it points nowhere."""


def upright(shift: Floats, part_names: Sequence[str]) -> Floats:
    """The rotation, float32 (2, 2), that takes directions at a tilted head to those at an upright one.

    A head is tilted as the lines from its right to its left parts are (eyes, brows, cheeks, ears): neither turning nor
    nodding tilts them, which every other line across a face suffers. Long ones count more.

    Args:
        shift: of the head's parts, float32 (K, 2).
        part_names: a name each; `right_x` and `left_x`, the person's own, are a pair. Without any, the identity.
    """
    heads = of_head(part_names)
    numbers = {name: number for number, name in enumerate(part_names) if heads[number]}
    pairs = [
        (numbers[name], numbers[other])
        for name in numbers
        if name.startswith("right_") and (other := name.replace("right_", "left_", 1)) in numbers
    ]
    across = np.sum([shift[left] - shift[right] for right, left in pairs], axis=0) if pairs else np.zeros(2)
    if np.linalg.norm(across) < LEAST_LENGTH:
        return np.eye(2, dtype=np.float32)
    tilt = float(np.clip(math.atan2(across[1], across[0]), -MOST_TILT, MOST_TILT))
    cosine, sine = math.cos(tilt), math.sin(tilt)
    return np.array([[cosine, sine], [-sine, cosine]], np.float32)
