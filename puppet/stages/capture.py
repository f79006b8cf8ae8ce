"""The capture thread: opens the source, reads it, and brings it back when it was lost."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from puppet.errors import PuppetError
from puppet.sources.base import SourceLostError

if TYPE_CHECKING:
    from puppet.latest import Latest
    from puppet.sources.base import Source
    from puppet.state import Board
    from puppet.types import Frame

log = logging.getLogger(__name__)

RETRY_S = 0.5


class Capture:
    """Runs in one thread, in which alone the source is touched."""

    def __init__(self, source: Source | None, outbox: Latest[Frame], board: Board, *, is_patient: bool) -> None:
        """Take the first source.

        Args:
            source: None waits for one.
            outbox: where frames go.
            board: where its state is shown.
            is_patient: a source that cannot be opened at the start is tried again too, instead of ending the pipeline.
        """
        self._source = source
        self._outbox = outbox
        self._board = board
        self._is_patient = is_patient
        self._news = threading.Event()
        self._is_stopped = False
        self._told: str | None = None

    def use(self, source: Source | None) -> None:
        """Change over to another source, or to none."""
        self._source = source
        self._news.set()

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._is_stopped = True
        self._news.set()

    def run(self) -> None:
        """Read until stopped.

        Raises:
            PuppetError: the source cannot be used, and nobody said that it may take its time.
        """
        tried: Source | None = None
        while True:
            self._news.clear()
            source = self._source
            if self._is_stopped:
                return
            if source is not tried:
                self._told = None
            self._board.set_source(source.name if source else None, trouble=self._told)
            if source is None:
                self._news.wait()
                continue
            retry_s = self._read(source, is_first=source is not tried and tried is None)
            tried = source
            self._news.wait(retry_s)

    def _read(self, source: Source, *, is_first: bool) -> float | None:
        """Read until it fails or is not wanted any more; returns how long to wait before it is tried again."""
        is_open = False
        try:
            mode = source.open()
            is_open = True
            if self._told is not None:
                log.info("%s is back", source.name)
            self._told = None
            log.info("%s: %s", source.name, mode)
            self._board.set_source(source.name, mode=mode)
            while not self._news.is_set():
                frame = source.read(self._news)
                if frame is not None:
                    self._outbox.put(frame)
                    self._board.add_captured(frame, source.notice())
        except PuppetError as error:
            may_return = isinstance(error, SourceLostError)
            if not self._is_patient and (not may_return or (is_first and not is_open)):
                raise
            self._tell(source, str(error))
            return RETRY_S if may_return else None
        finally:
            source.close()
        return 0.0

    def _tell(self, source: Source, sentence: str) -> None:
        if sentence != self._told:
            log.info("%s", sentence)
        self._told = sentence
        self._board.set_source(source.name, trouble=sentence)
