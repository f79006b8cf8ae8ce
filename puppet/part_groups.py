"""Which parts move with the skull, by the words in their names: what is measured of a head counts these alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BESIDE = frozenset({"neck", "shoulder", "shoulders"})
"""Words of parts that stay behind when the head turns. A `body` is kept among the head's: limits were measured so."""
SIDES = frozenset({"right", "left"})
LOOSE = "hair"
"""Falls beside the head where it is named with a side."""
FEWEST = 4


def words(name: str) -> frozenset[str]:
    """Of a part's name."""
    return frozenset(name.lower().replace("-", "_").replace(" ", "_").split("_"))


def of_head(part_names: Sequence[str]) -> NDArray[np.bool_]:
    """Whether each part moves with the skull, bool (K,); all of them where too few would be left."""
    found = np.array([not (BESIDE & words(name)) and not is_loose(name) for name in part_names], bool)
    return found if found.sum() >= FEWEST else np.ones(len(part_names), bool)


def is_loose(name: str) -> bool:
    """Whether it is hair at one side."""
    return LOOSE in words(name) and bool(SIDES & words(name))
