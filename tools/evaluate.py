"""Measures a model on clips and portraits, beside copying the first frame: text, JSON and a page with pictures."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engines import backends
from engines.backends.base import BackendSettings
from engines.errors import EngineError, TrainingError
from engines.model_folder import ModelFolder
from engines.training import report
from engines.training.evaluation import Evaluation
from engines.training.evaluation_set import EvaluationSet
from engines.training.judge import Judge
from engines.training.results import EvaluationOptions
from puppet.errors import AvatarError, PuppetError
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engines.faces import Image
    from engines.training.results import EvaluationResult, Masks

USAGE_ERROR = 2
INTERRUPTED = 130


class PuppeteerDriver:
    """The runtime as an evaluation drives it."""

    def __init__(self, puppeteer: Puppeteer) -> None:
        self._puppeteer = puppeteer
        self._index = 0

    def set_avatar(self, image: Image) -> None:
        """Take the picture to be driven."""
        try:
            self._puppeteer.set_avatar(self._puppeteer.make_avatar(image, name="the avatar"))
        except AvatarError as error:
            raise TrainingError(str(error)) from error

    def set_first(self, image: Image) -> None:
        """Take the frame from which relative motion counts."""
        try:
            self._puppeteer.calibrate(self._puppeteer.read(image))
        except ValueError as error:
            raise TrainingError(f"a clip's first frame gives no usable motion ({error})") from error

    def drive(self, image: Image, *, relative: bool, masks: Masks) -> Image:
        """The avatar moved like a frame."""
        settings = LiveSettings(mode="relative" if relative else "absolute", masks=masks)
        frame = Frame(image, self._index, time.perf_counter())
        self._index += 1
        return self._puppeteer.render(frame, settings).image


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; 0 if it went well, 2 if what was given cannot be used."""
    options = _parser().parse_args(arguments)
    console = Console()
    if not console.is_terminal:  # a pipe has no width of its own
        console = Console(width=120)
    try:
        return _evaluate(options, console)
    except (EngineError, PuppetError) as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    except OSError as error:
        print(f"{options.output} cannot be written ({error.strerror}); choose another --output", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        return INTERRUPTED


def _evaluate(options: argparse.Namespace, console: Console) -> int:
    files = EvaluationSet.read(options.clips, options.portraits, limit=options.limit)
    folder = ModelFolder.read(options.model) if options.model else None
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
    judge, left_out = Judge.installed()
    for sentence in left_out:
        console.print(f"[yellow]{sentence}[/yellow]", highlight=False)
    measured = EvaluationOptions(
        frames=options.frames,
        masks=options.masks,
        pairs=options.pairs,
        pair_frames=options.pair_frames,
        seed=options.seed,
    )
    evaluation = Evaluation(judge, measured, left_out=left_out)
    with _progress(console, files, measured, has_model=folder is not None) as progress:
        task = progress.task_ids[0]
        evaluation.done = lambda name: progress.update(task, advance=1, description=name[:40])
        if folder is None:
            result = evaluation.run(files, model=None, backend=None, folder=options.clips.name)
        else:
            settings = BackendSettings(threads=options.threads, precision=options.precision)
            with Puppeteer(folder, backend=options.backend, engine_settings=settings) as puppeteer:
                evaluation.driver = PuppeteerDriver(puppeteer)
                result = evaluation.run(
                    files, model=folder.spec.name, backend=puppeteer.description, folder=options.clips.name
                )
    console.print(report.as_text(result))
    if options.output:
        _write(options.output, result, evaluation, worst=options.worst)
        console.print(f"written: {options.output}", highlight=False, soft_wrap=True)
    return 0


def _write(folder: Path, result: EvaluationResult, evaluation: Evaluation, *, worst: int) -> None:
    _replace(folder / "evaluation.json", (json.dumps(result.model_dump(), indent=1) + "\n").encode())
    page = report.as_html(result, evaluation.samples, worst=worst or 12)
    _replace(folder / "evaluation.html", page.encode())
    samples = report.worst_first(evaluation.samples)[:worst]
    if samples:
        sheet = report.contact_sheet(samples)
        _replace(folder / "worst.png", cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _progress(console: Console, files: EvaluationSet, options: EvaluationOptions, *, has_model: bool) -> Progress:
    """A bar over clips and pairs; pairs take about as long as clips."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=console, transient=True)
    pairs = len(files.pairs(options.pairs, seed=options.seed)) if has_model else 0
    progress.add_task("", total=len(files.clips) + pairs)
    return progress


def _parser() -> argparse.ArgumentParser:
    default = EvaluationOptions()
    parser = argparse.ArgumentParser(prog="evaluate", description=__doc__)
    parser.add_argument(
        "--model", type=Path, help="model folder; without one, only copying the first frame is measured"
    )
    parser.add_argument("--clips", type=Path, required=True, help="folder of square clips, or one that holds clips/")
    parser.add_argument("--portraits", type=Path, help="folder of square portraits of other people")
    parser.add_argument("--output", type=Path, help="folder for evaluation.json, evaluation.html and worst.png")
    parser.add_argument("--backend", default="auto", choices=["auto", *backends.names()])
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16", "int8"])
    parser.add_argument("--threads", type=_count(0), default=0, help="CPU threads; 0 leaves the choice to the backend")
    parser.add_argument("--frames", type=_count(1), default=default.frames, help="frames of each clip")
    parser.add_argument("--limit", type=_count(1), help="no more clips than this")
    parser.add_argument("--masks", default=default.masks, choices=["driving", "avatar"], help="in reconstruction")
    parser.add_argument("--pairs", type=_count(0), default=default.pairs, help="clips that drive another's portrait")
    parser.add_argument("--pair-frames", type=_count(3), default=default.pair_frames, help="frames of each such pair")
    parser.add_argument("--seed", type=int, default=default.seed, help="of the choice of portraits")
    parser.add_argument("--worst", type=_count(0), default=0, help="frames on a sheet of the worst, worst.png")
    return parser


def _count(least: int) -> Callable[[str], int]:
    """An argument type: a whole number no smaller than `least`."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main())
