"""The engines that there are: listed with what they are for, and cleared of what is old."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from rich.console import Console

from engines import engine_files
from engines.backends import trt_vendor
from engines.engine_spec import TensorRtName
from engines.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engines.engine_spec import EngineSpec, Machine


def installed() -> list[Machine]:
    """This machine as each TensorRT that is installed sees it, in the order in which they are preferred."""
    found = []
    for name in get_args(TensorRtName):
        try:
            found.append(trt_vendor.machine(name))
        except BackendError:
            continue  # the other one may be there
    return found


def show(folder: Path) -> int:
    """Print every engine, what it is for, and whether it is old; returns the exit code."""
    console = Console(soft_wrap=True, highlight=False, markup=False)
    reasons = dict(engine_files.old(folder, installed()))
    count = 0
    for found in engine_files.listed(folder):
        count += 1
        if isinstance(found, tuple):
            console.print(found[1])
            continue
        console.print(f"{found.path}\n  {words(found.spec)}")
        if found.path in reasons:
            console.print(f"  old: {reasons[found.path]}")
    console.print(f"{count} engines in {folder}; --prune deletes what is old")
    return 0


def words(spec: EngineSpec) -> str:
    """What a side-car says, in one line."""
    machine = spec.machine
    capabilities = ", ".join(machine.capabilities)
    where = f"{machine.device}, {capabilities}" if machine.device else f"compute capability {capabilities}"
    words = [
        f"{spec.model} {spec.role} {spec.options.precision}",
        f"{machine.backend} {machine.version}",
        where,
        f"{spec.engine_bytes / 1e6:.1f} MB",
        f"built {spec.built_at:%Y-%m-%d %H:%M} in {spec.build_s:.1f} s",
        "verified" if spec.parity else "not verified",
        *([f"p50 {spec.latency.p50:.2f} ms"] if spec.latency else []),
    ]
    return ", ".join(words)


def prune(folder: Path, say: Callable[[str], None]) -> int:
    """Delete what is old, and say what it was; returns the exit code."""
    count = 0
    for path, reason in list(engine_files.old(folder, installed())):
        engine_files.remove(path)
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
        say(f"deleted: {reason}")
        count += 1
    say(f"{count} old engines deleted from {folder}")
    return 0
