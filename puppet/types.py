"""What passes between the parts of the live program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

Image = NDArray[np.uint8]
"""uint8 (H, W, 3) RGB."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a source."""

    image: Image
    index: int
    """Counts every frame that the source gave, from 0."""
    captured_at: float
    """Seconds: `time.perf_counter()` right after the read for live sources, presentation time for files."""


@dataclass(frozen=True, eq=False)
class Motion:
    """What the segmenter reads off one picture (MCS, section 3.1; FOMM's key points with Jacobians).

    Convention: x then y, [-1, 1] from the centre of the first pixel to that of the last (align_corners).
    """

    shift: Floats
    """(K, 2): where each part is."""
    affine: Floats
    """(K, 2, 2): how each part is turned and stretched."""
    segmentation: Floats | None = None
    """(K + 1, h, w) in [0, 1], sums to one over the first axis, background first; None for FOMM."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """One finished picture and how it came about."""

    image: Image
    frame: Frame
    driving: Motion
    """Read off the driving frame."""
    target: Motion
    """What the generator was given."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Time of each stage."""
    limited: int = 0
    """How many parts were kept from going too far."""
    held: bool = False
    """The driving motion was unusable and the last good one was shown."""
    first: Motion | None = None
    """The driver's motion that counts as the avatar's own; None before there is one."""
    rest: Motion | None = None
    """The avatar's own motion."""
