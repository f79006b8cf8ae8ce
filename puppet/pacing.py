"""When things are due: functions of a state and the time given, so that nothing here looks at a clock or waits."""

from __future__ import annotations

from dataclasses import dataclass, field

EARLY = 0.5
"""Share of a period by which a new picture may go out before it is due."""
LATE = 0.75
"""Share of a period for which a new picture is waited for after it is due; then the last one is shown again."""
GAIN = 0.2
"""How much of the distance between a picture and its due time the next due time is moved by."""
MOST_PULL = 0.02
"""Of the time: by so much, and no more, may the rate differ for long."""


@dataclass
class Pacer:
    """A steady rate that leans towards the arrivals, so that pictures of the same rate go out as they come.

    Around each due time lies a window in which one picture goes out: a new one at once, or else, when the window is
    over, the last one again. Due times follow each other by the period, pulled towards arrivals: a little at a time
    while they are late; and as far as has been saved up, at once, while they are early. For a picture that came late
    has used up the window of the next one, and those after it would each wait for theirs.
    """

    period: float
    """Seconds."""
    due: float
    """Seconds, on the clock of the times given."""
    skipped: int = 0
    """Pictures that could not go out in time because whoever asks came late."""
    saved: float = field(init=False)
    """Seconds by which due times may be moved forward at once; never more than a period."""

    def __post_init__(self) -> None:
        self.saved = self.period

    def wait(self, now: float, *, is_new: bool) -> float:
        """Seconds until a picture may go out; 0 is now.

        Args:
            now: seconds.
            is_new: a new picture is there; else the last one would be shown again.
        """
        moment = self.due - EARLY * self.period - self.saved if is_new else self.due + LATE * self.period
        return max(0.0, moment - now)

    def advance(self, now: float, *, is_new: bool) -> None:
        """A picture went out."""
        limit = MOST_PULL * self.period
        self.saved = min(self.period, self.saved + limit)
        pull = self._pull(now - self.due, limit) if is_new else 0.0
        self.saved += min(pull, 0.0)
        self.due += self.period + pull
        behind = now - self.due
        if behind > self.period:
            self.skipped += int(behind / self.period)
            self.due = now + self.period

    def _pull(self, distance: float, limit: float) -> float:
        """Seconds by which the next due time moves, for a picture that went out so much after its own."""
        before_window = min(0.0, distance + EARLY * self.period)
        return max(-self.saved, min(limit, GAIN * distance, before_window or limit))


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
