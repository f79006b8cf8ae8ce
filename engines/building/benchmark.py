"""How long engines take, in trtexec's words: each role in pieces, and the whole frame as the program runs it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engines.backends import get
from engines.backends.trt_engine import TrtEngine
from engines.building.samples import feeds, for_engine
from engines.engine_spec import Latency
from engines.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from engines.backends.base import BackendSettings
    from engines.building.samples import Feed
    from engines.engine_spec import TensorRtName
    from engines.model_folder import ModelFolder
    from engines.spec import RoleName

WARM_UP_S, MEASURED_S, LEAST = 0.2, 2.0, 100
FRAME = "whole frame"
HOST = "Host Latency"
"""As the program waits for it: one launch of the captured graph with its copies, and one wait."""


@dataclass(frozen=True)
class Figures:
    """Milliseconds of one quantity."""

    min: float
    max: float
    mean: float
    median: float
    p90: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figures:
        """Of at least one measurement."""
        percentiles = (float(each) for each in np.percentile(values, (50, 90, 95, 99)))
        return cls(float(min(values)), float(max(values)), float(np.mean(values)), *percentiles)

    def __str__(self) -> str:
        return ", ".join(f"{name} = {value:.3f} ms" for name, value in vars(self).items())


@dataclass(frozen=True)
class Report:
    """What was measured of one role, or of the whole frame."""

    name: str
    figures: Mapping[str, Figures]
    """By trtexec's name of the quantity."""

    @property
    def throughput(self) -> float:
        """Runs a second."""
        return 1000 / self.figures[HOST].mean

    @property
    def latency(self) -> Latency:
        """For the side-car."""
        host = self.figures[HOST]
        return Latency(p50=round(host.median, 4), p99=round(host.p99, 4))

    def lines(self) -> list[str]:
        """As trtexec prints them."""
        return [
            f"{self.name}: Throughput: {self.throughput:.1f} qps",
            *(f"{self.name}: {what}: {figures}" for what, figures in self.figures.items()),
        ]


def measure(
    model: ModelFolder,
    images: Sequence[NDArray[np.uint8]],
    *,
    backend: TensorRtName,
    settings: BackendSettings,
    roles: Collection[RoleName],
    seconds: float = MEASURED_S,
) -> list[Report]:
    """Measure engines of single roles, then both engines of a frame in turn.

    Args:
        model: its folder.
        images: uint8 (1, S, S, 3) RGB.
        backend: whose engines.
        settings: which of them, and where they lie.
        roles: at least `segmenter` and `generator`.
        seconds: of each measurement.

    Raises:
        BackendError: an engine is missing, or cannot be run here.
    """
    engines: dict[RoleName, TrtEngine] = {}
    try:
        reports = []
        for role in roles:
            engine = get(backend).load(model, role, settings)
            if not isinstance(engine, TrtEngine):
                raise BackendError(f"{backend} gave an engine that cannot be measured in pieces")
            engines[role] = engine
            feed = for_engine(feeds(model, role, images)[1])
            reports.append(_role(engine, role, feed, seconds))
        return [*reports, _frame(engines, images[0], seconds)]
    finally:
        for engine in engines.values():
            engine.close()


def _role(engine: TrtEngine, role: RoleName, feed: Feed, seconds: float) -> Report:
    """What comes with every frame is copied in every time; what is pinned for an avatar is not."""
    moving = {name: value for name, value in feed.items() if name in ("image", "driving_image") or "target_" in name}
    pinned = {name: value for name, value in feed.items() if name not in moving}
    engine.pin(pinned)
    host = _timed(lambda: engine.run(moving), seconds / 2)
    pieces: dict[str, list[float]] = {}
    for _ in range(max(LEAST, len(host) // 4)):
        for name, value in engine.timed(moving).items():
            pieces.setdefault(name, []).append(value)
    return Report(role, {HOST: Figures.of(host)} | {name: Figures.of(values) for name, values in pieces.items()})


def _frame(engines: Mapping[RoleName, TrtEngine], image: NDArray[np.uint8], seconds: float) -> Report:
    """Picture in, picture out, the motion passed on as it is; relative motion on the host comes on top (`bench`)."""

    def run() -> None:
        motion = engines["segmenter"].run({"image": image})
        engines["generator"].run({"target_shift": motion["shift"], "target_affine": motion["affine"]})

    return Report(FRAME, {HOST: Figures.of(_timed(run, seconds))})


def _timed(run: Callable[[], object], seconds: float) -> list[float]:
    """Milliseconds of each call, after a warm-up."""
    until = time.perf_counter() + min(WARM_UP_S, seconds)
    while time.perf_counter() < until:
        run()
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < LEAST or time.perf_counter() < until:
        started = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - started))
    return times
