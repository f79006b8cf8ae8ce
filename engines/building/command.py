"""`build_engines`: what the command line asks for, done model by model and role by role."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args

from rich.console import Console

from engines import engine_files
from engines.backends import trt_vendor
from engines.building import options, timing_cache
from engines.building.build import build, target_machine
from engines.building.monitor import BuildMonitor
from engines.building.telling import Teller
from engines.engine_spec import TensorRtName
from engines.errors import BackendError, BuildCancelledError, BuildError, EngineError
from engines.model_folder import ModelFolder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from engines.engine_spec import BuildOptions, EngineSpec, Machine
    from engines.spec import RoleName

BAD_INPUT, INTERRUPTED = 2, 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, list or prune; returns the exit code: 0, 2 for what cannot be used or built, 130 after Ctrl-C."""
    chosen = options.parser().parse_args(arguments)
    with Teller(as_json=chosen.json) as teller:
        try:
            if chosen.list:
                return _list(chosen)
            if chosen.prune:
                return _prune(chosen, teller)
            with _stoppable() as should_stop:
                _build_all(chosen, teller, should_stop)
        except BuildCancelledError as error:
            teller.fail(str(error))
            return INTERRUPTED
        except EngineError as error:
            teller.fail(str(error))
            return BAD_INPUT
    return 0


def installed() -> list[Machine]:
    """This machine as each TensorRT that is installed sees it, in the order in which they are preferred."""
    found = []
    for name in get_args(TensorRtName):
        try:
            found.append(trt_vendor.machine(name))
        except BackendError:
            continue  # the other one may be there
    return found


def _build_all(chosen: argparse.Namespace, teller: Teller, should_stop: Callable[[], bool]) -> None:
    models = [ModelFolder.read(path) for path in chosen.models]
    target = target_machine(chosen.backend or _backend(), tuple(chosen.computeCapability))
    wanted = options.build_options(chosen)
    work = [(model, role) for model in models for role in model.spec.roles]
    todo = [item for item in work if chosen.force or not _is_there(*item, chosen, target, wanted)]
    if len(todo) < len(work):
        teller.say(f"{len(work) - len(todo)} of {len(work)} engines are there and fit; --force builds them again")
    monitor = BuildMonitor(teller.progress, should_stop, total=len(todo))
    timings = chosen.timingCacheFile or timing_cache.default_path(chosen.output, target)
    if chosen.timingCacheFile is not None and target.backend == "tensorrt-rtx":
        raise BuildError("--timingCacheFile: TensorRT-RTX times nothing when it builds; leave the flag out")
    for model, role in todo:
        made = build(model, role, chosen.output, target=target, options=wanted, monitor=monitor, timings=timings)
        size = made.spec.engine_bytes / 1e6
        teller.say(f"{made.path}: {size:.1f} MB, built in {made.spec.build_s:.1f} s")


def _backend() -> TensorRtName:
    """The TensorRT that is installed; with a GPU the classic one, which is faster there, comes first.

    Raises:
        BackendError: neither is.
    """
    found = installed()
    if not found:
        raise BackendError(
            "neither TensorRT nor TensorRT-RTX is installed; install one with: pip install 'puppet-live[tensorrt]', or "
            "'puppet-live[tensorrt-rtx]'"
        )
    return next((each for each in found if each.device is not None), found[-1]).backend


def _is_there(
    model: ModelFolder, role: RoleName, chosen: argparse.Namespace, target: Machine, wanted: BuildOptions
) -> bool:
    path = engine_files.path_for(chosen.output, model, role, target=target, options=wanted)
    try:
        found = engine_files.EngineFile.read(path)
        found.content()
    except BackendError:
        return False
    return found.spec.difference(target) is None and found.spec.options == wanted


def _list(chosen: argparse.Namespace) -> int:
    console = Console(soft_wrap=True, highlight=False, markup=False)
    reasons = dict(engine_files.old(chosen.output, installed()))
    count = 0
    for found in engine_files.listed(chosen.output):
        count += 1
        if isinstance(found, tuple):
            console.print(found[1])
            continue
        console.print(f"{found.path}\n  {_words(found.spec)}")
        if found.path in reasons:
            console.print(f"  old: {reasons[found.path]}")
    console.print(f"{count} engines in {chosen.output}; --prune deletes what is old")
    return 0


def _words(spec: EngineSpec) -> str:
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


def _prune(chosen: argparse.Namespace, teller: Teller) -> int:
    count = 0
    for path, reason in list(engine_files.old(chosen.output, installed())):
        engine_files.remove(path)
        teller.say(f"deleted: {reason}")
        count += 1
    teller.say(f"{count} old engines deleted from {chosen.output}")
    return 0


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C or termination asks the build to stop; the next one acts as ever."""
    stopping = threading.Event()
    before: dict[int, Any] = {}

    def note(number: int, _: object) -> None:
        stopping.set()
        restore()

    def restore() -> None:
        while before:
            number, handler = before.popitem()
            signal.signal(number, handler)

    if threading.current_thread() is threading.main_thread():
        before.update({number: signal.signal(number, note) for number in SIGNALS})
    try:
        yield stopping.is_set
    finally:
        restore()
