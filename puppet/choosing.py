"""Which backend, arithmetic, picture size and model suit this machine: measured once, then remembered."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
from itertools import product
from pathlib import Path  # noqa: TC003 - pydantic reads the annotations at run time
from typing import TYPE_CHECKING, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engines import backends
from engines.backends.base import BackendSettings
from engines.errors import BackendError
from engines.model_folder import larger_sister
from puppet import measuring
from puppet.errors import SinkError
from puppet.images import write_bytes
from puppet.loading import CalledOffError, silently
from puppet.measuring import folder_for
from puppet.puppeteer import Puppeteer

if TYPE_CHECKING:
    from collections.abc import Callable

    from engines.backends.base import Backend
    from engines.model_folder import ModelFolder

log = logging.getLogger(__name__)

NAME = "measured.json"


class Choice(BaseModel):
    """What was found to be best."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machine: str = Field(description="what it was measured on: processor, versions, model and flags, as a digest")
    backend: str
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"]
    size: int = Field(description="side of the picture, pixels")
    fps: float = Field(description="pictures of that size a second, with nothing else running")
    is_larger: bool = Field(default=False, description="the model's larger sister is taken")

    @property
    def sentence(self) -> str:
        """What was chosen, in a few words."""
        model = "the larger model, " if self.is_larger else ""
        return f"{model}{self.backend} {self.precision}, {self.size} pixels, measured {self.fps:.0f} fps"


def default_path() -> Path:
    """The file in which the choice is kept, there or not."""
    return platformdirs.user_config_path("puppet", appauthor=False) / NAME


def remembered(
    model: ModelFolder, *, backend: str = backends.AUTO, threads: int = 0, is_light: bool = False
) -> Choice | None:
    """What an earlier run found on this machine; None if there is nothing, or machine or model are others."""
    try:
        found = Choice.model_validate_json(default_path().read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.info("%s is not used: %s", default_path(), error)
        return None
    return found if found.machine == _machine(model, backend, threads, is_light=is_light) else None


def choose(
    model: ModelFolder,
    *,
    backend: str = backends.AUTO,
    threads: int = 0,
    is_light: bool = False,
    anew: bool = False,
    step: Callable[[str], None] = silently,
) -> Choice:
    """What an earlier run found, unless it shall be found `anew`, or the fastest way now, measured and remembered.

    Where there is time for it, the model's larger sister is chosen, unless the choice shall be light. `step` is told
    what is tried next, and may raise to end it.

    Raises:
        BackendError: no backend can run the model; the message says why of each.
    """
    known = None if anew else remembered(model, backend=backend, threads=threads, is_light=is_light)
    if known is not None:
        return known
    found, failed = measuring.measure(model, backend=backend, threads=threads, is_light=is_light, step=step)
    values = found._asdict()
    fps = 1 / values.pop("seconds")
    chosen = Choice(machine=_machine(model, backend, threads, is_light=is_light), fps=fps, **values)
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


def _machine(model: ModelFolder, backend: str, threads: int, *, is_light: bool) -> str:
    """Whatever may change the result, as a digest: nothing of it can be read back."""
    described = [backends.get(name) for name in backends.names()]
    plain = BackendSettings(threads=threads)
    sister = None if is_light else larger_sister(model)
    models = [model] if sister is None else [model, sister]
    parts = [
        platform.machine(),
        str(os.cpu_count()),
        *(each.describe(plain) if each.why_unavailable() is None else each.name for each in described),
        # Engines are built and deleted.
        *(
            f"{each.name} {precision} {one.spec.name}"
            for each, precision, one in product(described, measuring.PRECISIONS, models)
            if _has(each, one, precision)
        ),
        *(
            entry.sha256
            for one in models
            for folder in (one, folder_for(one, "int8"))
            for entry in folder.spec.roles.values()
        ),
        f"light {is_light}",
        backend,
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _has(backend: Backend, model: ModelFolder, precision: Literal["fp16", "bf16", "fp32", "int8"]) -> bool:
    """Whether a backend that needs engines has them."""
    if not backend.needs_gpu or backend.why_unavailable() is not None:
        return False
    return backend.why_unsuitable(model, BackendSettings(precision=precision)) is None


def open_measured(
    model: ModelFolder, *, threads: int = 0, is_light: bool = False, step: Callable[[str], None] = silently
) -> Puppeteer:
    """The model or its larger sister, as suits this machine best; if measuring is called off, in the usual way.

    Raises:
        EngineError: no backend can run the model, or it cannot be loaded.
        CalledOffError: loading was called off.
    """
    try:
        choice = choose(model, threads=threads, is_light=is_light, step=step)
    except CalledOffError as error:
        log.info("%s; the next start measures again", error)
        return Puppeteer(model, engine_settings=BackendSettings(threads=threads), step=step)
    settings = BackendSettings(threads=threads, precision=choice.precision)
    folder = folder_for((larger_sister(model) if choice.is_larger else None) or model, choice.precision)
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
