"""When things are due: functions of a state and the time given, so that nothing here looks at a clock or waits."""

from __future__ import annotations

from dataclasses import dataclass

EARLY = 0.5
"""Share of a period by which a new picture may go out before it is due."""
LATE = 0.25
"""Share of a period for which a new picture is waited for after it is due; then the last one is shown again."""
GAIN = 0.2
MOST_PULL = 0.02
"""Of the period: how far one picture may move the next one's due time."""


@dataclass
class Pacer:
    """A steady rate that leans towards the arrivals, so that pictures of the same rate go out as they come.

    Around each due time lies a window in which one picture goes out: a new one at once, or else, when the window is
    mostly over, the last one again. Due times follow each other by the period, pulled a little towards arrivals.
    """

    period: float
    """Seconds."""
    due: float
    """Seconds, on the clock of the times given."""
    skipped: int = 0
    """Pictures that could not go out in time because whoever asks came late."""

    def wait(self, now: float, *, is_new: bool) -> float:
        """Seconds until a picture may go out; 0 is now.

        Args:
            now: seconds.
            is_new: a new picture is there; else the last one would be shown again.
        """
        moment = self.due - EARLY * self.period if is_new else self.due + LATE * self.period
        return max(0.0, moment - now)

    def advance(self, now: float, *, is_new: bool) -> None:
        """A picture went out."""
        limit = MOST_PULL * self.period
        pull = max(-limit, min(limit, GAIN * (now - self.due))) if is_new else 0.0
        self.due += self.period + pull
        behind = now - self.due
        if behind > self.period:
            self.skipped += int(behind / self.period)
            self.due = now + self.period


@dataclass
class Ticks:
    """Due times of a source that makes its own frames; it never hurries to catch up."""

    period: float
    due: float

    def wait(self, now: float) -> float:
        """Seconds until the next frame is due, and move on to the one after it."""
        left = self.due - now
        self.due = self.due + self.period if left > -self.period else now + self.period
        return max(0.0, left)
