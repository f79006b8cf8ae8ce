"""Which backend, arithmetic and picture size suit this machine: measured once for half a second, then remembered."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import platform
import time
from contextlib import ExitStack
from itertools import product
from pathlib import Path  # noqa: TC003 - pydantic reads the annotations at run time
from typing import TYPE_CHECKING, Literal

import numpy as np
import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engines import backends
from engines.backends.base import BackendSettings
from engines.errors import BackendError, ModelFolderError
from engines.model_folder import eight_bit_copy
from puppet.errors import SinkError
from puppet.images import write_bytes
from puppet.loading import CalledOffError, silently
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engines.backends.base import Backend
    from engines.model_folder import ModelFolder

log = logging.getLogger(__name__)

NAME = "measured.json"
MEASURED_S = 0.5
"""For all ways together; loading the models comes on top."""
MEASURING = "finding out, this once, what suits this machine best"
"""Said while it lasts; without it the model is run in the usual way."""
LEAST_FRAMES = 6
HOPELESS = 1.5
"""Times as slow as the fastest, in the best of two frames or more: it is not run again, for the start waits."""
FRAME_S = 0.032
"""A frame may take so long for the larger size to be chosen: 25 a second, and a fifth for camera and window."""
LARGE = 512
PRECISIONS: tuple[Literal["fp16", "bf16", "fp32", "int8"], ...] = ("int8", "fp16", "bf16", "fp32")


class Choice(BaseModel):
    """What was found to be best."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: str = Field(description="what it was measured on: processor, versions, model and flags, as a digest")
    backend: str
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"]
    size: int = Field(description="side of the picture, pixels")
    fps: float = Field(description="pictures of that size a second, with nothing else running")

    @property
    def sentence(self) -> str:
        """What was chosen, in a few words."""
        return f"{self.backend} {self.precision}, {self.size} pixels, measured {self.fps:.0f} fps"


def default_path() -> Path:
    """The file in which the choice is kept, there or not."""
    return platformdirs.user_config_path("puppet", appauthor=False) / NAME


def remembered(model: ModelFolder, *, backend: str = backends.AUTO, threads: int = 0) -> Choice | None:
    """What an earlier run found on this machine; None if there is nothing, or machine or model are others."""
    try:
        found = Choice.model_validate_json(default_path().read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.info("%s is not used: %s", default_path(), error)
        return None
    return found if found.machine == _machine(model, backend, threads) else None


def choose(
    model: ModelFolder,
    *,
    backend: str = backends.AUTO,
    threads: int = 0,
    anew: bool = False,
    step: Callable[[str], None] = silently,
) -> Choice:
    """What an earlier run found, unless it shall be found `anew`, or the fastest way now, measured and remembered.

    `step` is told what is tried next, and may raise to end it.

    Raises:
        BackendError: no backend can run the model; the message says why of each.
    """
    known = None if anew else remembered(model, backend=backend, threads=threads)
    if known is not None:
        return known
    chosen, failed = _measured(model, backend, threads, step)
    log.info("chosen: %s", chosen.sentence)
    if failed:
        return chosen  # not remembered: a GPU that is full today may not be so tomorrow
    path = default_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, chosen.model_dump_json(indent=2).encode())
    except (OSError, SinkError) as error:
        log.warning("the measured choice is not remembered (%s); the next start measures again", error)
    return chosen


def _measured(model: ModelFolder, backend: str, threads: int, step: Callable[[str], None]) -> tuple[Choice, set[str]]:
    """The fastest way, and the backends of GPUs that could not be opened or gave way."""
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
    plain = float(np.median(best.plain))
    large = plain + float(np.median(best.enlarging)) if best.can_enlarge else math.inf
    size, taken = (LARGE, large) if large <= FRAME_S else (model.spec.size, plain)
    machine = _machine(model, backend, threads)
    return Choice(machine=machine, backend=best.name, precision=best.precision, size=size, fps=1 / taken), failed


def _promising(ways: list[_Way]) -> list[_Way]:
    """Those that may still turn out to be the fastest."""
    if len(ways[0].plain) < 2:
        return ways
    fastest = min(min(way.plain) for way in ways)
    return [way for way in ways if min(way.plain) <= HOPELESS * fastest]


