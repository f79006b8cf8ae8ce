"""How long each role and a whole frame take here, on every usable backend, side by side."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from engines import backends
from engines.backends.base import BackendSettings
from engines.errors import BackendError
from engines.model_folder import BUNDLED, ModelFolder
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.stats import StageTimes, Summary
from puppet.types import Frame

if TYPE_CHECKING:
    from engines.peer import Peer
    from puppet.types import Image

PEER = "pytorch eager"
FRAME = "frame"
WARM_UP = 3
"""Frames before measuring: caches fill and threads start."""
BLOCK = 5
"""Frames of one contender in a row: long enough that another's idling threads stop spinning, short enough that
whatever else the machine does hits all alike."""
PRECISIONS: tuple[Literal["fp32", "fp16", "bf16"], ...] = ("fp32", "fp16", "bf16")

RunFrame = Callable[[int], Mapping[str, float]]
"""Runs the frame of that number and says how many seconds each stage and the whole took."""


@dataclass
class Contender:
    """One way to run the model."""

    name: str
    description: str
    run: RunFrame
    times: StageTimes = field(default_factory=StageTimes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `bench`."""
    parser.add_argument("--model", type=Path, default=BUNDLED, metavar="DIR", help="model folder (the bundled one)")
    parser.add_argument(
        "--backend", choices=("all", *backends.names()), default="all", help="measure only this one (default: all)"
    )
    parser.add_argument(
        "--threads", type=_at_least(0), default=0, metavar="N", help="CPU threads (0: the backend's choice)"
    )
    parser.add_argument(
        "--frames", type=_at_least(1), default=50, metavar="N", help="measured frames each (default: 50)"
    )
    parser.add_argument(
        "--size",
        type=int,
        nargs="+",
        default=[],
        choices=get_args(LiveSettings.model_fields["size"].annotation)[1:],
        help="sides of the picture, pixels, measured beside each other (default: the model's)",
    )
    parser.add_argument(
        "--peer", action="store_true", help="add the same networks in PyTorch eager float32 with nothing cached"
    )
    parser.add_argument(
        "--pipeline", action="store_true", help="measure the live pipeline around the model instead, from end to end"
    )
    parser.add_argument(
        "--seconds", type=_at_least(2), default=20, metavar="N", help="of each run with --pipeline (default: 20)"
    )
    parser.add_argument("--swap", action="store_true", help="add part swap of half the parts, beside plain driving")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> int:
    """Measure and print; returns the exit code.

    Raises:
        EngineError: the folder is no model, or no backend asked for can run it.
    """
    if args.pipeline:
        from puppet import bench_pipeline

        return bench_pipeline.run(args)
    model = ModelFolder.read(args.model)
    console = Console(stderr=args.json)
    with ExitStack() as stack:
        contenders, reasons = _contenders(model, args, stack)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("measuring", total=args.frames)
            _measure(contenders, frames=args.frames, advance=lambda frames: progress.advance(bar, frames))
    if args.json:
        Console().print_json(json.dumps(_report(model, contenders, args)))
    else:
        console.print(_table(model, contenders))
    for reason in reasons:
        console.print(f"not measured: {reason}", markup=False)
    return 0


def _contenders(model: ModelFolder, args: argparse.Namespace, stack: ExitStack) -> tuple[list[Contender], list[str]]:
    """Everything that can be measured, warm, and why the rest cannot."""
    contenders, reasons = [], []
    for name in backends.names() if args.backend == "all" else (args.backend,):
        backend = backends.get(name)
        missing = backend.why_unavailable()
        if missing:
            reasons.append(f"{name}: {missing}")
            continue
        for precision in PRECISIONS:
            if precision == "fp16" and not backend.needs_gpu:
                continue
            settings = BackendSettings(threads=args.threads, precision=precision)
            reason = backend.why_unsuitable(model, settings)
            if reason:
                reasons.append(f"{name} {precision}: {reason}")
                continue
            puppeteer = stack.enter_context(Puppeteer(model, backend=name, engine_settings=settings))
            description = backend.describe(settings)
            for size in args.size or [None]:
                puppeteer.check_size(size or 0)
                title = f"{name} {precision}" if size is None else f"{name} {precision} {size}"
                live = LiveSettings() if size is None else LiveSettings(size=size)
                contenders.append(Contender(title, description, _cached(puppeteer, live)))
                if args.swap:
                    swap = live.model_copy(update={"swap": puppeteer.part_names[::2]})
                    contenders.append(Contender(f"{title} swap", description, _cached(puppeteer, swap)))
    if not contenders:
        raise BackendError("; ".join(reasons))
    if args.peer:
        from engines.peer import Peer

        peer = Peer(model.spec, threads=args.threads)
        contenders.append(Contender(PEER, peer.description, _uncached(peer, model.spec.size)))
    return contenders, reasons


