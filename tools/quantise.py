"""Make an eight-bit copy of a model folder, for processors without bf16, calibrated on clips and pictures of faces.

Measure it beside the original before it is used: tools/evaluate.py --model OUTPUT --precision int8.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console

from engines.errors import EngineError
from engines.model_folder import BUNDLED, ModelFolder, refuse_existing
from engines.quantisation import quantise
from puppet import config, framing, images
from puppet.errors import PuppetError
from puppet.sources.video_file import VideoFile, is_video

if TYPE_CHECKING:
    from collections.abc import Iterator

    from puppet.types import Image

FRAMES = 5
"""Of each clip."""


def main(arguments: list[str] | None = None) -> int:
    """Quantise what the command line names; returns the exit code."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        refuse_existing(options.output, force=options.force)
        model = ModelFolder.read(options.model)
        files = [file for folder in options.clips for file in sorted(folder.iterdir())][: options.most]
        clips = [_frames(file, model.spec.size) for file in [*config.avatars(), *files]]
        console.print(f"calibrating on {sum(map(len, clips))} frames of {len(clips)} clips and pictures")
        made = quantise(model, clips, options.output, force=options.force, progress=console.print)
    except (EngineError, PuppetError, OSError) as error:
        console.print(str(error))
        return 2
    console.print(f"model folder written to {made.path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="quantise.py", description=__doc__)
    parser.add_argument("--model", type=Path, default=BUNDLED, help="model folder, compact, fp32 (the bundled one)")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="folders of framed clips and pictures, as "
                        "for training, beside the avatars that ship")  # fmt: skip
    parser.add_argument("--most", type=int, default=40, metavar="N", help="no more clips than this (40)")
    parser.add_argument("--output", type=Path, required=True, help="model folder to write")
    parser.add_argument("--force", action="store_true", help="replace a model folder that is there")
    return parser


def _frames(file: Path, size: int) -> list[Image]:
    """A few frames of a video, or a picture, cut to their middle square."""
    found: Iterator[Image] = (
        VideoFile(file).sample(count=FRAMES) if is_video(file) else iter([images.read_picture(file)])
    )
    return [np.ascontiguousarray(_middle(image, size)) for image in found]


def _middle(image: Image, size: int) -> Image:
    return images.crop(image, framing.centre_square(image.shape[1], image.shape[0]), size=size)


if __name__ == "__main__":
    sys.exit(main())
