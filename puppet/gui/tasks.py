"""Work that would hold the window up: done in a thread of its own, answered in the Qt thread."""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from engines.errors import EngineError
from puppet.errors import PuppetError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class _Waiting:
    future: Future[Any]
    then: Callable[[Any], None]
    failed: Callable[[str], None]


class Tasks:
    """Calls in turn, one at a time, slow ones beside the others; `poll` in the Qt thread hands the answers over."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Say where failures go, one sentence each."""
        self._say = say
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="window")
        self._slow_pool = ThreadPoolExecutor(1, thread_name_prefix="window-slow")
        self._waiting: list[_Waiting] = []
        self._is_closed = False

    def run(
        self,
        call: Callable[[], T],
        *,
        then: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
        is_slow: bool = False,
    ) -> None:
        """Have something done outside the Qt thread; what is slow, or comes in crowds, holds nothing else up."""
        if not self._is_closed:
            pool = self._slow_pool if is_slow else self._pool
            self.watch(pool.submit(call), then=then, failed=failed)

    def watch(
        self, future: Future[T], *, then: Callable[[T], None], failed: Callable[[str], None] | None = None
    ) -> None:
        """Wait for what is done elsewhere."""
        self._waiting.append(_Waiting(future, then, failed or self._say))

    def poll(self) -> None:
        """Hand over what is done; one that was cancelled is forgotten."""
        done = [waiting for waiting in self._waiting if waiting.future.done()]
        self._waiting = [waiting for waiting in self._waiting if waiting not in done]
        for waiting in done:
            if not waiting.future.cancelled():
                self._answer(waiting)

    def close(self) -> None:
        """Finish what has begun, and do nothing more."""
        self._is_closed = True
        self._waiting.clear()
        for pool in (self._pool, self._slow_pool):
            pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, waiting: _Waiting) -> None:
        error = waiting.future.exception()
        if error is None:
            waiting.then(waiting.future.result())
            return
        log.info("task failed: %s", error, exc_info=error)
        if not isinstance(error, (PuppetError, EngineError, OSError, ValueError)):
            raise error
        waiting.failed(str(error))
