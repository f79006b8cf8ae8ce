"""Turn a checkpoint of MCS or FOMM into a model folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from engines.checkpoint import Checkpoint, load_model, read_checkpoint
from engines.configuration import read_configuration
from engines.errors import EngineError
from engines.export import export_model
from engines.model_folder import ModelFolder, refuse_existing
from puppet import config
from puppet.errors import PuppetError
from tools.name_parts import name_by_faces, tell_names

_STEPS = {"mcs": 6, "fomm": 5}
"""Reading, loading, and one step a graph."""


def main(arguments: list[str] | None = None) -> int:
    """Import what the command line names; returns the exit code."""
    options = _parser().parse_args(arguments)
    errors = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        model = _import(options)
        sheet = None
        if model.spec.family == "mcs":
            model, sheet = name_by_faces(model.path, options.faces or config.avatars())
    except (EngineError, PuppetError) as error:
        errors.print(str(error))
        return 2
    except KeyboardInterrupt:
        errors.print(f"interrupted; nothing was written to {options.output}")
        return 130
    _summarise(model)
    if sheet is not None:
        tell_names(model, sheet)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="import_checkpoint.py", description=__doc__)
    parser.add_argument(
        "checkpoint", type=Path, help="file of weights (.pth.tar): MCS, current or as published, or FOMM"
    )
    parser.add_argument("--config", type=Path, help="configuration (.yaml); left out, it is inferred from the shapes")
    parser.add_argument("--output", type=Path, required=True, help="model folder to write")
    parser.add_argument("--name", help="of the model (default: the checkpoint's file name)")
    parser.add_argument("--size", type=int, help="side of the pictures, pixels, if not as configured or inferred")
    parser.add_argument(
        "--precision", choices=("fp32", "fp16"), default="fp32", help="of the convolutions; coordinates stay fp32"
    )
    parser.add_argument("--licence", default="unknown: ask whoever published the checkpoint", help="of the weights")
    parser.add_argument(
        "--faces", type=Path, nargs="+", metavar="PICTURE", help="by which parts are named (default: bundled avatars)"
    )
    parser.add_argument("--force", action="store_true", help="replace a model folder that is there")
    return parser


def _import(options: argparse.Namespace) -> ModelFolder:
    refuse_existing(options.output, force=options.force)
    with _progress() as progress:
        task = progress.add_task(f"reading {options.checkpoint.name}", total=None)
        checkpoint = read_checkpoint(options.checkpoint)
        configuration = _configuration(checkpoint, options)
        progress.update(task, total=_STEPS[checkpoint.family], advance=1, description="loading the weights")
        model = load_model(checkpoint, configuration)
        folder = export_model(
            model,
            options.output,
            name=options.name or checkpoint.path.name.removesuffix(".tar").removesuffix(".pth"),
            licence=options.licence,
            provenance=f"{checkpoint.path.name}, sha256 {checkpoint.sha256} ({checkpoint.layout.description})",
            configuration=configuration,
            precision=options.precision,
            force=options.force,
            progress=lambda step: progress.update(task, advance=1, description=step),
        )
        progress.update(task, advance=1, description="done")
    return folder


def _configuration(checkpoint: Checkpoint, options: argparse.Namespace) -> dict[str, object]:
    if options.config is None:
        configuration = checkpoint.configuration()
    else:
        configuration = read_configuration(options.config, family=checkpoint.family)
    return configuration if options.size is None else {**configuration, "size": options.size}


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _summarise(model: ModelFolder) -> None:
    spec = model.spec
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"{model.path}: {spec.name}, {spec.family}, {spec.size} pixels, {spec.parts} parts, {spec.precision}")
    for role, entry in spec.roles.items():
        differences = ", ".join(f"{name} {parity.max_difference:.2g}" for name, parity in entry.parity.items())
        console.print(f"  {entry.file}: {role}, greatest difference from torch: {differences}")


if __name__ == "__main__":
    sys.exit(main())
