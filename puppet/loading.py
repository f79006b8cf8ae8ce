"""Long work in one thread, which says where it is and may be called off from another."""

from __future__ import annotations

import threading
import time

from puppet.errors import PuppetError


class CalledOffError(PuppetError):
    """The user does not want it any more."""


class Loading:
    """Where the work is; `step` is called by who works, everything else by who looks on."""

    def __init__(self) -> None:
        self.text = ""
        """What is being done; empty before the first step."""
        self.started = time.perf_counter()
        self._is_called_off = threading.Event()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self.started

    def step(self, text: str) -> None:
        """Something else begins.

        Raises:
            CalledOffError: `cancel` was called meanwhile; what follows a called-off step may go on.
        """
        if self._is_called_off.is_set():
            self._is_called_off.clear()
            raise CalledOffError(f"{self.text} was called off")
        self.text = text

    def cancel(self) -> None:
        """Call it off; it ends before its next step, since what runs inside a library cannot be interrupted."""
        self._is_called_off.set()


def silently(text: str) -> None:
    """A step that nobody looks at."""
