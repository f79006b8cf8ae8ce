"""A video file as a live sink, with a thread of its own, so that no slow disk or encoder holds the picture up."""

from __future__ import annotations

import logging
import queue
import threading
from fractions import Fraction
from typing import TYPE_CHECKING

from puppet.errors import PuppetError, SinkError
from puppet.sinks.video_file import VideoFileSink, refuse
from puppet.sources.video_file import Clip

if TYPE_CHECKING:
    from pathlib import Path

    from puppet.provenance import SourceType
    from puppet.sinks.base import OutputMode
    from puppet.types import Image

log = logging.getLogger(__name__)

WAITING = 24
"""Pictures that may wait for the encoder, 65 MB at 1280x720; then new ones are left out and counted."""
PRESET = "veryfast"
"""Of x264: a third larger than the file mode's, at a quarter of the time, because the model needs the processor."""
TIME_BASE = Fraction(1, 90_000)

Waiting = tuple["Image", float]


class Recorder:
    """Writes every picture at the time at which it was shown. `close` finishes the file."""

    def __init__(self, path: Path, *, kind: SourceType = "trainedAlgorithmicMedia", force: bool = False):
        """Choose the file.

        Raises:
            SinkError: no video may be written there.
        """
        refuse(path, force=force)
        self.path = path
        self.name = str(path)
        self.dropped = 0
        """Pictures left out because the encoder could not keep up."""
        self._kind = kind
        self._force = force
        self._queue: queue.Queue[Waiting | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._failure: PuppetError | None = None
        self._began: float | None = None

    @property
    def has_failed(self) -> bool:
        """Whether it has ended by itself, because the encoder or the disk failed."""
        return self._failure is not None

    def open(self, mode: OutputMode) -> None:
        """Open the file and start the encoder.

        Raises:
            SinkError: the file cannot be written.
        """
        rate = Fraction(mode.fps).limit_denominator(1001)
        clip = Clip(rate=rate, time_base=TIME_BASE, frames=None)
        sink = VideoFileSink(self.path, clip, force=self._force, preset=PRESET, kind=self._kind)
        self._thread = threading.Thread(target=self._write, args=(sink,), name="record")
        self._thread.start()

    def show(self, picture: Image, at: float) -> None:
        """Hand one picture over.

        Raises:
            SinkError: the encoder or the disk failed.
        """
        if self._failure is not None:
            raise self._failure
        if self._began is None:
            self._began = at
        try:
            self._queue.put_nowait((picture, at - self._began))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what still waits, and finish the file.

        Raises:
            SinkError: it could not be finished.
        """
        if self._thread is None:
            return
        self._queue.put(None)
        self._thread.join()
        self._thread = None
        if self.dropped:
            log.warning("%s: %d pictures were left out, the encoder was too slow", self.path, self.dropped)
        if self._failure is not None:
            raise self._failure

    def _write(self, sink: VideoFileSink) -> None:
        try:
            with sink:
                while (waiting := self._queue.get()) is not None:
                    sink.write(*waiting)
        except PuppetError as error:
            self._failure = error
        except Exception as error:
            log.info("traceback", exc_info=True)
            self._failure = SinkError(f"{self.path} cannot be written ({type(error).__name__}: {error})")
            self._failure.__cause__ = error
        if self._failure is not None:
            # Whoever puts must not find the queue full for ever.
            while self._queue.get() is not None:
                pass
