"""TensorRT engines that this machine could use and has not, and what builds them in a process of its own.

A process of its own, because the live program loads neither `onnx` nor TensorRT's builder, and because a build that
fills the GPU or crashes must not take the picture along.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engines import backends
from engines.backends import trt_vendor
from engines.backends.base import BackendSettings
from engines.engine_files import AGAIN
from engines.engine_spec import TITLES
from engines.errors import BuildError
from engines.model_folder import ModelFolder, larger_sister
from puppet import config

if TYPE_CHECKING:
    from engines.engine_spec import TensorRtName

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[1]
"""From here `python -m` finds the packages, installed or not."""
NAMES: tuple[TensorRtName, ...] = ("tensorrt", "tensorrt-rtx")
COMPARED_ON = 2
"""Bundled avatars on which new engines are compared with ONNX Runtime."""


@dataclass(frozen=True)
class Missing:
    """Engines that could be built."""

    models: tuple[Path, ...]
    backend: TensorRtName
    device: str
    reason: str
    """Why those that are there, if any, do not do."""

    @property
    def command(self) -> list[str]:
        """What to start with Python, in `ROOT`; it tells its progress on stdout, see `Step`."""
        pictures = [str(path) for path in config.avatars()[:COMPARED_ON]]
        flags = ["--backend", self.backend, "--json", "--pictures", *pictures]
        return ["-m", "engines.building", *(str(path.absolute()) for path in self.models), *flags]

    @property
    def sentence(self) -> str:
        """The offer."""
        title = TITLES[self.backend]
        if AGAIN in self.reason:
            return f"{self.reason.partition(AGAIN)[0]}; {title} engines take some minutes to build anew"
        return f"{self.device} can run the model: {title} engines for it take some minutes to build, once"


@dataclass(frozen=True)
class Step:
    """One line that a build tells."""

    text: str
    is_error: bool = False

    @classmethod
    def read(cls, line: str) -> Step | None:
        """Read a line; None if it says nothing for the user."""
        try:
            values = json.loads(line)
        except json.JSONDecodeError:
            return None
        if not isinstance(values, dict):
            return None
        if "error" in values:
            return cls(str(values["error"]), is_error=True)
        if "fraction" not in values:
            return None
        left = values.get("left_s")
        ending = "" if left is None else f", {_duration(float(left))} left"
        return cls(f"building engines: {values['title']}, {100 * float(values['fraction']):.0f} %{ending}")


def missing(path: Path) -> Missing | None:
    """What could be built for a model folder and its larger sister; None where no TensorRT can run, or all is there.

    Raises:
        ModelFolderError: the folder is no model.
    """
    model, found = ModelFolder.read(path), None
    models = [each for each in (model, larger_sister(model)) if each is not None]
    for name in NAMES:
        backend = backends.get(name)
        if backend.why_unavailable() is not None:
            continue
        reasons = {each.path: backend.why_unsuitable(each, BackendSettings()) for each in models}
        wanted = {each: reason for each, reason in reasons.items() if reason is not None}
        if not wanted:
            return None
        device = trt_vendor.machine(name).device or "the GPU"
        found = found or Missing(tuple(wanted), name, device, next(iter(wanted.values())))
    return found


def why_none() -> str | None:
    """Why there is nothing to build engines for, one sentence; None where TensorRT can run."""
    reasons = [backends.get(name).why_unavailable() for name in NAMES]
    return None if None in reasons else f"there is nothing to build engines for: {'; '.join(map(str, reasons))}"


def build_now(path: Path) -> None:
    """Build what is missing or does not fit, and wait; progress goes to stderr.

    Raises:
        BuildError: it failed; why was said on stderr.
        ModelFolderError: the folder is no model.
    """
    wanted = missing(path)
    if wanted is None:
        reason = why_none()
        if reason is not None:
            log.warning("--rebuild: %s", reason)
        return
    command = [each for each in wanted.command if each != "--json"]
    # The arguments are ours: a module, a path and names of backends.
    code = subprocess.run([sys.executable, *command], cwd=ROOT, check=False).returncode
    if code != 0:
        raise BuildError(f"the engines of {path} were not built (exit code {code}); leave out --rebuild to run without")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
