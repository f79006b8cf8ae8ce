"""Stopping in good order: Ctrl-C is noted and acted upon between two frames, a second one stops at once.

So are a termination and a terminal that is closed.
"""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from typing_extensions import Self

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interruption:
    """While its block runs, the first Ctrl-C (or termination) sets `signal` instead of raising."""

    signal: int | None = None
    """Which one came."""

    def __enter__(self) -> Self:
        self._before: dict[int, Any] = {}
        # Python lets only the main thread set handlers; elsewhere there is no Ctrl-C to catch either.
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS if not _is_outlived(number)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        self._restore()

    def _restore(self) -> None:
        while self._before:
            number, handler = self._before.popitem()
            signal.signal(number, handler)


def _is_outlived(number: int) -> bool:
    """Whether the program was started so that it outlives its terminal, as by `nohup`."""
    return number not in (signal.SIGINT, signal.SIGTERM) and signal.getsignal(number) is signal.SIG_IGN
