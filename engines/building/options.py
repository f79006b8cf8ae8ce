"""The flags of `build_engines`, named as those of trtexec where it has them."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from engines.engine_files import default_folder
from engines.engine_spec import BuildOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

DESCRIPTION = """Build TensorRT engines of model folders, check them, and measure them. An engine is tied to the GPU
and to the version of TensorRT; what was built lies in one folder, each with a side-car that says what it is for, and
the program loads nothing that does not fit."""
LEFT_OUT = """Flags of trtexec without a counterpart: --fp16, --bf16, --best and --noTF32, because the precision is
written into the graph (--precision) and networks are strongly typed, as TensorRT 11 demands; --onnx, --saveEngine and
--loadEngine, because model folder and side-car say what belongs together; --minShapes, --optShapes and --maxShapes,
because all shapes are fixed; --plugins, because no graph needs one; --int8, --calib and --sparsity, because no model
here is made for them; --iterations, --warmUp and --useCudaGraph, because --benchmark always measures what the program
runs, a captured graph, until the figures hold still."""


def parser(pictures: Sequence[Path]) -> argparse.ArgumentParser:
    """Of the command line; the pictures are what engines are compared on if no others are named."""
    made = _Parser(prog="build_engines", description=DESCRIPTION, epilog=LEFT_OUT)
    add = made.add_argument
    add("models", nargs="*", type=Path, metavar="MODEL", help="model folders (the bundled ones)")
    add("--backend", choices=("tensorrt", "tensorrt-rtx"), help="whose engines (the first that is installed)")
    add("--precision", choices=("fp16", "fp32", "bf16"), default="fp16", help="of convolutions (fp16)")
    add("--output", type=Path, default=default_folder(), metavar="DIR", help="where engines are kept (%(default)s)")
    add("--memPoolSize", type=_workspace, dest="workspace_mib", metavar="workspace:MiB", help="scratch memory at most")
    add(
        "--builderOptimizationLevel",
        type=int,
        choices=range(6),
        dest="optimisation",
        metavar="0..5",
        help="0 builds fastest, 5 searches longest for fast kernels (TensorRT's choice)",
    )
    add("--timingCacheFile", type=Path, metavar="F", help="timing cache (one for each device and version, in DIR)")
    add("--versionCompatible", action="store_true", help="loads into later versions of the same major one, too")
    add(
        "--computeCapability",
        nargs="+",
        type=_capability,
        default=[],
        metavar="sm89",
        help="GPUs to build for instead of this machine's; TensorRT-RTX only",
    )
    add(
        "--verify",
        action=argparse.BooleanOptionalAction,
        help="compare with ONNX Runtime, and delete what is off (whenever the GPU is here)",
    )
    add("--pictures", nargs="*", type=Path, default=pictures, metavar="FILE", help="to compare on, beside seeded ones")
    add("--benchmark", action="store_true", help="measure each role and the whole frame, in trtexec's words")
    add("--force", action="store_true", help="build even what is there and fits")
    add("--list", action="store_true", help="say which engines there are, for what, and end")
    add("--prune", action="store_true", help="delete engines that do not fit this machine any more, and end")
    add("--json", action="store_true", help="progress as JSON lines on stdout, for other programs")
    return made


def build_options(chosen: argparse.Namespace) -> BuildOptions:
    """How to build, as the flags have it."""
    return BuildOptions(
        precision=chosen.precision,
        workspace_mib=chosen.workspace_mib,
        optimisation=chosen.optimisation,
        version_compatible=chosen.versionCompatible,
    )


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of repeating the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; --help shows what there is\n")


def _workspace(text: str) -> int:
    """Reads `workspace:MiB`; trtexec's other pools are not used here."""
    pool, _, size = text.partition(":")
    if pool != "workspace" or not size.isdecimal() or int(size) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: write it as workspace:1024, in MiB; there is no other pool")
    return int(size)


def _capability(text: str) -> str:
    found = re.fullmatch(r"(?:sm_?)?(\d+)\.?(\d)", text.lower())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r}: write it as sm89 or 8.9")
    return f"{found[1]}.{found[2]}"
