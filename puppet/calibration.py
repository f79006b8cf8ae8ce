"""Which driving motion counts as the first one, and whether the driver still is near it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from puppet.motion import hull_scale, is_usable
from puppet.reference import pose_distance

if TYPE_CHECKING:
    from puppet.types import Motion

AUTO_S = 10.0
"""After a calibration, so long a better moment is looked for."""
STEADY_S = 0.4
"""The head must rest so long before such a moment."""
STEADY_SPEED = 0.3
"""Change of pose a second, in pose distance: below it the head rests; people who talk have 0.1, half of the time."""
BETTER = 0.75
"""Of the distance to the avatar's pose: a moment must be nearer than this share of the last one's."""
MUCH_BETTER = 0.5
"""The same after that time, where it is wanted."""
NEAR = 0.06
"""Pose distance below which nothing better is looked for."""

# Measured with the bundled model on talking people, pictures without a face, and faces moved out of the picture.
TRAVEL = 0.6
"""Of the middle of the parts since the first motion, in half sides of the model's picture: the face has left it."""
SHRUNK, GROWN = 0.72, 1.5
"""Size of the face over that in the first motion: beyond, it has left or come too near."""
DRIFTED = 0.33
"""Pose distance to the first motion from which on the picture breaks: people who talk stay below 0.2, a head turned far
reaches 0.3, and what the bundled model reads off an empty room or a covered lens lies at 0.34 and more."""

SURE_S = {"unknown": 0.0, "seen": 0.4, "left": 0.8, "drifted": 0.8}
"""A judgement must last so long before it counts: one odd frame is no news, and a warning that flickers is none."""

FaceKind = Literal["unknown", "seen", "left", "drifted"]
SENTENCES: dict[FaceKind, str | None] = {
    "unknown": None,
    "seen": None,
    "left": "your face has left the picture; come back to the middle, or calibrate again",
    "drifted": "your pose is far from the reference; look straight ahead, or calibrate again",
}


@dataclass(frozen=True)
class FaceState:
    """How the driver stands to the first motion."""

    kind: FaceKind = "unknown"
    drift: float = 0.0
    """Pose distance to the first motion; a turned head has about 0.2."""
    to_avatar: float = math.inf
    """Pose distance to the avatar's pose."""

    @property
    def is_lost(self) -> bool:
        """Whether what was read is no pose of the driver's that can be shown."""
        return self.kind in ("left", "drifted")

    @property
    def sentence(self) -> str | None:
        """What to tell the user, if anything is to be told."""
        return SENTENCES[self.kind]


def judge(driving: Motion, *, first: Motion, avatar: Motion) -> FaceState:
    """Compare a driving motion with the first and the avatar's; costs no network."""
    if not is_usable(driving):
        return FaceState("left")
    drift, to_avatar = pose_distance(driving, first), pose_distance(driving, avatar)
    size = hull_scale(driving.shift, first.shift)
    travel = float(np.abs(driving.shift.mean(axis=0) - first.shift.mean(axis=0)).max())
    if travel > TRAVEL or not SHRUNK < size < GROWN:
        return FaceState("left", drift, to_avatar)
    return FaceState("drifted" if drift > DRIFTED else "seen", drift, to_avatar)


class FaceWatch:
    """Changes its mind only about what lasts."""

    def __init__(self) -> None:
        self._kind: FaceKind = "unknown"
        self._doubt: FaceKind = "unknown"
        self._since = 0.0

    def follow(self, judged: FaceState, now: float) -> FaceState:
        """The judgement of this moment, seconds, with the kind that has lasted; the first one counts at once."""
        if judged.kind == self._kind:
            self._doubt = self._kind
            return judged
        if judged.kind != self._doubt:
            self._doubt, self._since = judged.kind, now
        if self._kind == "unknown" or now - self._since >= SURE_S[judged.kind]:
            self._kind = judged.kind
        return replace(judged, kind=self._kind)


class Calibrator:
    """Says when to make a driving motion the first one: when asked, after a search, or when a better moment comes."""

    is_gentle = False
    """Whether what was chosen last came by itself, so that nobody expects a change."""

    def __init__(self) -> None:
        self._is_asked = True
        self._search_until: float | None = None
        self._best: Motion | None = None
        self._best_distance = math.inf
        self._distance = math.inf
        self._auto_until = -math.inf
        self._steady_since = math.inf
        self._last: tuple[Motion, float] | None = None

    @property
    def is_searching(self) -> bool:
        """Whether a search for the best reference is under way."""
        return self._search_until is not None

    @property
    def is_waiting(self) -> bool:
        """Whether the next usable motion will be taken."""
        return self._is_asked

    def ask(self) -> None:
        """Take the next usable motion."""
        self._is_asked, self._search_until = True, None

    def renew(self) -> None:
        """Take the next usable motion, and compare it with none that came before."""
        self.ask()
        self._best = self._last = None

    def search(self, until: float) -> None:
        """Look at every motion until that time, seconds, and take the one nearest to the avatar's pose."""
        self._search_until, self._best, self._best_distance = until, None, math.inf

    def settle(self) -> None:
        """The first motion was set by hand: nothing is looked for any more."""
        self._is_asked, self._search_until, self._auto_until = False, None, -math.inf

    def choose(
        self, driving: Motion, avatar: Motion, now: float, *, is_auto: bool, is_lasting: bool = False
    ) -> Motion | None:
        """The motion to calibrate on now; None leaves the first motion as it is.

        Args:
            driving: of the newest frame.
            avatar: the avatar's own.
            now: seconds, when the frame was captured.
            is_auto: look for a better moment by itself in the first seconds.
            is_lasting: later, too, for one that is much better.
        """
        self.is_gentle = False
        if not is_usable(driving):
            return None
        if self._is_asked:
            self._is_asked = False
            self._auto_until = now + AUTO_S
            return self._taken(driving, pose_distance(driving, avatar))
        if self._search_until is not None:
            return self._searched(driving, avatar, now)
        if self._distance <= NEAR:
            return None
        if is_auto and now < self._auto_until:
            return self._better(driving, avatar, now, share=BETTER)
        return self._better(driving, avatar, now, share=MUCH_BETTER) if is_lasting else None

    def _searched(self, driving: Motion, avatar: Motion, now: float) -> Motion | None:
        distance = pose_distance(driving, avatar)
        if distance < self._best_distance:
            self._best, self._best_distance = driving, distance
        if self._search_until is None or now < self._search_until or self._best is None:
            return None
        self._search_until, self._auto_until = None, -math.inf
        return self._taken(self._best, self._best_distance)

    def _better(self, driving: Motion, avatar: Motion, now: float, *, share: float) -> Motion | None:
        last, self._last = self._last, (driving, now)
        if last is None or now <= last[1] or pose_distance(driving, last[0]) / (now - last[1]) > STEADY_SPEED:
            self._steady_since = now
            return None
        distance = pose_distance(driving, avatar)
        if now - self._steady_since < STEADY_S or distance > share * self._distance:
            return None
        self.is_gentle = True
        return self._taken(driving, distance)

    def _taken(self, motion: Motion, distance: float) -> Motion:
        self._distance, self._last, self._steady_since = distance, None, math.inf
        return motion
