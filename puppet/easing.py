"""Passing gently from one motion to another: to rest while the driver is not to be seen, and to a new reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from puppet.motion import is_usable
from puppet.types import Motion

if TYPE_CHECKING:
    from puppet.types import Floats

SURE_S = 0.2
"""The face must be lost for so long: a hand that passes, or one odd frame, is no reason."""
TO_REST_S = 0.5
"""Until rest is reached after that; both together are less than a second."""
BACK_S = 0.4
"""Until the driver is followed again."""
GLIDE_S = 0.8
"""From one reference to a better one."""
LONGEST_STEP_S = 0.1
"""Between two frames; after a longer pause it goes on as after this."""


def mix(motion: Motion, other: Motion, share: float) -> Motion:
    """The motion at a share of the way, 0 to 1, to another; places, affines and masks each in a straight line."""
    if share <= 0:
        return motion
    if share >= 1:
        return other
    masks = motion.segmentation
    if masks is not None and other.segmentation is not None:
        masks = _between(masks, other.segmentation, share)
    return Motion(
        _between(motion.shift, other.shift, share),
        _between(motion.affine, other.affine, share),
        masks,
    )


class Rest:
    """Eases the driving motion to a motion at rest while the face is lost, and back when it is there again."""

    def __init__(self) -> None:
        self.share = 0.0
        """How far at rest, 0 to 1, as time goes; what is shown starts and ends softly."""
        self._lost_for = 0.0
        self._at = 0.0
        self._last: Motion | None = None

    def follow(self, driving: Motion, rest: Motion, *, is_lost: bool, now: float) -> Motion:
        """The motion to show.

        Args:
            driving: as read; where it is unusable, the last one that was not counts.
            rest: to ease to.
            is_lost: whether the driver's face is judged to be gone.
            now: seconds, when the frame was captured.
        """
        passed = min(max(now - self._at, 0.0), LONGEST_STEP_S)
        self._at = now
        if is_usable(driving):
            self._last = driving
        self._lost_for = self._lost_for + passed if is_lost else 0.0
        if self._lost_for > SURE_S:
            self.share = min(self.share + passed / TO_REST_S, 1.0)
        elif not is_lost:
            self.share = max(self.share - passed / BACK_S, 0.0)
        if self._last is None or self.share == 0:
            return driving
        return mix(self._last, rest, smooth_step(self.share))


class Glide:
    """The way from one reference to another, so that the avatar does not jump."""

    def __init__(self, start: Motion, end: Motion, now: float) -> None:
        """Begin it at a time, seconds."""
        self._start, self._end, self._began = start, end, now

    def at(self, now: float) -> tuple[Motion, bool]:
        """The reference at a time, and whether it has arrived."""
        passed = (now - self._began) / GLIDE_S
        return mix(self._start, self._end, smooth_step(passed)), passed >= 1


def smooth_step(share: float) -> float:
    """From 0 to 1 without a jerk at either end."""
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _between(start: Floats, end: Floats, share: float) -> Floats:
    return np.asarray(start + np.float32(share) * (end - start), np.float32)
