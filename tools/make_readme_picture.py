"""Draw the README's picture: our own avatars at chosen moments of the scripted performance."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from engines.model_folder import BUNDLED, ModelFolder
from puppet import images
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.sources.head import Head
from puppet.sources.scripted import BLINKS, CLOSE, HOLD, pose_at
from puppet.types import Frame, Image

ROOT = Path(__file__).parents[1]
MOMENTS = (0.0, 1.7, BLINKS[0] + CLOSE + HOLD / 2, 2.95, 6.9)
"""Seconds: at rest, turned, blinking, turned to the other side, smiling with the head tilted."""


def main(arguments: list[str] | None = None) -> int:
    """Write the picture; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make_readme_picture.py", description=__doc__)
    parser.add_argument("avatars", type=Path, nargs="+", help="one row for each")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "performance.jpg")
    options = parser.parse_args(arguments)
    with Puppeteer(ModelFolder.read(BUNDLED)) as puppeteer:
        picture = np.concatenate([_row(puppeteer, path) for path in options.avatars])
    options.output.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(options.output), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88]):
        print(f"{options.output} could not be written; is the disk full?", file=sys.stderr)
        return 2
    print(options.output)
    return 0


def _row(puppeteer: Puppeteer, path: Path) -> Image:
    avatar = puppeteer.make_avatar(images.read_picture(path), name=path.stem)
    puppeteer.set_avatar(avatar)
    puppeteer.calibrate(avatar.motion)
    head = Head(avatar.motion, puppeteer.part_names)
    frames = [Frame(avatar.image, index=0, captured_at=seconds) for seconds in MOMENTS]
    poses = [head.posed(pose_at(seconds)) for seconds in MOMENTS]
    shown = [puppeteer.animate(pose, frame, LiveSettings()) for pose, frame in zip(poses, frames, strict=True)]
    return np.concatenate([rendered.image.copy() for rendered in shown], axis=1)


if __name__ == "__main__":
    sys.exit(main())
