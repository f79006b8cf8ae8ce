"""What the pipeline shows of itself: the threads write on a board, and anybody reads a snapshot of it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from puppet.calibration import FaceState
from puppet.stats import Rate, StageTimes, Summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from puppet.framing import Square
    from puppet.sources.base import SourceMode
    from puppet.types import Frame, Image, Motion, Rendered

WINDOW = 150
"""Frames over which times are summed up: five seconds at 30 a second."""
SILENCE_S = 1.5
"""A source that is open and gives no frame for so long is in trouble, whatever it says itself."""

Phase = Literal["loading", "running", "stopped"]
TOTAL, MODEL, ADDED = "total", "model", "added"
"""Names of three times: from capture to sink, the model's part of it, and what is left."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame and what became of it."""

    frame: Frame
    """As the source gave it, whole."""
    square: Square | None
    """The part of it that the model saw; None if the model saw no picture."""
    rendered: Rendered | None
    """None while there is no avatar."""
    read: Motion | None = None
    """The driver's motion as the model read it, before it was calmed; None if the model saw no picture."""


@dataclass(frozen=True)
class SourceState:
    """The source of frames."""

    name: str | None = None
    """None: none is chosen."""
    mode: SourceMode | None = None
    """What it agreed to give; None while it is not open."""
    fps: float = 0.0
    """Measured."""
    trouble: str | None = None
    """One sentence while no frames come; the last picture is held meanwhile."""
    notice: str | None = None
    """One sentence if frames come that cannot be right."""


@dataclass(frozen=True)
class SinkState:
    """One place for pictures."""

    name: str
    is_open: bool
    trouble: str | None = None
    """One sentence while it takes none."""


@dataclass(frozen=True)
class Counts:
    """Frames since the start."""

    captured: int = 0
    inferred: int = 0
    shown: int = 0
    """Different pictures that went out."""
    repeated: int = 0
    """Times the last one went out again to keep the rate."""
    dropped: int = 0
    """Frames that the model had no time for, and pictures replaced before they were shown."""
    held: int = 0
    """Frames with an unusable motion, for which the last good one was shown."""


@dataclass(frozen=True, eq=False)
class LiveState:
    """The pipeline at one moment; nothing in it changes any more."""

    phase: Phase = "loading"
    model: str = ""
    """Model, backend and device, in words; empty while it loads."""
    avatar: str | None = None
    source: SourceState = SourceState()
    sinks: tuple[SinkState, ...] = ()
    face: FaceState = field(default_factory=FaceState)
    has_face: bool | None = None
    """Whether a face was found in the picture at the last calibration; None: not looked for."""
    is_searching: bool = False
    """Whether the best reference is being looked for."""
    calibrated: int = 0
    """How often the first motion was set."""
    frame: Frame | None = None
    """The newest of the source, whole; there from the first one on, before the model is loaded."""
    shot: Shot | None = None
    """The newest."""
    canvas: Image | None = None
    """The output picture that went out last, uint8 (height, width, 3) RGB."""
    counts: Counts = Counts()
    fps: float = 0.0
    """Frames that the model rendered a second."""
    shown_fps: float = 0.0
    """Pictures that went out a second, repeated ones included."""
    times: Mapping[str, Summary] = field(default_factory=dict)
    """Seconds by stage over the latest frames; `total` is from capture to sink, `model` and `added` its parts."""
    failure: Exception | None = None
    """What ended the pipeline; its text is one sentence for the user."""
    notice: str | None = None
    """The last thing that went wrong and did not end it, one sentence."""
    notices: int = 0
    """How many there were, so that a new one is told from the last."""


class Board:
    """Written by the pipeline's threads; every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = LiveState()
        self._times = StageTimes(window=WINDOW)
        self._rates = {name: Rate() for name in ("source", "model", "shown")}
        self._opened_at: float | None = None
        self._captured_at: float | None = None

    def update(self, **changes: object) -> None:
        """Replace fields of the state."""
        with self._lock:
            self._state = replace(self._state, **changes)  # type: ignore[arg-type]

    def note(self, sentence: str) -> None:
        """Something went wrong that does not end the pipeline."""
        with self._lock:
            self._state = replace(self._state, notice=sentence, notices=self._state.notices + 1)

    def set_source(self, name: str | None, *, mode: SourceMode | None = None, trouble: str | None = None) -> None:
        """The source was opened, lost or replaced."""
        with self._lock:
            self._opened_at = time.perf_counter() if mode is not None else None
            self._captured_at = None
            self._state = replace(self._state, source=SourceState(name, mode, trouble=trouble))

    def add_captured(self, frame: Frame, notice: str | None) -> None:
        """A frame came."""
        with self._lock:
            self._captured_at = frame.captured_at
            self._rates["source"].tick(frame.captured_at)
            self._count({"captured": 1})
            self._state = replace(self._state, frame=frame)
            if notice != self._state.source.notice:
                self._state = replace(self._state, source=replace(self._state.source, notice=notice))

    def add_inferred(self, shot: Shot, face: FaceState, now: float) -> None:
        """The model is done with a frame."""
        with self._lock:
            self._rates["model"].tick(now)
            self._count({"inferred": 1, "held": int(shot.rendered is not None and shot.rendered.held)})
            self._state = replace(self._state, shot=shot, face=face)
            if shot.rendered is not None:
                self._times.add({**shot.rendered.seconds, MODEL: sum(shot.rendered.seconds.values())})

    def add_shown(self, canvas: Image, now: float, seconds: Mapping[str, float] | None) -> None:
        """A picture went out.

        Args:
            canvas: the picture.
            now: when.
            seconds: its `total` and `added` times; None if it went out before.
        """
        with self._lock:
            self._rates["shown"].tick(now)
            self._count({"shown": 1} if seconds is not None else {"repeated": 1})
            self._state = replace(self._state, canvas=canvas)
            if seconds is not None:
                self._times.add(seconds)

    def trouble(self) -> str | None:
        """Why no frames come, one sentence; None if they do, or none are expected."""
        with self._lock:
            return self._trouble(time.perf_counter())

    def state(self, dropped: int) -> LiveState:
        """A snapshot; `dropped` is counted by the mailboxes."""
        now = time.perf_counter()
        with self._lock:
            state = self._state
            source = replace(state.source, fps=self._rates["source"].at(now), trouble=self._trouble(now))
            return replace(
                state,
                source=source,
                counts=replace(state.counts, dropped=dropped),
                fps=self._rates["model"].at(now),
                shown_fps=self._rates["shown"].at(now),
                times=self._times.summaries(),
            )

    def _trouble(self, now: float) -> str | None:
        source = self._state.source
        if source.trouble is not None or self._opened_at is None:
            return source.trouble
        silence = now - max(self._opened_at, self._captured_at or 0.0)
        if silence < SILENCE_S:
            return None
        next_step = (
            "if it is a camera, plug it in again; else close what keeps the machine busy, or choose another source"
        )
        return f"{source.name} is frozen: no picture for {silence:.0f} s; {next_step}"

    def _count(self, more: Mapping[str, int]) -> None:
        counts = self._state.counts
        self._state = replace(
            self._state, counts=replace(counts, **{name: getattr(counts, name) + value for name, value in more.items()})
        )
