"""How far a build has come: TensorRT's nested phases as one fraction, seconds left, and a way to stop it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class BuildProgress:
    """A build at one moment."""

    title: str
    """What is being built."""
    phase: str
    """TensorRT's own words."""
    fraction: float
    """Of all, in [0, 1]; it never falls."""
    left_s: float | None
    """Seconds; None while nothing can be said."""


@dataclass
class _Phase:
    parent: str | None
    steps: int
    done: int = 0
    children: int = 0
    child: float = field(default=0.0)
    """Of the step that is under way, how much its own phases have done."""


class BuildMonitor:
    """Adds the phases up; called by TensorRT's threads. See `progress_monitor` for TensorRT's own type."""

    def __init__(
        self, report: Callable[[BuildProgress], None], should_stop: Callable[[], bool], *, total: int = 1
    ) -> None:
        """Take whom to tell.

        Args:
            report: called at every step, from whatever thread TensorRT builds in.
            should_stop: asked at every step; once it is true, the build ends within a moment.
            total: how many engines are built in a row.
        """
        self._report = report
        self._should_stop = should_stop
        self._total = total
        self._index = -1
        self._title = ""
        self._lock = threading.Lock()
        self._started = time.perf_counter()
        self._fraction = 0.0
        self._phases: dict[str, _Phase] = {}
        self.was_stopped = False
        """Whether it was this that ended the build."""

    def begin(self, title: str) -> None:
        """The next engine is being built."""
        with self._lock:
            self._index += 1
            self._title = title
            self._phases.clear()
        self._tell(title)

    def rename(self, title: str) -> None:
        """Something else is done with what was just built."""
        with self._lock:
            self._title = title
        self._tell(title)

    def phase_start(self, name: str, parent: str | None, steps: int) -> None:
        """A phase of so many steps begins, within another one or by itself."""
        with self._lock:
            self._phases[name] = _Phase(parent, max(steps, 1))
        self._tell(name)

    def step_complete(self, name: str, step: int) -> bool:
        """A step is done; returns whether to go on."""
        with self._lock:
            phase = self._phases.get(name)
            if phase is not None:
                phase.done, phase.child = max(phase.done, step + 1), 0.0
                self._pass_up(name)
        self._tell(name)
        if self._should_stop():
            self.was_stopped = True
        return not self.was_stopped

    def phase_finish(self, name: str) -> None:
        """A phase is done."""
        with self._lock:
            phase = self._phases.pop(name, None)
            parent = None if phase is None else self._phases.get(phase.parent or "")
            if parent is not None:
                parent.child = 0.0 if parent.done >= parent.steps else 1.0
            elif phase is not None and phase.parent is None:
                self._fraction = max(self._fraction, min(1.0, (self._index + 1) / self._total))
        self._tell(name)

    def _pass_up(self, name: str) -> None:
        """Tell the phases above how much of their step is done."""
        phase = self._phases[name]
        for _ in range(len(self._phases)):
            parent = self._phases.get(phase.parent or "")
            if parent is None:
                return
            parent.child = min(1.0, max(parent.child, (phase.done + phase.child) / phase.steps))
            phase = parent

    def _tell(self, phase: str) -> None:
        with self._lock:
            roots = [each for each in self._phases.values() if each.parent is None]
            here = max((min(1.0, (root.done + root.child) / root.steps) for root in roots), default=0.0)
            self._fraction = max(self._fraction, min(1.0, (self._index + here) / self._total))
            elapsed = time.perf_counter() - self._started
            left = elapsed * (1 - self._fraction) / self._fraction if self._fraction > 0.02 else None
            progress = BuildProgress(self._title, phase, self._fraction, left)
        self._report(progress)


def progress_monitor(trt: Any, monitor: BuildMonitor) -> Any:
    """A monitor as TensorRT takes it; it must live as long as the build."""

    class _Monitor(trt.IProgressMonitor):  # type: ignore[misc]  # the base is known at run time only
        def __init__(self) -> None:
            super().__init__()

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            monitor.phase_start(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return monitor.step_complete(phase_name, step)

        def phase_finish(self, phase_name: str) -> None:
            monitor.phase_finish(phase_name)

    return _Monitor()
