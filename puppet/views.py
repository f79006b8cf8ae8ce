"""Several views of one avatar, read off a clip, and which of them a picture is made from: the one nearest in pose.

A single picture shows no teeth, no closed lid and no other side of the head, so a model has to invent them. Another
view may show them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from puppet.motion import is_usable
from puppet.reference import Poses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.types import Motion

MOST = 8
"""Views of an avatar: what more of them add is hardly seen, and each takes memory and time to load."""
LEAST_APART = 0.03
"""Pose distance to the other views below which one adds nothing."""
NEARER = 0.8
"""Another view must lie this much nearer than the one that is shown, or two would take turns at every tremor."""
FADE_S = 0.12
"""Seconds in which one view passes over into the next."""


class Mix(NamedTuple):
    """What to show of which views."""

    now: int
    before: int | None
    """The view that is being left; None while only one is shown."""
    share: float
    """Of `now`, in (0, 1]."""


def choose_views(motions: Sequence[Motion]) -> list[int]:
    """Which frames of a clip to keep as views: the most ordinary pose first, then what differs most from those chosen.

    Args:
        motions: of each frame.

    Returns:
        Up to `MOST` indices; empty if no motion is usable.
    """
    usable = [index for index, motion in enumerate(motions) if is_usable(motion)]
    if not usable:
        return []
    poses = Poses([motions[index] for index in usable])
    apart = np.stack([poses.distances(motions[index]) for index in usable])
    chosen = [int(apart.mean(axis=1).argmin())]
    while len(chosen) < MOST:
        nearest = apart[:, chosen].min(axis=1)
        if nearest.max() < LEAST_APART:
            break
        chosen.append(int(nearest.argmax()))
    return [usable[index] for index in chosen]


class ViewSwitch:
    """Follows the target pose from view to view."""

    def __init__(self, views: Sequence[Motion]) -> None:
        """Take the views' own motions, usable, at least one."""
        self._views = len(views)
        self._poses = Poses(views)
        self._now = 0
        self._before: int | None = None
        self._since = self._at = -math.inf

    def follow(self, target: Motion, at: float) -> Mix:
        """What to show for a target motion, usable, at a time, seconds; times only grow."""
        if self._views == 1:
            return Mix(0, None, 1.0)
        last, self._at = self._at, at
        if self._before is None:
            apart = self._poses.distances(target)
            nearest = int(np.argmin(apart))
            if apart[nearest] < NEARER * apart[self._now]:
                self._before, self._now, self._since = self._now, nearest, last
        share = (at - self._since) / FADE_S
        if self._before is None or not 0 < share < 1:
            self._before = None
            return Mix(self._now, None, 1.0)
        return Mix(self._now, self._before, share)
