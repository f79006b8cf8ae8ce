"""What the live pipeline costs from camera to sink: the clock is written into the pixels and read where they come out.

The model cannot carry the clock through, so the band of pixels that holds it is copied from the driving frame into the
rendered picture; everything else runs as in the live program, the composing of the output included.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from engines.backends.base import BackendSettings
from engines.model_folder import ModelFolder
from puppet.avatar import Avatar
from puppet.errors import PuppetError
from puppet.pipeline import Pipeline
from puppet.puppeteer import Puppeteer
from puppet.settings import CameraSettings, OutputSettings, Settings
from puppet.sources.synthetic import TICK, ClockSource, read_clock
from puppet.stats import Summary
from puppet.types import Image, Motion, Rendered

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from puppet.settings import LiveSettings
    from puppet.sinks.base import OutputMode
    from puppet.stages.model import Model
    from puppet.types import Frame

FPS = 30.0
WARM_UP_S = 2.0
BAND = (0.38, 0.62)
"""Of the height: the rows that hold the clock, and a little more."""
TARGETS = "targets: p50 under 3 ms, p99 under 8 ms added, where the model keeps up with the camera"


@dataclass
class _Model:
    """When the model was busy, and for how long with each frame, by the count of the clock in it."""

    inference: dict[int, float] = field(default_factory=dict)
    """Seconds that it took."""
    waiting: dict[int, float] = field(default_factory=dict)
    """Seconds for which the frame was there and the model still busy with the one before."""
    free_at: float = 0.0

    def note(self, frame: Frame, seconds: float) -> None:
        """It is done with a frame, for which it took so long."""
        count = _count(frame.captured_at)
        self.inference[count] = seconds
        self.waiting[count] = max(0.0, self.free_at - frame.captured_at)
        self.free_at = time.perf_counter()


@dataclass(frozen=True)
class Run:
    """One measured run."""

    name: str
    end_to_end: Summary
    """From the writing of the clock into the frame to its arrival at the sink."""
    inference: Summary
    waiting: Summary
    """While the model was still busy with the frame before: what no pipeline could spare."""
    added: Summary
    """All the rest, frame by frame."""
    rate: float
    """Different pictures at the sink a second."""
    dropped: int


def run(args: argparse.Namespace) -> int:
    """Measure with the model and with none, and print; returns the exit code.

    Raises:
        EngineError: the folder is no model, or the backend cannot run it.
        PuppetError: no picture came through.
    """
    folder = ModelFolder.read(args.model)
    backend = "auto" if args.backend == "all" else args.backend
    settings = BackendSettings(threads=args.threads)
    runs = [
        _measure("no model", _NoModel, seconds=args.seconds),
        _measure(
            folder.spec.name,
            lambda noted: _Carrier(noted, folder, backend=backend, engine_settings=settings),
            seconds=args.seconds,
        ),
    ]
    console = Console(stderr=args.json)
    if args.json:
        Console().print_json(json.dumps({"fps": FPS, "runs": [asdict(one) for one in runs]}))
    else:
        console.print(_table(runs))
    return 0


class _Carrier(Puppeteer):
    """The real model; the clock is laid over what it renders."""

    def __init__(self, noted: _Model, folder: ModelFolder, *, backend: str, engine_settings: BackendSettings) -> None:
        super().__init__(folder, backend=backend, engine_settings=engine_settings)
        self._noted = noted
        self._reading = 0.0

    def read(self, image: Image) -> Motion:
        started = time.perf_counter()
        motion = super().read(image)
        self._reading = time.perf_counter() - started
        return motion

    def animate(self, driving: Motion, frame: Frame, settings: LiveSettings) -> Rendered:
        started = time.perf_counter()
        rendered = super().animate(driving, frame, settings)
        self._noted.note(frame, self._reading + time.perf_counter() - started)
        image = rendered.image
        rows = slice(round(BAND[0] * len(image)), round(BAND[1] * len(image)))
        image[rows] = frame.image[rows]
        return replace(rendered, image=image)


class _NoModel:
    """Shows the driving picture itself, at once: what remains is the pipeline."""

    description = "no model"
    notice: str | None = None
    size = 256
    part_names: tuple[str, ...] = ("left", "right", "top")

    def __init__(self, noted: _Model) -> None:
        self.avatar: Avatar | None = None
        self.first: Motion | None = None
        self._noted = noted
        shift = np.array([[-0.5, 0], [0.5, 0], [0, -0.5]], np.float32)
        self._motion = Motion(shift, np.stack([np.eye(2, dtype=np.float32)] * 3))

    def make_avatar(self, picture: Image, *further: Image, name: str) -> Avatar:
        return Avatar(name, picture, self._motion, {})

    def set_avatar(self, avatar: Avatar) -> None:
        self.avatar = avatar

    def side(self, settings: LiveSettings) -> int:
        return self.size

    def calibrate(self, motion: Motion | None) -> None:
        self.first = motion

    def read(self, image: Image) -> Motion:
        return self._motion

    def animate(self, driving: Motion, frame: Frame, settings: LiveSettings) -> Rendered:
        self._noted.note(frame, 0.0)
        return Rendered(frame.image, frame, driving, driving)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """There is nothing to free."""


class _ClockSink:
    """Reads the clock off each picture and notes how old it is; repeated ones once."""

    name = "clock"

    def __init__(self) -> None:
        self.ages: dict[int, float] = {}

    def open(self, mode: OutputMode) -> None:
        self.ages.clear()

    def show(self, picture: Image, at: float) -> None:
        now = time.perf_counter()
        written = read_clock(picture, now)
        if written is not None:
            self.ages.setdefault(_count(written), now - written)

    def close(self) -> None:
        """There is nothing to free."""


def _measure(name: str, open_model: Callable[[_Model], Model], *, seconds: int) -> Run:
    noted, sink = _Model(), _ClockSink()
    settings = Settings(camera=CameraSettings(auto_framing=False), output=OutputSettings())
    with Pipeline(lambda: open_model(noted), source=ClockSource(fps=FPS), sinks=[sink], settings=settings) as pipeline:
        picture = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
        pipeline.set_avatar(picture, "bench").result()
        pipeline.wait(WARM_UP_S)
        begun, dropped = _count(time.perf_counter()), pipeline.state().counts.dropped
        pipeline.wait(seconds)
        dropped = pipeline.state().counts.dropped - dropped
    counts = [count for count in sink.ages if count >= begun and count in noted.inference]
    if not counts:
        raise PuppetError(f"{name}: no picture came through in {seconds} s; measure longer with --seconds")
    columns = {
        "end_to_end": [sink.ages[count] for count in counts],
        "inference": [noted.inference[count] for count in counts],
        "waiting": [noted.waiting[count] for count in counts],
    }
    columns["added"] = [age - inference - waiting for age, inference, waiting in zip(*columns.values(), strict=True)]
    summaries = {column: Summary.of(seconds) for column, seconds in columns.items()}
    return Run(name, **summaries, rate=len(counts) / seconds, dropped=dropped)


def _count(seconds: float) -> int:
    return round(seconds / TICK)


def _table(runs: list[Run]) -> Table:
    table = Table(title=f"live pipeline, {FPS:g} frames a second, clock in the pixels", caption=TARGETS)
    table.add_column("model")
    table.add_column("time")
    for heading in ("p50 ms", "p90 ms", "p99 ms"):
        table.add_column(heading, justify="right")
    for one in runs:
        rows = {
            "end to end": one.end_to_end,
            "inference": one.inference,
            "until it was free": one.waiting,
            "added": one.added,
        }
        for name, summary in rows.items():
            millis = [f"{1000 * value:.2f}" for value in (summary.p50, summary.p90, summary.p99)]
            table.add_row(one.name if name == "end to end" else "", name, *millis)
        table.add_row("", f"{one.rate:.1f} pictures a second, {one.dropped} dropped", end_section=True)
    return table