def _ways(model: ModelFolder, backend: str, threads: int) -> Iterator[tuple[ModelFolder, str, BackendSettings]]:
    """Every backend and arithmetic that can run the model, or its eight-bit copy, here."""
    names = backends.names() if backend == backends.AUTO else (backend,)
    folders = {precision: _folder(model, precision) for precision in PRECISIONS}
    for name, precision in product(names, PRECISIONS):
        settings = BackendSettings(threads=threads, precision=precision)
        each = backends.get(name)
        if each.why_unavailable() is None and each.why_unsuitable(folders[precision], settings) is None:
            yield folders[precision], name, settings


def _folder(model: ModelFolder, precision: str) -> ModelFolder:
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
) -> tuple[list[_Way], set[str]]:
    """Those that can be opened, and the backends that cannot: a GPU may be full, which is said once."""
    opened: list[_Way] = []
    failed: set[str] = set()
    for model, name, settings in ways:
        step(f"{MEASURING}: {name} {settings.precision}")
        try:
            opened.append(_Way(stack, model, name, settings))
        except BackendError as error:
            if not backends.get(name).needs_gpu:
                raise
            log.log(logging.INFO if name in failed else logging.WARNING, "%s is not used: %s", name, error)
            failed.add(name)
    return opened, failed


class _Way:
    """One backend and arithmetic, and how long its frames took, seconds."""

    def __init__(self, stack: ExitStack, model: ModelFolder, name: str, settings: BackendSettings) -> None:
        self.name, self.precision = name, settings.precision
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

    def run(self) -> None:
        """Render one frame."""
        seconds = self._puppeteer.render(self._frame, LiveSettings(size=LARGE)).seconds
        self.enlarging.append(seconds.get("enlargement", 0.0))
        self.plain.append(sum(seconds.values()) - self.enlarging[-1])


def _machine(model: ModelFolder, backend: str, threads: int) -> str:
    """Whatever may change the result, as a digest: nothing of it can be read back."""
    described = [backends.get(name) for name in backends.names()]
    plain = BackendSettings(threads=threads)
    parts = [
        platform.machine(),
        str(os.cpu_count()),
        *(each.describe(plain) if each.why_unavailable() is None else each.name for each in described),
        # Engines are built and deleted.
        *(f"{each.name} {precision}" for each in described for precision in PRECISIONS if _has(each, model, precision)),
        *(entry.sha256 for folder in (model, _folder(model, "int8")) for entry in folder.spec.roles.values()),
        backend,
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _has(backend: Backend, model: ModelFolder, precision: Literal["fp16", "bf16", "fp32", "int8"]) -> bool:
    """Whether a backend that needs engines has them."""
    if not backend.needs_gpu or backend.why_unavailable() is not None:
        return False
    return backend.why_unsuitable(model, BackendSettings(precision=precision)) is None


def open_measured(model: ModelFolder, *, threads: int = 0, step: Callable[[str], None] = silently) -> Puppeteer:
    """The model, run in the way that suits this machine best; if measuring is called off, in the usual way.

    Raises:
        EngineError: no backend can run the model, or it cannot be loaded.
        CalledOffError: loading was called off.
    """
    try:
        choice = choose(model, threads=threads, step=step)
    except CalledOffError as error:
        log.info("%s; the next start measures again", error)
        return Puppeteer(model, engine_settings=BackendSettings(threads=threads), step=step)
    settings = BackendSettings(threads=threads, precision=choice.precision)
    folder = _folder(model, choice.precision)
    try:
        puppeteer = Puppeteer(
            folder, backend=choice.backend, engine_settings=settings, auto_size=choice.size, step=step
        )
    except BackendError:
        if not backends.get(choice.backend).needs_gpu:
            raise
        # It worked when it was measured; `auto` takes the next and says why.
        return Puppeteer(model, engine_settings=BackendSettings(threads=threads), step=step)
    name, _, rest = puppeteer.description.partition(" on ")
    puppeteer.description = f"{name} ({choice.size} pixels at {choice.fps:.0f} fps) on {rest}"
    return puppeteer
