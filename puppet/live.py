"""`live` without a window: a source drives the avatar, sinks take the pictures, and a line now and then says how."""

from __future__ import annotations

import logging
import math
import sys
import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

from puppet import config, live_options
from puppet.errors import ConfigError
from puppet.interruption import Interruption
from puppet.pipeline import Pipeline
from puppet.state import ADDED, TOTAL

if TYPE_CHECKING:
    import argparse
    from concurrent.futures import Future
    from pathlib import Path

    from puppet.avatar import Avatar
    from puppet.sinks.base import Sink
    from puppet.state import LiveState
    from puppet.stats import Summary

log = logging.getLogger(__name__)

LOOK_S = 0.2
"""How often the state is looked at."""
STATUS_S = 5.0
"""How often a status line is printed."""


def run(chosen: argparse.Namespace) -> int:
    """Run until the time is up or a signal comes; returns the exit code.

    Raises:
        PuppetError: a flag, the camera, the avatar or a sink cannot be used, or failed.
        EngineError: the model cannot be loaded or failed.
    """
    if chosen.list_cameras:
        return _list_cameras()
    avatar = chosen.avatar or config.default_avatar()
    if not avatar.is_file():
        raise ConfigError(f"--avatar: there is no picture at {avatar}; check the name")
    recorder = live_options.recorder(chosen)
    capture = live_options.mode("--capture", chosen.capture)
    pipeline = Pipeline(
        lambda: live_options.open_puppeteer(chosen),
        source=live_options.open_source(chosen.camera, capture),
        sinks=live_options.sinks(chosen),
        settings=live_options.settings(chosen),
        mode=live_options.mode("--canvas", chosen.canvas),
    )
    with Interruption() as interruption, pipeline:
        loading: Future[Avatar] | None = pipeline.load_avatar(avatar)
        reporter = _Reporter()
        while not pipeline.wait(LOOK_S) and interruption.signal is None:
            if loading is not None and loading.done():
                if not _begin(pipeline, loading, recorder):
                    break
                loading = None
            if reporter.look(pipeline.state(), time.perf_counter()) >= (chosen.seconds or math.inf):
                break
    _tell(_ending(pipeline.state(), reporter.seconds, chosen.record))
    return 0


def _begin(pipeline: Pipeline, loading: Future[Avatar], recorder: Sink | None) -> bool:
    """Once the avatar is there a recording may begin; returns whether the pipeline still runs.

    Raises:
        PuppetError: the avatar cannot be used, or the recording cannot be written.
    """
    try:
        loading.result()
        if recorder is not None:
            pipeline.add_sink(recorder).result()
    except CancelledError:
        return False  # it has failed, and says why when it is stopped
    return True


class _Reporter:
    """Prints a line now and then, and at once what goes wrong or is well again."""

    def __init__(self) -> None:
        self.seconds = 0.0
        """Since the avatar was there."""
        self._started: float | None = None
        self._printed = 0.0
        self._troubles: dict[str, str] = {}

    def look(self, state: LiveState, now: float) -> float:
        """Take the state and the time, seconds; returns the seconds since the avatar was there."""
        self._compare(_troubles(state))
        if state.avatar is None:
            return 0.0
        if self._started is None:
            self._started = self._printed = now
            _say(f"running: {state.model}")
        self.seconds = now - self._started
        if now - self._printed >= STATUS_S:
            self._printed = now
            _tell(_status(state, self.seconds))
        return self.seconds

    def _compare(self, troubles: dict[str, str]) -> None:
        for name, sentence in troubles.items():
            # Seconds that count up inside a sentence are no news.
            if _without_digits(sentence) != _without_digits(self._troubles.get(name, "")):
                _say(f"{name}: {sentence}")
        for name in self._troubles.keys() - troubles.keys():
            _say(f"{name}: all is well again")
        self._troubles = troubles


def _troubles(state: LiveState) -> dict[str, str]:
    found = {sink.name: sink.trouble for sink in state.sinks}
    found["source"] = state.source.trouble or state.source.notice
    found["face"] = state.face.sentence
    return {name: sentence for name, sentence in found.items() if sentence}


def _without_digits(text: str) -> str:
    return "".join(letter for letter in text if not letter.isdigit())


def _status(state: LiveState, seconds: float) -> str:
    sinks = ", ".join(sink.name for sink in state.sinks if sink.is_open) or "no output"
    counts = state.counts
    source = f"{state.source.name} {state.source.mode or 'not open'}, {state.source.fps:.1f} fps measured"
    return (
        f"{seconds:6.0f} s  {state.fps:.1f} fps  latency {_times(state, TOTAL)}  added {_times(state, ADDED)}  "
        f"dropped {counts.dropped}  repeated {counts.repeated}  held {counts.held}  | {source}  | {sinks}"
    )


def _times(state: LiveState, name: str) -> str:
    summary: Summary | None = state.times.get(name)
    return "-" if summary is None else f"p50 {1000 * summary.p50:.1f} p99 {1000 * summary.p99:.1f} ms"


def _ending(state: LiveState, seconds: float, record: Path | None) -> str:
    counts = state.counts
    shown = f"done: {counts.inferred} frames in {seconds:.0f} s, {counts.shown} shown, {counts.dropped} dropped"
    return f"{shown}, recorded in {record}" if record is not None and record.exists() else shown


def _list_cameras() -> int:
    from puppet.sources.cameras import describe, list_cameras

    cameras = list_cameras()
    if not cameras:
        _say(describe(cameras))
    for camera in cameras:
        _tell(f"{camera.address}  {camera.name}  {camera.place}")
    return 0


def _tell(text: str) -> None:
    """What was asked for: stdout, at once even into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    """What happens meanwhile: stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
