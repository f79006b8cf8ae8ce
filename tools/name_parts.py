"""Names the parts of a model folder by where they lie on faces, and shows them; names can be given instead."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines.backends.base import BackendSettings
from engines.errors import EngineError
from engines.faces import FaceFinder
from engines.model_folder import ModelFolder, rename_parts
from engines.part_names import name_parts
from puppet import config, framing, images, overlay
from puppet.errors import PuppetError
from puppet.puppeteer import Puppeteer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.types import Floats, Image

SHEET = "parts.png"
SHOWN, SIDE = 4, 256
"""Faces on the sheet, and pixels of each."""
LINE = 18
"""Pixels of a line of the legend."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Name the parts; 0 if it went well, 2 if what was given cannot be used."""
    parser = argparse.ArgumentParser(prog="name_parts", description=__doc__)
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("--faces", type=Path, nargs="+", default=config.avatars(), metavar="PICTURE", help="of faces")
    parser.add_argument("--names", metavar="NAME,NAME,...", help="instead of looking: one for each part, in order")
    options = parser.parse_args(arguments)
    try:
        if options.names is not None:
            rename_parts(options.model, options.names.split(","))
        model, sheet = name_by_faces(options.model, options.faces, is_given=options.names is not None)
    except (EngineError, PuppetError) as error:
        print(error, file=sys.stderr)
        return 2
    tell_names(model, sheet)
    return 0


def name_by_faces(path: Path, faces: Sequence[Path], *, is_given: bool = False) -> tuple[ModelFolder, Path]:
    """Name the parts, unless names are given, and paint a sheet into the folder that shows them.

    Raises:
        EngineError: the folder cannot be used.
        PuppetError: a picture cannot be used, or none shows a face.
    """
    model, finder = ModelFolder.read(path), FaceFinder()
    pictures, meshes, masks = [], [], []
    with Puppeteer(model, engine_settings=BackendSettings(precision="fp32")) as puppeteer:
        if not puppeteer.can_swap:
            raise PuppetError(f"{path} has no masks to name its parts by; its parts keep their names")
        for face in faces:
            picture = _framed(face, finder)
            found = finder.find(picture)
            mask = puppeteer.read(picture).segmentation
            if found and mask is not None:
                pictures.append(picture)
                meshes.append(finder.mesh(picture, found[0]))
                masks.append(mask)
    if not pictures:
        raise PuppetError("no face was found in the pictures, so the parts keep their numbers; give others by --faces")
    if not is_given:
        model = rename_parts(path, name_parts(masks, meshes, sides=[SIDE] * len(pictures)))
    images.write_picture(path / SHEET, _sheet(pictures, masks, model.spec.part_names))
    return model, path / SHEET


def tell_names(model: ModelFolder, sheet: Path) -> None:
    """What the parts are called now, and how to call them otherwise."""
    names = ",".join(model.spec.part_names)
    print(f"parts: {names}\nlook at {sheet}; where a name is wrong, give all of them in this order:")
    print(f"  python tools/name_parts.py {model.path} --names {names}")


def _framed(path: Path, finder: FaceFinder) -> Image:
    picture = images.read_picture(path)
    square = framing.frame_picture(picture, finder, name=path.name)
    return images.crop(picture, square, size=SIDE)


def _sheet(pictures: Sequence[Image], masks: Sequence[Floats], names: Sequence[str]) -> Image:
    """A few faces with their parts in colour, and which colour is which."""
    painted = [
        np.concatenate([picture, overlay.paint_parts(picture, mask, opacity=0.8)])
        for picture, mask in list(zip(pictures, masks, strict=True))[:SHOWN]
    ]
    height = max(painted[0].shape[0], LINE * (len(names) + 1))
    legend = np.full((height, 180, 3), 255, np.uint8)
    for number, (name, colour) in enumerate(zip(names, overlay.colours(len(names)), strict=True)):
        top = LINE * number + LINE // 2
        legend[top : top + LINE - 4, 8:28] = colour
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(legend, f"{number + 1} {name}", (36, top + LINE - 6), font, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    rows = [np.pad(each, ((0, height - each.shape[0]), (0, 0), (0, 0)), constant_values=255) for each in painted]
    return np.concatenate([*rows, legend], axis=1)


if __name__ == "__main__":
    sys.exit(main())
