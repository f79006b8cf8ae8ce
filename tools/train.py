"""Train a model on a folder of clips; run it again to go on where it stopped.

On several GPUs or machines: torchrun --nproc-per-node N tools/train.py ... --devices N [--nodes M]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from engines import families
from engines.backends.ovino import prefers_bf16
from engines.errors import EngineError, TrainingError
from engines.export import export_model
from engines.training import session
from engines.training.cache import Cache, build
from engines.training.config import TrainConfig
from engines.training.trainer import CONFIG, Intervals, Trainer, read_average, read_config
from engines.training.weights import FILE, save_weights


def main(arguments: list[str] | None = None) -> int:
    """Train, or export, as the command line says; returns the exit code."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        if options.export is not None:
            _export(options, console)
        else:
            _train(options, console)
    except EngineError as error:
        console.print(str(error))
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="train.py", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder of the run: checkpoints, logs, pictures")
    parser.add_argument("--data", type=Path, nargs="+", default=[], help="folders of framed clips and portraits")
    parser.add_argument("--cache", type=Path, help="where frames and mesh points are kept (default: OUTPUT/cache)")
    parser.add_argument("--rebuild-cache", action="store_true", help="read the clips again")
    parser.add_argument("--config", type=Path, help="run configuration (.json); left out, the run's own or the default")
    parser.add_argument("--start-from", type=Path, metavar="FILE", help="weights.safetensors to begin a new run with")
    parser.add_argument(
        "--until", type=int, metavar="STEP", help="stop there; the schedule stays that of the whole run"
    )
    parser.add_argument("--accelerator", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--devices", type=int, default=1, help="processes on this machine")
    parser.add_argument("--nodes", type=int, default=1, help="machines")
    parser.add_argument(
        "--precision",
        choices=("auto", "32-true", "bf16-mixed", "16-mixed"),
        default="auto",
        help="arithmetic; auto: bf16-mixed where the processor computes in it, else 32-true: emulated it is slower",
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 for all")
    parser.add_argument("--checkpoint-every", type=float, default=120.0, metavar="SECONDS")
    parser.add_argument("--pictures-every", type=float, default=300.0, metavar="SECONDS")
    parser.add_argument("--export", type=Path, metavar="DIR", help="write the run's averaged weights as a model folder")
    parser.add_argument("--name", default="compact", help="of the exported model")
    parser.add_argument("--licence", default="unknown", help="of the exported weights")
    parser.add_argument("--rounded", action="store_true", help="weights rounded to float16: half the space")
    parser.add_argument("--provenance", help="of the weights (default: the run's steps and seed)")
    parser.add_argument("--force", action="store_true", help="replace a model folder that is there")
    return parser


def _train(options: argparse.Namespace, console: Console) -> None:
    if options.threads:
        torch.set_num_threads(options.threads)
    config = _config(options)
    device = _device(options.accelerator)
    precision = _precision(device) if options.precision == "auto" else options.precision
    several = options.devices * options.nodes > 1 or "TORCHELASTIC_RUN_ID" in os.environ
    fabric = Fabric(
        accelerator=options.accelerator,
        devices=options.devices,
        num_nodes=options.nodes,
        strategy="ddp" if several else "auto",
        **({"precision": precision} if precision == "32-true" else {"plugins": InputsAsGiven(precision, device)}),
    )
    fabric.launch()
    cache = _cache(options, fabric, console)
    intervals = Intervals(checkpoint_s=options.checkpoint_every, pictures_s=options.pictures_every)
    try:
        trainer = session.trainer(config, cache, run=options.output, fabric=fabric, intervals=intervals)
    except ValidationError as error:
        raise TrainingError(f"the networks' configuration does not fit family {config.family}: {error}") from error
    resumed = trainer.resume()
    if options.start_from is not None and not resumed:
        trainer.start_from(options.start_from)
    if fabric.is_global_zero:
        begin = f"going on at step {trainer.step}" if resumed else "starting"
        console.print(f"{begin}: {config.family}, {config.steps} steps, {fabric.device}, {precision}")
    for name in ("SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), lambda *_: trainer.stop())
    _fit(trainer, options, console)
    if fabric.is_global_zero:
        console.print(f"stopped at step {trainer.step} of {config.steps}; the state is in {options.output}")


class InputsAsGiven(MixedPrecision):
    """Autocast without rounding what is given to the networks: in bfloat16 mesh points are off by half a pixel."""

    def convert_input(self, data: Any) -> Any:
        """See `MixedPrecision`."""
        return data


def _device(accelerator: str) -> str:
    """What kind of device will be taken."""
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return "cuda"
    if accelerator in ("auto", "gpu", "mps") and torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def _precision(device: str) -> Literal["bf16-mixed", "32-true"]:
    """What a kind of device computes in without emulation."""
    is_fast = {"cuda": lambda: torch.cuda.is_bf16_supported(including_emulation=False), "cpu": prefers_bf16}
    return "bf16-mixed" if device in is_fast and is_fast[device]() else "32-true"


def _fit(trainer: Trainer, options: argparse.Namespace, console: Console) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    plain = not console.is_terminal
    with Progress(*columns, console=console, disable=plain or not trainer.fabric.is_global_zero) as bar:
        task = bar.add_task("training", total=trainer.config.steps, completed=trainer.step)

        def report(now: Any) -> None:
            bar.update(task, completed=now.step, description=f"loss {now.loss:.3f}")
            if plain and now.step % 50 == 0:
                left = now.seconds_left / 60
                console.print(f"step {now.step}/{now.steps} loss {now.loss:.3f} {left:.0f} min left")

        trainer.fit(until=options.until, report=report)


def _config(options: argparse.Namespace) -> TrainConfig:
    if options.config is not None:
        try:
            return TrainConfig.model_validate(json.loads(options.config.read_text()))
        except (OSError, ValueError) as error:
            raise TrainingError(f"{options.config} is no run configuration: {error}") from error
    return read_config(options.output) if (options.output / CONFIG).exists() else TrainConfig()


def _cache(options: argparse.Namespace, fabric: Fabric, console: Console) -> Cache:
    folder = options.cache or options.output / "cache"
    with fabric.rank_zero_first(local=True):
        if (folder / "index.json").exists() and not (options.rebuild_cache and fabric.is_global_zero):
            return Cache.open(folder)
        if not options.data:
            raise TrainingError(f"{folder} holds no frames yet; name the clips with --data")
        with Progress(TextColumn("reading clips"), BarColumn(), MofNCompleteColumn(), console=console) as bar:
            task = bar.add_task("reading", total=None)
            return build(
                options.data,
                folder,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )


def _export(options: argparse.Namespace, console: Console) -> None:
    config = read_config(options.output)
    model = families.build(config.family, config.network)
    model.load_state_dict(read_average(options.output))
    model.eval()
    folder = export_model(
        model,
        options.export,
        name=options.name,
        licence=options.licence,
        provenance=options.provenance or f"trained by tools/train.py, {config.steps} steps, seed {config.seed}",
        configuration=config.network,
        rounded=options.rounded,
        force=options.force,
        progress=console.print,
    )
    save_weights(model, folder.path / FILE)
    console.print(f"model folder written to {folder.path}")


if __name__ == "__main__":
    sys.exit(main())
