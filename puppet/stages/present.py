"""The presenting thread: composes the output and hands it to the sinks at a constant rate."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from puppet import overlay
from puppet.errors import PuppetError
from puppet.pacing import Pacer
from puppet.sinks.base import SinkLostError
from puppet.sinks.canvas import Canvas
from puppet.stages.orders import Orders
from puppet.state import ADDED, TOTAL, SinkState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.latest import Latest
    from puppet.settings import OutputSettings, Settings
    from puppet.sinks.base import OutputMode, Sink
    from puppet.state import Board, Shot
    from puppet.types import Image

log = logging.getLogger(__name__)

RETRY_S = 1.0


@dataclass
class _Seat:
    """One sink and how it stands."""

    sink: Sink
    is_open: bool = False
    trouble: str | None = None
    retry_at: float = 0.0


class Present:
    """Runs in one thread, in which alone the sinks are touched."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        inbox: Latest[Shot],
        board: Board,
        *,
        mode: OutputMode,
        settings: Settings,
        is_patient: bool,
    ) -> None:
        """Take the first sinks.

        Args:
            sinks: opened in the thread, all at once.
            inbox: where shots come from.
            board: where its state is shown.
            mode: size and rate of the output.
            settings: to begin with; replace the attribute at any time.
            is_patient: a sink that fails is tried again, or left out, instead of ending the pipeline.
        """
        self.settings = settings
        self.dropped = 0
        """Shots replaced by newer ones while they waited for their time."""
        self.orders = Orders(inbox.wake)
        self._seats = [_Seat(sink) for sink in sinks]
        self._inbox = inbox
        self._board = board
        self._mode = mode
        self._is_patient = is_patient
        self._canvas = Canvas(mode)
        self._shot: Shot | None = None
        self._composed: tuple[Shot | None, OutputSettings, str | None] | None = None
        self._warned: str | None = None
        self._picture: Image | None = None

    def run(self) -> None:
        """Show pictures until the inbox is closed, then close the sinks.

        Raises:
            PuppetError: a sink cannot be used, and nobody said that it may take its time.
        """
        try:
            for seat in self._seats:
                self._open(seat, is_first=True)
            pacer = Pacer(1 / self._mode.fps, time.perf_counter())
            is_new = False
            while True:
                self.orders.obey(self._board.note)
                shot = self._inbox.take(pacer.wait(time.perf_counter(), is_new=is_new))
                if shot is not None:
                    self.dropped += is_new
                    self._shot, is_new = shot, True
                started = time.perf_counter()
                if pacer.wait(started, is_new=is_new) > 0:
                    continue
                self._show(is_new=is_new)
                pacer.advance(started, is_new=is_new)
                is_new = False
        finally:
            self.orders.close()
            self._close_all()

    def add(self, sink: Sink) -> None:
        """Show pictures there too. To be ordered.

        Raises:
            SinkError: it cannot be opened; one that may come back is tried again nevertheless.
        """
        seat = _Seat(sink)
        try:
            sink.open(self._mode)
            seat.is_open = True
        except SinkLostError as error:
            seat.trouble, seat.retry_at = str(error), time.perf_counter() + RETRY_S
            self._seats.append(seat)
            self._tell()
            raise
        self._seats.append(seat)
        self._tell()

    def remove(self, sink: Sink) -> None:
        """Show no more pictures there. To be ordered.

        Raises:
            SinkError: what was shown could not be kept.
        """
        self._seats = [seat for seat in self._seats if seat.sink is not sink]
        self._tell()
        sink.close()

    def _show(self, *, is_new: bool) -> None:
        picture = self._compose()
        for seat in list(self._seats):
            self._hand_over(seat, picture)
        now = time.perf_counter()
        seconds = None
        if is_new and self._shot is not None:
            total = now - self._shot.frame.captured_at
            rendered = self._shot.rendered
            seconds = {TOTAL: total, ADDED: total - (sum(rendered.seconds.values()) if rendered else 0.0)}
        self._board.add_shown(picture, now, seconds)

    def _compose(self) -> Image:
        """The output picture; the last one if nothing in it would be different."""
        settings = self.settings.output
        trouble = self._board.trouble() if settings.banner else None
        banner = trouble.split(";")[0] if trouble else None
        wanted = (self._shot, settings, banner)
        if self._picture is None or wanted != self._composed:
            self._picture = self._draw(self._shot, settings, banner)
            self._composed = wanted
        return self._picture

    def _draw(self, shot: Shot | None, settings: OutputSettings, banner: str | None) -> Image:
        try:
            return self._canvas.compose(_picture(shot, settings), settings, banner=banner)
        except PuppetError as error:
            # Only the background picture can be unusable; the show goes on without it.
            self._warn(error)
            plain = settings.model_copy(update={"background": "colour"})
            return self._canvas.compose(_picture(shot, plain), plain, banner=banner)

    def _hand_over(self, seat: _Seat, picture: Image) -> None:
        now = time.perf_counter()
        if not seat.is_open:
            if now >= seat.retry_at:
                self._open(seat, is_first=False)
            if not seat.is_open:
                return
        try:
            seat.sink.show(picture, now)
        except PuppetError as error:
            self._lose(seat, error)

    def _open(self, seat: _Seat, *, is_first: bool) -> None:
        try:
            seat.sink.open(self._mode)
        except PuppetError as error:
            if is_first and not self._is_patient:
                raise
            self._lose(seat, error)
            return
        if seat.trouble is not None:
            log.info("%s is back", seat.sink.name)
        seat.is_open, seat.trouble = True, None
        self._tell()

    def _lose(self, seat: _Seat, error: PuppetError) -> None:
        """Try it again later if it may come back; else leave it out, or end if nobody would notice that."""
        if isinstance(error, SinkLostError) and seat.trouble != str(error):
            log.info("%s", error)
        seat.is_open, seat.trouble = False, str(error)
        seat.retry_at = time.perf_counter() + RETRY_S
        if not isinstance(error, SinkLostError):
            if not self._is_patient:
                raise error
            self._warn(error)
            self._seats.remove(seat)
        try:
            seat.sink.close()
        except PuppetError as again:
            log.info("%s", again)
        self._tell()

    def _close_all(self) -> None:
        """Close each, whatever becomes of the others; the first that fails is reported."""
        failure: PuppetError | None = None
        while self._seats:
            seat = self._seats.pop()
            try:
                seat.sink.close()
            except PuppetError as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _warn(self, error: PuppetError) -> None:
        """Log it once, however many pictures it concerns, and show it."""
        if str(error) != self._warned:
            self._warned = str(error)
            log.warning("%s", error)
        self._board.note(str(error))

    def _tell(self) -> None:
        self._board.update(sinks=tuple(SinkState(seat.sink.name, seat.is_open, seat.trouble) for seat in self._seats))


def _picture(shot: Shot | None, settings: OutputSettings) -> Image | None:
    """What is shown of a shot, with the parts painted over it if asked for."""
    if shot is None or settings.show == "nothing":
        return None
    if settings.show == "camera":
        return shot.frame.image
    if shot.rendered is None:
        return None
    image, masks = shot.rendered.image, shot.rendered.target.segmentation
    if settings.overlay == 0 or masks is None:
        return image
    return overlay.paint_parts(image, masks, opacity=settings.overlay)
