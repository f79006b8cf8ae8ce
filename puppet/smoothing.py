"""Calms the trembling of a motion that is read off noisy pictures, without holding quick movements back."""

from __future__ import annotations

import math

import numpy as np

from puppet.types import Floats, Motion

STILL_HZ = 12.0
"""Cut-off at rest for the least smoothing."""
CALMEST = 0.04
"""Share of it that remains for the most."""
OPENING = 12.0
"""Hz that the cut-off rises by for a speed of one unit a second (half of the picture's side)."""
SPEED_HZ = 2.0
"""Cut-off for the speed itself."""
LONGEST_GAP = 0.5
"""Seconds without a motion; then it starts afresh."""


class Smoother:
    """One Euro filter (Casiez, Roussel, Vogel 2012) over shifts and affines: the faster, the less it smooths."""

    def __init__(self) -> None:
        self._value: Floats | None = None
        self._speed: Floats | None = None
        self._at = 0.0

    def reset(self) -> None:
        """Forget what was before."""
        self._value = None

    def smooth(self, motion: Motion, at: float, amount: float) -> Motion:
        """The motion, calmed.

        Args:
            motion: finite; its segmentation is passed on as it is.
            at: seconds, when it was captured.
            amount: 0 (off) to 1.
        """
        values = np.concatenate([motion.shift, motion.affine.reshape(-1, 4)], axis=1)  # (K, 6)
        elapsed = at - self._at
        self._at = at
        if self._value is None or self._speed is None or not 0 < elapsed <= LONGEST_GAP or amount <= 0:
            self._value, self._speed = values, np.zeros_like(values)
            return motion
        speed = (values - self._value) / np.float32(elapsed)
        self._speed = self._speed + _weight(np.float32(SPEED_HZ), elapsed) * (speed - self._speed)
        cut_off = np.float32(STILL_HZ * CALMEST**amount) + np.float32(OPENING) * np.abs(self._speed)
        self._value = np.asarray(self._value + _weight(cut_off, elapsed) * (values - self._value), np.float32)
        shift, affine = self._value[:, :2].copy(), self._value[:, 2:].reshape(-1, 2, 2).copy()
        return Motion(shift, affine, motion.segmentation)


def _weight(cut_off: Floats | np.float32, elapsed: float) -> Floats:
    """Of the new value in an exponential filter of that cut-off, Hz."""
    return np.asarray(1 / (1 + 1 / (2 * math.pi * cut_off * elapsed)), np.float32)
