"""Picture files and clips that become avatars: read, and cut to the part that is driven."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from puppet import framing, images
from puppet.errors import AvatarError
from puppet.sources.video_file import VideoFile, is_video
from puppet.views import choose_views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from puppet.framing import FindsFaces, Square
    from puppet.types import Image, Motion

MOST_SIDE = 1024
"""Pixels: the model scales avatars once more, so nothing is gained by larger ones."""


CLIP_S = 12.0
"""Seconds of a clip that are looked at."""
SAMPLED = 60
"""Frames of them."""
READ_SIDE = 256
"""Pixels: enough to read a pose off."""


def read_views(
    path: Path, square: Square | None, finder: FindsFaces | None, *, read: Callable[[Image], Motion]
) -> list[Image]:
    """The frames of a clip that show an avatar from different sides and with different expressions.

    Args:
        path: of the clip.
        square: the part to cut out of every frame; None is the part around the face.
        finder: see `read_framed`.
        read: gives the motion of a picture, uint8 (H, H, 3) RGB.

    Returns:
        Pictures, uint8 (S, S, 3) RGB, the most ordinary pose first.

    Raises:
        SourceError: it is no video.
        AvatarError: no frame shows a usable motion.
    """
    clip = VideoFile(path)
    if square is None:
        first = clip.first()
        middle = framing.centre_square(first.shape[1], first.shape[0])
        square = middle if finder is None else framing.frame_clip(clip.sample(), finder, name=path.name)
    chosen = choose_views([read(picture) for picture in _cuts(clip, square, READ_SIDE)])
    if not chosen:
        raise AvatarError(f"{path.name}: the model reads no usable motion off it; take a clip of one face")
    cuts = list(islice(_cuts(clip, square, min(round(square.side), MOST_SIDE), chosen), len(chosen)))
    order = sorted(chosen)
    return [cuts[order.index(index)] for index in chosen]


def _cuts(clip: VideoFile, square: Square, side: int, wanted: list[int] | None = None) -> Iterator[Image]:
    """The sampled frames of a clip, or those of them with the wanted numbers, in the clip's order."""
    total = round(CLIP_S * float(clip.clip.rate))
    every = max(1, -(-min(clip.clip.frames or total, total) // SAMPLED))
    for number, frame in enumerate(islice(clip.frames(), 0, total, every)):
        if wanted is None or number in wanted:
            yield images.crop(frame.image, square, size=side)


def read_whole(path: Path) -> Image:
    """A picture, or the first one of a clip, uint8 (H, W, 3) RGB.

    Raises:
        AvatarError: the picture cannot be used.
        SourceError: it is no video.
    """
    return VideoFile(path).first() if is_video(path) else images.read_picture(path)


def read_framed(path: Path, finder: FindsFaces | None) -> tuple[Image, Square]:
    """As `read_whole`, and the part of it around its face; the middle without a face or a finder."""
    picture = read_whole(path)
    return picture, _around_face(picture, finder)


def read_cut(path: Path, square: Square | None, finder: FindsFaces | None) -> Image:
    """A part of a picture, uint8 (S, S, 3) RGB.

    Args:
        path: of the picture.
        square: the part; None, or one that is not in the picture (any more), is the part around the face.
        finder: see `read_framed`.

    Raises:
        AvatarError: the picture cannot be used.
    """
    picture = images.read_picture(path)
    if square is None or not framing.is_within(square, picture.shape[1], picture.shape[0]):
        square = _around_face(picture, finder)
    return images.crop(picture, square, size=min(round(square.side), MOST_SIDE))


def _around_face(picture: Image, finder: FindsFaces | None) -> Square:
    box = None if finder is None else framing.find_face(picture, finder)
    return framing.around_face(box) if box else framing.centre_square(picture.shape[1], picture.shape[0])