def _cached(puppeteer: Puppeteer, settings: LiveSettings) -> RunFrame:
    """As the program runs: the avatar's motion and features are kept."""
    pictures = _pictures(puppeteer.size)
    puppeteer.set_avatar(puppeteer.make_avatar(pictures[0], name="bench"))

    def run_frame(number: int) -> Mapping[str, float]:
        started = time.perf_counter()
        rendered = puppeteer.render(Frame(pictures[number % len(pictures)], number, started), settings)
        whole = time.perf_counter() - started
        encoding = {}
        if number % BLOCK == 0:  # once per avatar in use, so not in every frame, and not part of one
            started = time.perf_counter()
            puppeteer.encode(pictures[0])
            encoding = {"encoder": time.perf_counter() - started}
        return {**rendered.seconds, **encoding, FRAME: whole}

    return run_frame


def _uncached(peer: Peer, size: int) -> RunFrame:
    pictures = _pictures(size)

    def run_frame(number: int) -> Mapping[str, float]:
        started = time.perf_counter()
        _, seconds = peer.render(pictures[0], pictures[number % len(pictures)])
        return {**seconds, FRAME: time.perf_counter() - started}

    return run_frame


def _measure(contenders: list[Contender], *, frames: int, advance: Callable[[int], None]) -> None:
    """Warm all up, then let each run a few frames in turn until all have run as many as asked."""
    for contender in contenders:
        for number in range(WARM_UP):
            contender.run(number)
    for start in range(0, frames, BLOCK):
        numbers = range(start, min(start + BLOCK, frames))
        for contender in contenders:
            for number in numbers:
                contender.times.add(contender.run(number))
        advance(len(numbers))


def _pictures(size: int) -> list[Image]:
    """A smooth seeded picture and shifted copies of it; how long a frame takes does not depend on what it shows."""
    y, x = np.mgrid[0:size, 0:size] * (2 * np.pi / size)
    waves = np.random.default_rng(0).uniform(-3, 3, (3, 6, 3))
    planes = [sum(np.sin(a * x + b * y + c) for a, b, c in channel) for channel in waves]
    picture = np.clip(128 + 30 * np.stack(planes, axis=-1), 0, 255).astype(np.uint8)
    return [np.ascontiguousarray(np.roll(picture, step, axis=(0, 1))) for step in range(8)]


def _table(model: ModelFolder, contenders: list[Contender]) -> Table:
    table = Table(title=f"{model.spec.name} ({model.spec.family}, {model.spec.size} pixels)")
    table.add_column("backend")
    table.add_column("role")
    for heading in ("p50 ms", "p90 ms", "p99 ms", "fps"):
        table.add_column(heading, justify="right")
    peer = _peer_time(contenders)
    if peer:
        table.add_column("x peer", justify="right")
    for contender in contenders:
        summaries = contender.times.summaries()
        for role, summary in summaries.items():
            millis = [f"{1000 * value:.2f}" for value in (summary.p50, summary.p90, summary.p99)]
            ratio = [f"{peer / summary.p50:.2f}" if role == FRAME else ""] if peer else []
            name = contender.name if role == next(iter(summaries)) else ""
            table.add_row(name, role, *millis, f"{summary.fps:.1f}", *ratio, end_section=role == FRAME)
    table.caption = "\n".join(f"{contender.name}: {contender.description}" for contender in contenders)
    return table


def _report(model: ModelFolder, contenders: list[Contender], args: argparse.Namespace) -> dict[str, object]:
    """What `--json` prints; times in seconds."""
    peer = _peer_time(contenders)
    return {
        "model": model.spec.name,
        "family": model.spec.family,
        "size": model.spec.size,
        "frames": args.frames,
        "threads": args.threads,
        "contenders": [
            {
                "name": contender.name,
                "description": contender.description,
                "times": {
                    role: {**asdict(summary), "fps": summary.fps}
                    for role, summary in contender.times.summaries().items()
                },
                "faster_than_peer": peer / contender.times.summaries()[FRAME].p50 if peer else None,
            }
            for contender in contenders
        ],
    }


def _peer_time(contenders: list[Contender]) -> float | None:
    """Median seconds of a frame of the peer, if it was measured."""
    times: dict[str, Summary] = next((c.times.summaries() for c in contenders if c.name == PEER), {})
    return times[FRAME].p50 if times else None


def _at_least(lowest: int) -> Callable[[str], int]:
    """A reader of flags that hold a whole number."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = lowest - 1
        if value < lowest:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {lowest}")
        return value

    return read
