"""Draw the README's picture, our own avatars at moments of the scripted performance; or the model card's failures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from engines.model_folder import BUNDLED, ModelFolder
from puppet import images
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.sources.head import Head, Pose
from puppet.sources.scripted import BLINKS, CLOSE, HOLD, pose_at
from puppet.types import Frame, Image

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
MOMENTS = (0.0, 0.95, BLINKS[0] + CLOSE + HOLD / 2, 2.95, 6.9)
"""Seconds: at rest, looking aside, blinking, turned, smiling with the head tilted."""
FAILURES = (Pose(yaw=0.75), Pose(yaw=-0.6, pitch=0.4), Pose(pitch=-0.45), Pose(y=0.7), Pose(jaw=1.4, blink=0.6))
"""Turned too far, turned and bowed, head thrown back, dropped, and gaping with half-shut eyes."""


def main(arguments: list[str] | None = None) -> int:
    """Write the picture; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make_readme_picture.py", description=__doc__)
    parser.add_argument("avatars", type=Path, nargs="+", help="one row for each")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "images" / "performance.jpg")
    parser.add_argument("--failures", action="store_true", help="poses that break the picture, without limits")
    options = parser.parse_args(arguments)
    poses = FAILURES if options.failures else tuple(map(pose_at, MOMENTS))
    with Puppeteer(ModelFolder.read(BUNDLED)) as puppeteer:
        picture = np.concatenate([_row(puppeteer, path, poses) for path in options.avatars])
    options.output.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(options.output), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88]):
        print(f"{options.output} could not be written; is the disk full?", file=sys.stderr)
        return 2
    print(options.output)
    return 0


def _row(puppeteer: Puppeteer, path: Path, poses: Sequence[Pose]) -> Image:
    avatar = puppeteer.make_avatar(images.read_picture(path), name=path.stem)
    puppeteer.set_avatar(avatar)
    puppeteer.calibrate(avatar.motion)
    head = Head(avatar.motion, puppeteer.part_names)
    settings = LiveSettings(limits=False)
    frames = [Frame(avatar.image, index=index, captured_at=float(index)) for index in range(len(poses))]
    shown = [
        puppeteer.animate(head.posed(pose), frame, settings).image.copy()
        for pose, frame in zip(poses, frames, strict=True)
    ]
    return np.concatenate(shown, axis=1)


if __name__ == "__main__":
    sys.exit(main())
