"""Times every way to run a model on this machine, in turn, for half a second."""

from __future__ import annotations

import logging
import math
import time
from contextlib import ExitStack
from itertools import product
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from engines import backends
from engines.backends.base import BackendSettings
from engines.errors import BackendError, ModelFolderError
from engines.model_folder import eight_bit_copy, larger_sister
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engines.model_folder import ModelFolder

log = logging.getLogger(__name__)

MEASURED_S = 0.5
"""For all ways together; loading the models comes on top."""
MEASURING = "finding out, this once, what suits this machine best"
"""Said while it lasts; without it the model is run in the usual way."""
LEAST_FRAMES = 6
HOPELESS = 1.5
"""Times as slow as the fastest, in the best of two frames or more: it is not run again, for the start waits."""
FRAME_S = 0.032
"""A frame may take so long for size or model to be the larger: 25 a second, and a fifth for camera and window."""
LARGER_COSTS = 1.3
"""Times the model's own frame that one of its larger sister takes at least: where that is too much, it is not tried."""
LARGE = 512
PRECISIONS: tuple[Literal["fp16", "bf16", "fp32", "int8"], ...] = ("int8", "fp16", "bf16", "fp32")


class Fastest(NamedTuple):
    """What measuring found."""

    backend: str
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"]
    size: int
    """Side of the picture, pixels."""
    seconds: float
    """Of a picture of that size."""
    is_larger: bool
    """The model's larger sister is fast enough."""


def measure(
    model: ModelFolder, *, backend: str, threads: int, is_light: bool, step: Callable[[str], None]
) -> tuple[Fastest, set[str]]:
    """The fastest way, and the backends of GPUs that could not be opened or gave way.

    Args:
        model: that is wanted.
        backend: its name, or auto.
        threads: of the CPU, 0 for the backend's choice.
        is_light: the model's larger sister is not tried.
        step: told what is tried next; may raise to end it.

    Raises:
        BackendError: no backend can run the model; the message says why of each.
    """
    with ExitStack() as stack:
        ways, failed = _working(stack, _ways(model, backend, threads), step)
        if not ways:
            backends.suitable(backend, model, BackendSettings(threads=threads))  # says why of each
        ends = time.perf_counter() + MEASURED_S
        # In turn, so that whatever else the machine does hits all alike.
        while min(len(way.plain) for way in ways) < LEAST_FRAMES or time.perf_counter() < ends:
            for way in ways:
                way.run()
            failed |= {way.name for way in ways if not way.is_itself}
            ways = _promising(ways)
        best = min((way for way in ways if way.is_itself), key=lambda way: min(way.plain))
        size = LARGE if best.seconds(LARGE) <= FRAME_S else model.spec.size
        is_tried = not is_light and LARGER_COSTS * best.seconds(size) <= FRAME_S
        larger = _larger(stack, model, best, step) if is_tried else None
        is_larger = larger is not None and larger.is_itself and larger.seconds(size) <= FRAME_S
        taken = larger.seconds(size) if larger is not None and is_larger else best.seconds(size)
    return Fastest(best.name, best.precision, size, taken, is_larger), failed


def _larger(stack: ExitStack, model: ModelFolder, best: Way, step: Callable[[str], None]) -> Way | None:
    """The model's larger sister, run in the way that is best for the model; None where it cannot be."""
    sister = larger_sister(model)
    if sister is None:
        return None
    folder = folder_for(sister, best.precision)
    reason = backends.get(best.name).why_unsuitable(folder, best.settings)
    if reason is not None:
        log.info("%s is not measured: %s", folder.spec.name, reason)
        return None
    step(f"{MEASURING}: {folder.spec.name}")
    try:
        way = Way(stack, folder, best.name, best.settings)
    except BackendError as error:
        log.warning("%s is not used: %s", folder.spec.name, error)
        return None
    for _ in range(LEAST_FRAMES):
        way.run()
    return way


def _promising(ways: list[Way]) -> list[Way]:
    """Those that may still turn out to be the fastest."""
    if len(ways[0].plain) < 2:
        return ways
    fastest = min(min(way.plain) for way in ways)
    return [way for way in ways if min(way.plain) <= HOPELESS * fastest]


def _ways(model: ModelFolder, backend: str, threads: int) -> Iterator[tuple[ModelFolder, str, BackendSettings]]:
    """Every backend and arithmetic that can run the model, or its eight-bit copy, here."""
    names = backends.names() if backend == backends.AUTO else (backend,)
    folders = {precision: folder_for(model, precision) for precision in PRECISIONS}
    for name, precision in product(names, PRECISIONS):
        settings = BackendSettings(threads=threads, precision=precision)
        each = backends.get(name)
        if each.why_unavailable() is None and each.why_unsuitable(folders[precision], settings) is None:
            yield folders[precision], name, settings


def folder_for(model: ModelFolder, precision: str) -> ModelFolder:
    """Which folder holds the graphs for an arithmetic."""
    if precision != "int8":
        return model
    try:
        return eight_bit_copy(model) or model
    except ModelFolderError as error:
        log.warning("the eight-bit copy is not used: %s", error)
        return model


def _working(
    stack: ExitStack,
    ways: Iterator[tuple[ModelFolder, str, BackendSettings]],
    step: Callable[[str], None],
) -> tuple[list[Way], set[str]]:
    """Those that can be opened, and the backends that cannot: a GPU may be full, which is said once."""
    opened: list[Way] = []
    failed: set[str] = set()
    for model, name, settings in ways:
        step(f"{MEASURING}: {name} {settings.precision}")
        try:
            opened.append(Way(stack, model, name, settings))
        except BackendError as error:
            if not backends.get(name).needs_gpu:
                raise
            log.log(logging.INFO if name in failed else logging.WARNING, "%s is not used: %s", name, error)
            failed.add(name)
    return opened, failed


class Way:
    """One backend and arithmetic, and how long its frames took, seconds."""

    def __init__(self, stack: ExitStack, model: ModelFolder, name: str, settings: BackendSettings) -> None:
        self.name, self.precision, self.settings = name, settings.precision, settings
        self.plain: list[float] = []
        """At the model's size."""
        self.enlarging: list[float] = []
        """What the larger size adds."""
        self._puppeteer = stack.enter_context(Puppeteer(model, backend=name, engine_settings=settings))
        self.can_enlarge = self._puppeteer.can_enlarge and self._puppeteer.size < LARGE
        picture = np.full((model.spec.size, model.spec.size, 3), 128, np.uint8)
        self._puppeteer.set_avatar(self._puppeteer.make_avatar(picture, name="grey"))
        self._frame = Frame(picture, 0, 0.0)
        self._puppeteer.render(self._frame, LiveSettings(size=LARGE))  # fills caches and starts threads

    @property
    def is_itself(self) -> bool:
        """Whether this backend still runs, and no other in its place."""
        return self._puppeteer.notice is None

    def seconds(self, size: int) -> float:
        """The median of a frame of that size."""
        plain = float(np.median(self.plain))
        if size < LARGE:
            return plain
        return plain + float(np.median(self.enlarging)) if self.can_enlarge else math.inf

    def run(self) -> None:
        """Render one frame."""
        seconds = self._puppeteer.render(self._frame, LiveSettings(size=LARGE)).seconds
        self.enlarging.append(seconds.get("enlargement", 0.0))
        self.plain.append(sum(seconds.values()) - self.enlarging[-1])
