"""A mailbox for one thing: the newest wins, and what nobody took is counted."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The mailbox was closed; there will be nothing more."""


class Latest(Generic[T]):
    """Between two threads: one puts, the other takes, and neither waits for the other's pace.

    No value is given twice, and none that is older than one already there.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._value: T | None = None
        self._is_full = False
        self._is_closed = False
        self._is_woken = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many values were replaced before anybody took them."""
        return self._dropped

    def put(self, value: T) -> None:
        """Leave a value; one that still lies there is dropped.

        Raises:
            Closed: the mailbox is closed.
        """
        with self._condition:
            if self._is_closed:
                raise Closed
            self._dropped += self._is_full
            self._value, self._is_full = value, True
            self._condition.notify()

    def take(self, timeout: float | None = None) -> T | None:
        """Wait for a value and take it out.

        Args:
            timeout: seconds; None waits as long as it takes.

        Returns:
            The value; None if none came in time, or `wake` was called.

        Raises:
            Closed: the mailbox is closed; a value that still lies there is not given any more.
        """
        with self._condition:
            self._condition.wait_for(self._has_news, timeout)
            if self._is_closed:
                raise Closed
            self._is_woken = False
            value, self._value, self._is_full = self._value, None, False
            return value

    def wake(self) -> None:
        """Let the taker go on, now or when it comes next, though there may be no value."""
        with self._condition:
            self._is_woken = True
            self._condition.notify()

    def close(self) -> None:
        """End it for both sides; calling it twice is allowed."""
        with self._condition:
            self._is_closed = True
            self._value, self._is_full = None, False
            self._condition.notify_all()

    def _has_news(self) -> bool:
        return self._is_full or self._is_closed or self._is_woken
