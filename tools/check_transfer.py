"""Measures what relative motion forgives: a driver tilted, nearer, farther or slimmer, and extreme poses."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines.errors import EngineError
from engines.model_folder import BUNDLED, ModelFolder
from engines.training.judge import Judge
from puppet import config, images
from puppet.errors import PuppetError
from puppet.motion import MotionBasis
from puppet.puppeteer import Puppeteer
from puppet.reference import pose_distance
from puppet.settings import LiveSettings
from puppet.sources.video_file import VideoFile
from puppet.types import Frame, Motion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.avatar import Avatar
    from puppet.types import Image

CHANGES = {
    "tilted by 20 degrees": (20.0, 1.0, 1.0),
    "nearer": (0.0, 1.25, 1.25),
    "farther": (0.0, 0.8, 0.8),
    "slimmer": (0.0, 0.85, 1.0),
}
"""Turn in degrees, stretch across, stretch upwards: of every frame, from the reference frame on."""
WAYS = {
    "as driven": LiveSettings(adapt_scale=False, adapt_tilt=False),
    "size": LiveSettings(adapt_tilt=False),
    "size, tilt": LiveSettings(),
}
EVERY = 8
"""Frames of a clip from one that is looked at to the next."""
AT_MOST = 40
"""Frames of a clip that are read."""


class Extreme(NamedTuple):
    """A frame far from its clip's first."""

    distance: float
    first: Motion
    motion: Motion
    image: Image


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 if it went well, 2 if what was given cannot be used."""
    parser = argparse.ArgumentParser(prog="check_transfer", description=__doc__)
    parser.add_argument("--clips", type=Path, nargs="+", required=True, metavar="CLIP", help="square clips of faces")
    parser.add_argument("--avatars", type=Path, nargs="+", default=config.avatars()[:4], help="square pictures")
    parser.add_argument("--model", type=Path, default=BUNDLED, help="model folder")
    parser.add_argument("--extremes", type=int, default=12, help="frames farthest from their clip's first, one a clip")
    parser.add_argument("--strength", type=float, default=1.0, help="of relative motion in extreme poses")
    parser.add_argument(
        "--sheet", type=Path, help="picture of the extreme poses to write: driver, without, with limits"
    )
    options = parser.parse_args(arguments)
    try:
        with Puppeteer(ModelFolder.read(options.model)) as puppeteer:
            avatars = [puppeteer.make_avatar(images.read_picture(path), name=path.stem) for path in options.avatars]
            clips = [_frames(path, puppeteer.size) for path in options.clips]
            _check_views(puppeteer, avatars, clips)
            _check_limits(puppeteer, avatars, clips, options)
    except (EngineError, PuppetError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _frames(path: Path, side: int) -> list[Image]:
    pictures = [frame.image for frame in VideoFile(path).frames()][::EVERY][:AT_MOST]
    return [images.resize(picture, width=side, height=side) for picture in pictures]


def _check_views(puppeteer: Puppeteer, avatars: Sequence[Avatar], clips: Sequence[Sequence[Image]]) -> None:
    """Whether the same performance, seen otherwise, moves the avatar the same."""
    print("difference of the avatar's motion when its driver is seen otherwise, over the size of that motion")
    print(f"{'':22} " + "  ".join(f"{name:>12}" for name in WAYS))
    plain = [[puppeteer.read(picture) for picture in clip] for clip in clips]
    for name, change in CHANGES.items():
        seen = [[puppeteer.read(_seen(picture, *change)) for picture in clip] for clip in clips]
        shares = [_share(puppeteer.part_names, avatars, (plain, seen), settings) for settings in WAYS.values()]
        print(f"{name:22} " + "  ".join(f"{share:12.2f}" for share in shares), flush=True)


def _share(
    names: Sequence[str],
    avatars: Sequence[Avatar],
    views: tuple[list[list[Motion]], list[list[Motion]]],
    settings: LiveSettings,
) -> float:
    apart, size = 0.0, 0.0
    for avatar in avatars:
        for before, after in zip(*views, strict=True):
            first, second = (MotionBasis(avatar.motion, motions[0], names) for motions in (before, after))
            for one, other in zip(before[1:], after[1:], strict=True):
                wanted, found = (
                    basis.transfer(Motion(motion.shift, motion.affine), settings).shift
                    for basis, motion in ((first, one), (second, other))
                )
                apart += float(np.linalg.norm(found - wanted, axis=1).mean())
                size += float(np.linalg.norm(wanted - avatar.motion.shift, axis=1).mean())
    return apart / size


def _seen(picture: Image, degrees: float, across: float, upwards: float) -> Image:
    middle = (picture.shape[0] - 1) / 2
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ np.diag([across, upwards])
    matrix = np.column_stack([linear, middle - linear @ (middle, middle)])
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _check_limits(
    puppeteer: Puppeteer, avatars: Sequence[Avatar], clips: Sequence[Sequence[Image]], options: argparse.Namespace
) -> None:
    extremes = [max(_distances(puppeteer, clip), key=lambda each: each.distance) for clip in clips]
    extremes = sorted(extremes, key=lambda each: -each.distance)[: options.extremes]
    judge, left_out = Judge.installed()
    print("\n".join(left_out))
    rows = [[each.image for each in extremes]]
    for avatar in avatars:
        puppeteer.set_avatar(avatar)
        for limits in (False, True):
            settings = LiveSettings(limits=limits, strength=options.strength)
            pictures = [_driven(puppeteer, each, settings) for each in extremes]
            print(f"{avatar.name:10} limits {limits!s:5} {_judged(judge, avatar, pictures)}", flush=True)
            rows.append(pictures)
    if options.sheet:
        images.write_picture(options.sheet, np.concatenate([np.concatenate(row, axis=1) for row in rows]))


def _distances(puppeteer: Puppeteer, clip: Sequence[Image]) -> list[Extreme]:
    motions = [puppeteer.read(picture) for picture in clip]
    return [
        Extreme(pose_distance(motion, motions[0]), motions[0], motion, picture)
        for motion, picture in zip(motions, clip, strict=True)
    ]


def _driven(puppeteer: Puppeteer, extreme: Extreme, settings: LiveSettings) -> Image:
    puppeteer.calibrate(extreme.first)
    return puppeteer.animate(extreme.motion, Frame(extreme.image, 0, 0.0), settings).image


def _judged(judge: Judge, avatar: Avatar, pictures: Sequence[Image]) -> str:
    """How sure a face detector is of the pictures, and how far the faces are from the avatar's own."""
    own = judge.look(avatar.image, perceive=False)
    looks = [judge.look(picture, perceive=False) for picture in pictures]
    scores = [look.mesh.score if look.mesh else 0.0 for look in looks]
    aed = [judge.compare(own, look)["aed"] for look in looks]
    known = [value for value in aed if value is not None]
    identity = f", AED {np.mean(known):.3f}" if known else ""
    found = sum(score > 0 for score in scores)
    return f"face found in {found} of {len(scores)}, certainty {np.mean(scores):.3f}{identity}"


if __name__ == "__main__":
    sys.exit(main())
