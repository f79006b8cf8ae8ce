"""Picture files that become avatars: read, and cut to the part that is driven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from puppet import framing, images

if TYPE_CHECKING:
    from pathlib import Path

    from puppet.framing import FindsFaces, Square
    from puppet.types import Image

MOST_SIDE = 1024
"""Pixels: the model scales avatars once more, so nothing is gained by larger ones."""


def read_framed(path: Path, finder: FindsFaces | None) -> tuple[Image, Square]:
    """A picture, uint8 (H, W, 3) RGB, and the part around its face; the middle without a face or a finder.

    Raises:
        AvatarError: the picture cannot be used.
    """
    picture = images.read_picture(path)
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
