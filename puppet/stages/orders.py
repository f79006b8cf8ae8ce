"""What one thread asks of another: done there, in turn, and answered by a future."""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from engines.errors import EngineError
from puppet.errors import PuppetError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

T = TypeVar("T")


class Orders:
    """Waiting calls; `wake` tells the thread that does them."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._lock = threading.Lock()
        self._is_closed = False
        self._queue: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()

    def give(self, call: Callable[[], T]) -> Future[T]:
        """Have something done; cancelled at once if nobody does anything any more."""
        future: Future[T] = Future()
        with self._lock:
            if self._is_closed:
                future.cancel()
            else:
                self._queue.put((future, call))
        self._wake()
        return future

    def obey(self, note: Callable[[str], None]) -> None:
        """Do all that is waiting; what fails is answered by the future, and noted as a sentence."""
        while not self._queue.empty():
            future, call = self._queue.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except (PuppetError, EngineError, ValueError) as error:
                log.info("traceback", exc_info=True)
                note(str(error))
                future.set_exception(error)

    def close(self) -> None:
        """Nobody will do what still waits, or comes later."""
        with self._lock:
            self._is_closed = True
        while not self._queue.empty():
            self._queue.get()[0].cancel()
