"""Driving with no video: a short performance of our own, in which the avatar turns, nods, blinks, talks and smiles."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from puppet.errors import SourceError
from puppet.sources.head import Head, Pose
from puppet.sources.video_file import Clip
from puppet.types import Frame, Motion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from puppet.avatar import Avatar

Keys = tuple[tuple[float, float], ...]
"""(seconds, value), rising in time."""

LOOP = 8.0
"""Seconds; longer performances repeat it without a seam."""
RATE = Fraction(25)
TIME_BASE = Fraction(1, 12_800)
LONGEST = 3600.0
FADE = 0.6
"""Seconds at the end that lead back to the avatar's own picture."""

YAW: Keys = (
    (0.0, 0), (0.7, 0), (1.5, -0.24), (1.9, -0.24), (2.8, 0.22), (3.1, 0.22), (3.8, 0.02),
    (4.4, 0.07), (5.0, -0.05), (5.6, 0.03), (6.3, -0.06), (7.2, -0.06), (7.9, 0), (8.0, 0),
)  # fmt: skip
PITCH: Keys = (
    (0.0, 0), (0.7, 0), (1.5, 0.02), (2.3, -0.05), (3.1, 0), (3.42, 0.11), (3.72, -0.04), (4.02, 0.07), (4.3, 0),
    (4.75, 0.035), (5.0, -0.02), (5.4, 0.035), (5.8, -0.02), (6.4, -0.05), (7.2, -0.04), (7.9, 0), (8.0, 0),
)  # fmt: skip
ROLL: Keys = (
    (0.0, 0), (0.8, 0), (1.6, -0.04), (2.8, 0.05), (3.8, 0), (4.6, 0.03), (5.5, -0.03), (6.4, 0.1), (7.2, 0.09),
    (7.9, 0), (8.0, 0),
)  # fmt: skip
SMILE: Keys = ((0.0, 0), (5.9, 0), (6.5, 1), (7.2, 1), (7.9, 0), (8.0, 0))
BROWS: Keys = (
    (0.0, 0), (1.0, 0), (1.3, 0.5), (1.9, 0), (4.2, 0), (4.4, 0.8), (4.9, 0), (5.2, 0.4), (5.7, 0), (6.1, 0),
    (6.5, 0.6), (7.2, 0.3), (7.8, 0), (8.0, 0),
)  # fmt: skip
GAZE: Keys = (
    (0.0, 0), (0.6, 0), (0.72, -0.8), (1.2, -0.8), (1.32, -0.3), (1.9, -0.3), (2.05, 0.8), (2.6, 0.8), (2.72, 0.2),
    (3.2, 0.2), (3.32, 0), (4.55, 0), (4.65, 0.6), (5.0, 0.6), (5.1, 0), (6.9, 0), (7.0, -0.5), (7.3, -0.5), (7.5, 0),
    (8.0, 0),
)  # fmt: skip
"""Eyes go before the head, in jumps, and rest on the viewer in between."""
BLINKS = (0.35, 2.1, 3.4, 5.55, 7.25)
"""Seconds at which the lids start to fall; people blink as they turn, and between phrases."""
CLOSE, HOLD, OPEN = 0.15, 0.1, 0.2
"""Seconds of a blink."""
SYLLABLES = (
    (4.05, 0.3), (4.24, 0.5), (4.47, 0.25), (4.64, 0.42), (4.92, 0.55), (5.12, 0.22), (5.29, 0.4), (5.5, 0.3),
)  # fmt: skip
"""(seconds, how wide the jaw opens) at the middle of each; about five a second, unevenly, as in speech."""
SYLLABLE = 0.22
"""Seconds from closed to closed."""


def parse(text: str) -> Scripted:
    """Read `scripted` or `scripted:SECONDS`.

    Raises:
        SourceError: the seconds are no number, or out of range.
    """
    _, colon, seconds = text.partition(":")
    if not colon:
        return Scripted()
    try:
        return Scripted(seconds=float(seconds))
    except ValueError as error:
        raise SourceError(f"{text!r}: {seconds!r} is not a number of seconds; write scripted:8") from error


def pose_at(seconds: float) -> Pose:
    """The performance at one time; it starts and ends each loop in the avatar's own picture."""
    time = seconds % LOOP
    sway = 2 * np.pi * time / LOOP
    talk = _talk(time)
    # Whole numbers of waves a loop, so that it closes; different ones, so that it does not look like a pendulum.
    return Pose(
        yaw=_track(YAW, time) + 0.010 * np.sin(3 * sway) + 0.006 * np.sin(7 * sway),
        pitch=_track(PITCH, time) + 0.008 * np.sin(2 * sway) + 0.005 * np.sin(5 * sway) + 0.012 * talk,
        roll=_track(ROLL, time) + 0.006 * np.sin(3 * sway) - 0.005 * np.sin(4 * sway),
        x=0.008 * np.sin(sway),
        y=-0.012 * _breath(time),
        breath=_breath(time),
        blink=max(_blink(time - start) for start in BLINKS),
        jaw=talk,
        smile=_track(SMILE, time),
        brows=_track(BROWS, time),
        gaze=_track(GAZE, time),
    )


class Scripted:
    """The performance as a source of motions for one avatar; the same every time."""

    def __init__(self, *, seconds: float = LOOP, rate: Fraction = RATE) -> None:
        """Set the length.

        Raises:
            SourceError: it is not between one frame and an hour.
        """
        if not 1 / rate <= seconds <= LONGEST:
            raise SourceError(
                f"scripted for {seconds:g} s is not possible; choose between {1 / rate} and {LONGEST:g} s"
            )
        self.seconds = seconds
        self._rate = rate
        self.clip = Clip(rate=rate, time_base=TIME_BASE, frames=round(seconds * rate))

    def motions(self, avatar: Avatar, part_names: Sequence[str]) -> Iterator[tuple[Frame, Motion]]:
        """Frame by frame, beginning with the avatar's own motion; the frame's picture is the avatar's."""
        head = Head(avatar.motion, part_names)
        for index in range(self.clip.frames or 0):
            time = index / float(self._rate)
            left = (self.seconds - time) / FADE
            yield Frame(avatar.image, index, time), head.posed(pose_at(time).scaled(_ease(left)))


def _track(keys: Keys, time: float) -> float:
    """Between two keys the smoothest way there is, at rest at both (minimum jerk)."""
    for (start, before), (end, after) in pairwise(keys):
        if time < end:
            return before + (after - before) * _ease((time - start) / (end - start))
    return keys[-1][1]


def _ease(x: float) -> float:
    """From 0 at 0 to 1 at 1, with no speed and no acceleration at either."""
    x = min(max(x, 0.0), 1.0)
    return x * x * x * (10 - 15 * x + 6 * x * x)


def _blink(since: float) -> float:
    if since < CLOSE + HOLD:
        return _ease(since / CLOSE)
    return 1 - _ease((since - CLOSE - HOLD) / OPEN)


def _talk(time: float) -> float:
    """How far the jaw is open: each syllable a raised cosine, never closing wholly between them."""
    phases = [(min(abs(time - middle) / SYLLABLE, 1.0), height) for middle, height in SYLLABLES]
    return float(max(height * (0.5 + 0.5 * np.cos(np.pi * phase)) for phase, height in phases))


def _breath(time: float) -> float:
    """Two breaths a loop."""
    return float(0.5 - 0.5 * np.cos(4 * np.pi * time / LOOP))
