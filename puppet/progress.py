"""How far a file has come: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

PLAIN_EVERY = 5.0
"""Seconds between plain lines."""


class Progress:
    """Shows frames done, frames a second and time left on stderr."""

    def __init__(self, title: str, *, total: int | None, stream: TextIO | None = None) -> None:
        """Prepare.

        Args:
            title: what is being done.
            total: frames to expect, if known; more or fewer may come.
            stream: instead of stderr.
        """
        self._title = title
        self._total = total
        self._stream = stream or sys.stderr
        self._bar: Any = None
        self._task: Any = None
        self.done = 0
        self._started = self._shown = time.perf_counter()

    @property
    def fps(self) -> float:
        """Frames a second so far."""
        return self.done / max(time.perf_counter() - self._started, 1e-9)

    def advance(self) -> None:
        """One more frame is done."""
        self.done += 1
        if self._bar is not None:
            total = self._total if self._total is None else max(self._total, self.done)
            self._bar.update(self._task, completed=self.done, total=total, fps=f"{self.fps:.1f}")
            return
        now = time.perf_counter()
        if now - self._shown >= PLAIN_EVERY:
            self._shown = now
            self._stream.write(self._line() + "\n")
            self._stream.flush()

    def __enter__(self) -> Self:
        self._started = self._shown = time.perf_counter()
        if self._stream.isatty():
            self._start_bar()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _line(self) -> str:
        fps = self.fps
        if self._total is None:
            return f"{self._title}: {self.done} frames, {fps:.1f} fps"
        left = max(self._total - self.done, 0) / fps
        return f"{self._title}: {self.done} of {self._total} frames, {fps:.1f} fps, {left:.0f} s left"

    def _start_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[fps]} fps"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(file=self._stream),
            refresh_per_second=5,
        )
        self._task = self._bar.add_task(self._title, total=self._total, fps="-")
        self._bar.start()
