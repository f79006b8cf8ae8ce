"""`build_engines`: what the command line asks for, done model by model and role by role."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from engines import engine_files
from engines.backends.base import BackendSettings
from engines.building import inventory, options, samples, timing_cache
from engines.building.benchmark import FRAME, measure
from engines.building.build import build, target_machine
from engines.building.monitor import BuildMonitor
from engines.building.telling import Teller
from engines.building.verify import verify
from engines.errors import BackendError, BuildCancelledError, BuildError, EngineError
from engines.model_folder import BUNDLED, ModelFolder, larger_sister

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from engines.engine_files import EngineFile
    from engines.engine_spec import BuildOptions, Machine, TensorRtName
    from engines.spec import RoleName

BAD_INPUT, INTERRUPTED = 2, 130
LOOK_S = 0.2
"""How soon a signal is noticed."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(arguments: Sequence[str] | None = None, *, pictures: Sequence[Path] = ()) -> int:
    """Build, list or prune; returns the exit code: 0, 2 for what cannot be used or built, 130 after Ctrl-C.

    Args:
        arguments: instead of the process's own.
        pictures: to compare engines on, if no others are named.
    """
    chosen = options.parser(pictures).parse_args(arguments)
    with Teller(as_json=chosen.json) as teller:
        try:
            if chosen.list:
                return inventory.show(chosen.output)
            if chosen.prune:
                return inventory.prune(chosen.output, teller.say)
            with _stoppable() as should_stop, ThreadPoolExecutor(1, thread_name_prefix="build") as pool:
                # Not in this thread: while TensorRT works, the thread that called it does not see signals.
                building = pool.submit(_build_all, chosen, teller, should_stop)
                while not building.done():
                    wait([building], timeout=LOOK_S)
                building.result()
        except BuildCancelledError as error:
            teller.fail(str(error))
            return INTERRUPTED
        except EngineError as error:
            teller.fail(str(error))
            return BAD_INPUT
    return 0


def bundled() -> list[ModelFolder]:
    """The bundled model and its larger sister.

    Raises:
        ModelFolderError: one cannot be used.
    """
    model = ModelFolder.read(BUNDLED)
    sister = larger_sister(model)
    return [model] if sister is None else [model, sister]


def _build_all(chosen: argparse.Namespace, teller: Teller, should_stop: Callable[[], bool]) -> None:
    models = [ModelFolder.read(path) for path in chosen.models] or bundled()
    target = target_machine(chosen.backend or _backend(), tuple(chosen.computeCapability))
    wanted = options.build_options(chosen)
    is_here = target.device is not None
    if not is_here and (chosen.verify or chosen.benchmark):
        raise BuildError(
            "--verify and --benchmark need the GPU that is built for; leave them and --computeCapability out"
        )
    if target.backend == "tensorrt-rtx":
        _refuse_for_rtx(chosen)
    work = [(model, role) for model in models for role in model.spec.roles]
    there = {} if chosen.force else _there(work, chosen.output, target, wanted)
    if there:
        teller.say(f"{len(there)} of {len(work)} engines are there and fit; --force builds them again")
    monitor = BuildMonitor(teller.progress, should_stop, total=max(1, len(work) - len(there)))
    timings = chosen.timingCacheFile or timing_cache.default_path(chosen.output, target)
    for number, (model, role) in enumerate(work):
        made = there.get(number)
        if made is None:
            made = build(model, role, chosen.output, target=target, options=wanted, monitor=monitor, timings=timings)
            teller.say(f"{made.path}: {made.spec.engine_bytes / 1e6:.1f} MB, built in {made.spec.build_s:.1f} s")
        if is_here and chosen.verify is not False and not made.spec.parity:
            monitor.rename(f"verifying {model.spec.name} {role} {wanted.precision}")
            _verify(made, model, chosen, teller)
    if not is_here:
        teller.say("not verified: the GPU that was built for is not here")
    for model in models if chosen.benchmark else ():
        _benchmark(model, chosen, target, teller)


def _refuse_for_rtx(chosen: argparse.Namespace) -> None:
    """What TensorRT-RTX cannot do (1.7)."""
    if chosen.timingCacheFile is not None:
        raise BuildError("--timingCacheFile: TensorRT-RTX times nothing when it builds; leave the flag out")
    if chosen.versionCompatible:
        raise BuildError("--versionCompatible: TensorRT-RTX lacks the runtime for it; leave the flag out")


def _verify(made: EngineFile, model: ModelFolder, chosen: argparse.Namespace, teller: Teller) -> None:
    parity = verify(made, model, samples.pictures(model, chosen.pictures))
    engine_files.annotate(made, parity=parity)
    for name, found in parity.items():
        psnr = "" if found.psnr is None else f", {found.psnr:.1f} dB"
        teller.say(f"  {name}: greatest difference {found.max_difference:.2g}, mean {found.mean_difference:.2g}{psnr}")


def _benchmark(model: ModelFolder, chosen: argparse.Namespace, target: Machine, teller: Teller) -> None:
    images = samples.pictures(model, chosen.pictures)
    settings = BackendSettings(precision=chosen.precision, engine_folder=chosen.output)
    for report in measure(model, images, backend=target.backend, settings=settings, roles=tuple(model.spec.roles)):
        for line in report.lines():
            teller.say(f"{model.spec.name} {line}")
        if report.name != FRAME:
            role = cast("RoleName", report.name)
            found = engine_files.find(chosen.output, model, role, precision=chosen.precision, here=target)
            engine_files.annotate(found, latency=report.latency)


def _backend() -> TensorRtName:
    """The TensorRT that is installed; with a GPU the classic one, which is faster there, comes first.

    Raises:
        BackendError: neither is.
    """
    found = inventory.installed()
    if not found:
        raise BackendError(
            "neither TensorRT nor TensorRT-RTX is installed; install one with: pip install 'puppet-live[tensorrt]', or "
            "'puppet-live[tensorrt-rtx]'"
        )
    return next((each for each in found if each.device is not None), found[-1]).backend


def _there(
    work: Sequence[tuple[ModelFolder, RoleName]], folder: Path, target: Machine, wanted: BuildOptions
) -> dict[int, EngineFile]:
    """Engines that need not be built again, by their place in the work."""
    found = {}
    for number, (model, role) in enumerate(work):
        path = engine_files.path_for(folder, model, role, target=target, options=wanted)
        try:
            file = engine_files.EngineFile.read(path)
            file.content()
        except BackendError:
            continue  # it will be built
        if file.spec.difference(target) is None and file.spec.options == wanted:
            found[number] = file
    return found


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
