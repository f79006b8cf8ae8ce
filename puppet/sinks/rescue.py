"""What can be played of a video file whose writing broke off."""

from __future__ import annotations

import logging
import struct
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

import av
import av.error

from puppet.provenance import EBML_MAGIC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

HEADER = struct.Struct(">I4s")
PIECE = b"moof"
"""Box that begins a piece; the next one holds its pictures and sound."""


def rescue(path: Path) -> bool:
    """Cut the file behind its last whole piece; returns whether anything is left that can be played.

    Matroska files may end anywhere and stay as they are.

    Raises:
        OSError: the file cannot be read or cut.
    """
    with path.open("r+b") as file:
        if file.read(len(EBML_MAGIC)) != EBML_MAGIC:
            file.truncate(_end_of_pieces(file))
    try:
        with av.open(f"file:{path}") as container:
            return next(container.decode(video=0), None) is not None
    except (av.error.FFmpegError, OSError) as error:
        log.info("nothing of it can be played (%s)", error)
        return False


def _end_of_pieces(file: BinaryIO) -> int:
    return max((end for (kind, _), (_, end) in pairwise(_boxes(file)) if kind == PIECE), default=0)


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and end of every whole box at the top level (ISO/IEC 14496-12, section 4.2); bytes from the start.

    Lengths of 64 bits are not read: no piece is so long.
    """
    size = file.seek(0, 2)
    start = 0
    while start + HEADER.size <= size:
        file.seek(start)
        length, kind = HEADER.unpack(file.read(HEADER.size))
        start += length
        if length < HEADER.size or start > size:
            return
        yield kind, start
