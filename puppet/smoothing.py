"""Calms the trembling of a motion that is read off noisy pictures, without holding quick movements back."""

from __future__ import annotations

import math

import numpy as np

from puppet.types import Floats, Motion

STILL_HZ = 12.0
"""Cut-off at rest for the least smoothing."""
CALMEST = 0.04
"""Share of it that remains for the most."""
OPENING = 20.0
"""Hz that the cut-off rises by for a speed of one unit a second (half of the picture's side)."""
SPEED_HZ = 6.0
"""Cut-off for the speed itself: lower ones open too late for a quick turn."""
QUIET = 0.3
"""Speed of one part, units a second, that counts as rest for the most smoothing: noise alone reaches it."""
BAND = 0.012
"""Units by which a part must leave its place before it is moved at all, for the most smoothing; 1.5 pixels of 256."""
AFFINE: Floats = np.array([1, 1, 3, 3, 3, 3], np.float32)
"""Of entries of affines over shifts: noise on them is about three times as large, and shows as much."""
EAGERNESS = 4.0
"""How soon a part is followed wholly beyond its band, per band."""
WAKEFUL_S = 0.3
"""Time constant with which a part that moved comes to rest again."""
LONGEST_GAP = 0.5
"""Seconds without a motion; then it starts afresh."""


class Smoother:
    """One Euro filter (Casiez, Roussel, Vogel 2012) over shifts and affines, with hysteresis at rest.

    The faster, the less it smooths, and what all parts do together opens it for each: noise is each part's own, the
    head's movement is common. What comes out rests wholly until it has something to follow.
    """

    def __init__(self) -> None:
        self._value: Floats | None = None
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
        values = np.asarray(values / AFFINE, np.float32)
        elapsed = at - self._at
        self._at = at
        if self._value is None or not 0 < elapsed <= LONGEST_GAP or amount <= 0:
            self._value = self._shown = values
            self._speed = self._awake = np.zeros_like(values)
            return motion
        shown: Floats = self._follow(self._filter(values, elapsed, amount), elapsed, amount) * AFFINE
        return Motion(shown[:, :2].copy(), shown[:, 2:].reshape(-1, 2, 2).copy(), motion.segmentation)

    def _filter(self, values: Floats, elapsed: float, amount: float) -> Floats:
        assert self._value is not None
        speed = (values - self._value) / np.float32(elapsed)
        self._speed = self._speed + _weight(np.float32(SPEED_HZ), elapsed) * (speed - self._speed)
        own = np.maximum(np.abs(self._speed) - QUIET * amount, 0)
        common = float(np.linalg.norm(self._speed[:, :2].mean(axis=0)))
        cut_off = np.float32(STILL_HZ * CALMEST**amount) + np.float32(OPENING) * np.maximum(own, np.float32(common))
        value: Floats = self._value + _weight(cut_off, elapsed) * (values - self._value)
        self._value = value
        return value

    def _follow(self, value: Floats, elapsed: float, amount: float) -> Floats:
        """Stay until the value has left the band, then go along with it."""
        away = value - self._shown
        leaving = np.clip((np.abs(away) / (BAND * amount) - 1) * EAGERNESS, 0, 1)
        self._awake = np.maximum(self._awake * math.exp(-elapsed / WAKEFUL_S), leaving)
        self._shown = np.asarray(self._shown + self._awake * away, np.float32)
        return self._shown


def _weight(cut_off: Floats | np.float32, elapsed: float) -> Floats:
    """Of the new value in an exponential filter of that cut-off, Hz."""
    return np.asarray(1 / (1 + 1 / (2 * math.pi * cut_off * elapsed)), np.float32)
