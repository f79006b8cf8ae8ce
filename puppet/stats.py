"""Times of stages, gathered over frames and summed up."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Summary:
    """How long something took, over many times; all in seconds."""

    count: int
    p50: float
    p90: float
    p99: float
    mean: float

    @property
    def fps(self) -> float:
        """How often a second it could be done, one after the other."""
        return 1 / self.mean

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Summary:
        """Sum up.

        Raises:
            ValueError: there are no times.
        """
        times = np.fromiter(seconds, np.float64)
        if not len(times):
            raise ValueError("no times to sum up")
        p50, p90, p99 = (float(value) for value in np.percentile(times, (50, 90, 99)))
        return cls(len(times), p50, p90, p99, float(times.mean()))


class StageTimes:
    """Times by stage; with a window only the latest of each count."""

    def __init__(self, *, window: int | None = None) -> None:
        self._window = window
        self._times: dict[str, deque[float]] = {}

    def add(self, seconds: Mapping[str, float]) -> None:
        """Take the stages of one frame."""
        for stage, value in seconds.items():
            self._times.setdefault(stage, deque(maxlen=self._window)).append(value)

    def summaries(self) -> dict[str, Summary]:
        """One summary a stage, in the order in which the stages first came."""
        return {stage: Summary.of(times) for stage, times in self._times.items()}


LONG_PAUSE_S = 2.0


class Rate:
    """How often something happens, over the latest times."""

    def __init__(self, *, window: int = 60) -> None:
        self._times: deque[float] = deque(maxlen=window)

    def tick(self, now: float) -> None:
        """It happened; seconds. After a long pause the count starts over."""
        if self._times and now - self._times[-1] > LONG_PAUSE_S:
            self._times.clear()
        self._times.append(now)

    def at(self, now: float) -> float:
        """Times a second; falls towards 0 from when it should have happened again and did not."""
        times = list(self._times)
        if len(times) < 2 or times[-1] <= times[0]:
            return 0.0
        period = (times[-1] - times[0]) / (len(times) - 1)
        since = now - times[-1]
        return 1 / period if since <= 2 * period else 1 / since
