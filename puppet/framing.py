"""Which square of a picture the model sees: the face's surroundings, as in its training pictures."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from puppet import images

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engines.faces import Face
    from puppet.types import Image

log = logging.getLogger(__name__)

FACE_TO_CROP = 1.8
"""Side of the crop over the longer side of the face box."""
RAISED = 0.08
"""How far the crop's centre lies above the face's, over the longer side of the face box."""
CLEARANCE = 0.15
"""Room kept around a travelling face on each side, over the longer side of its box."""
MAX_WIDENING = 1.5
"""Of the crop for a travelling face: beyond it the face is too small for the model to read."""
SEARCH_SIDE = 640
"""Longer side, pixels, of the picture that the face is searched in."""
TILES = (2, 3)
"""Squares along the shorter side, finer and finer, when no face is found in the whole picture."""
COARSE = 0.25
"""A face smaller than this in its picture is looked at again from near: the detector sees 128 pixels a side."""
SMALLEST_TILE = 64
"""Side, pixels."""
LEAST_CROP = 24
"""Pixels: side of the smallest part of a picture that may be chosen by hand."""
MOST_CROP = 2.0
"""Side of the largest, over the picture's longer side."""
SMALLEST_FACE = 24
"""Pixels: what the detector finds below it is mostly noise, and the model could read nothing off it."""


@dataclass(frozen=True)
class Square:
    """A square of a picture, pixels; it may reach outside."""

    x: float
    """Left edge."""
    y: float
    """Upper edge."""
    side: float


Box = tuple[float, float, float, float]
"""Left, top, right, bottom; pixels."""


class FindsFaces(Protocol):
    """What framing needs of `engines.faces.FaceFinder`."""

    def find(self, image: Image, *, threshold: float = 0.5) -> list[Face]:
        """All faces, the most certain first."""
        ...


def centre_square(width: int, height: int) -> Square:
    """The largest square in the middle of a picture."""
    side = min(width, height)
    return Square((width - side) / 2, (height - side) / 2, side)


def is_within(square: Square, width: int, height: int) -> bool:
    """Whether a square may be chosen of a picture of that size: neither tiny nor huge, its middle in the picture."""
    x, y = square.x + square.side / 2, square.y + square.side / 2
    is_sized = LEAST_CROP <= square.side <= MOST_CROP * max(width, height)
    return is_sized and 0 <= x <= width and 0 <= y <= height


def square_around(x: float, y: float, width: float, height: float) -> Square:
    """The smallest square around a rectangle, with the same centre."""
    side = max(width, height)
    return Square(x + (width - side) / 2, y + (height - side) / 2, side)


def around_face(box: Box) -> Square:
    """The crop that the model was trained with: 1.8 times the face box, moved up by 8 % of it."""
    left, top, right, bottom = box
    face = max(right - left, bottom - top)
    side = FACE_TO_CROP * face
    return Square((left + right - side) / 2, (top + bottom - side) / 2 - RAISED * face, side)


def around_faces(boxes: Sequence[Box]) -> Square:
    """One fixed crop for a whole clip: around the median face box, moved and widened if the face travels out of it.

    Args:
        boxes: of one face in several frames, at least one.
    """
    corners = np.asarray(boxes, np.float64)
    median = np.median(corners, axis=0)
    crop = around_face(_box(median))
    face = max(median[2] - median[0], median[3] - median[1])
    low, high = corners[:, :2].min(axis=0) - CLEARANCE * face, corners[:, 2:].max(axis=0) + CLEARANCE * face
    if low[0] >= crop.x and low[1] >= crop.y and high[0] <= crop.x + crop.side and high[1] <= crop.y + crop.side:
        return crop
    side = min(max(crop.side, float((high - low).max())), MAX_WIDENING * crop.side)
    middle = (low + high) / 2
    log.info("the face travels; the crop is widened to %.0f%%", 100 * side / crop.side)
    return Square(float(middle[0] - side / 2), float(middle[1] - side / 2 - RAISED * face), side)


def find_face(image: Image, finder: FindsFaces, *, near: Box | None = None) -> Box | None:
    """Box of the largest face, or of the one nearest to `near`; None if there is none.

    Small faces are below what the detector sees in a whole picture, so halves and thirds are searched after it.

    Args:
        image: uint8 (H, W, 3) RGB.
        finder: the detector.
        near: where the face was in another frame, pixels.
    """
    boxes = _search(image, finder)
    if not boxes:
        found = (_search_again(image, box, finder) for box in _ranked(_search_tiles(image, finder), near))
        return next((box for box in found if box is not None), None)
    best = _ranked(boxes, near)[0]
    if max(best[2] - best[0], best[3] - best[1]) > COARSE * max(image.shape[:2]):
        return best
    return _search_again(image, best, finder) or best


def frame_picture(image: Image, finder: FindsFaces, *, name: str) -> Square:
    """The crop of a single picture; the centre square, with a warning, when no face is found."""
    box = find_face(image, finder)
    if box is None:
        return _centre(image, name)
    return around_face(box)


def frame_clip(samples: Iterable[Image], finder: FindsFaces, *, name: str) -> Square:
    """One crop for a clip from a few of its frames, at least one and all of one size; the centre if none shows a face.

    The frames are looked at one by one and not kept.
    """
    boxes: list[Box] = []
    last: Image | None = None
    for last in samples:
        box = find_face(last, finder, near=boxes[-1] if boxes else None)
        if box is not None:
            boxes.append(box)
    if boxes:
        return around_faces(boxes)
    if last is None:
        raise ValueError(f"no frames of {name} to look at")
    return _centre(last, name)


def _centre(image: Image, name: str) -> Square:
    log.warning("no face was found in %s, so its centre is used; crop it to the face if that lies elsewhere", name)
    return centre_square(image.shape[1], image.shape[0])


def _search(image: Image, finder: FindsFaces, *, x: float = 0, y: float = 0) -> list[Box]:
    """Faces of a picture whose upper left corner lies at (x, y) of a larger one, in pixels of that."""
    small = images.fit(image, longest=SEARCH_SIDE)
    scale = image.shape[1] / small.shape[1]
    boxes = (_moved(face.box, scale, x, y) for face in finder.find(small))
    return [box for box in boxes if max(box[2] - box[0], box[3] - box[1]) >= SMALLEST_FACE]


def _search_tiles(image: Image, finder: FindsFaces) -> list[Box]:
    """Faces found in squares that overlap by half; smaller squares only if the larger show none."""
    height, width = image.shape[:2]
    for tiles in TILES:
        side = -(-min(height, width) // tiles)
        if side < SMALLEST_TILE:
            break
        corners = [(x, y) for y in _starts(height, side) for x in _starts(width, side)]
        cut = ((np.ascontiguousarray(image[y : y + side, x : x + side]), x, y) for x, y in corners)
        found = [box for tile, x, y in cut for box in _search(tile, finder, x=x, y=y)]
        if found:
            return found
    return []


def _search_again(image: Image, box: Box, finder: FindsFaces) -> Box | None:
    """The face found once more where a tile showed one, framed as it should be; None if that was no face."""
    square = around_face(box)
    side = max(images.MIN_SIDE, min(round(square.side), SEARCH_SIDE))
    framed = images.crop(image, square, size=side)
    boxes = [_moved(face.box, square.side / side, square.x, square.y) for face in finder.find(framed)]
    return _ranked(boxes, box)[0] if boxes else None


def _ranked(boxes: list[Box], near: Box | None) -> list[Box]:
    """The nearest to `near` first, or the largest first."""
    if near is None:
        return sorted(boxes, key=_area, reverse=True)
    return sorted(boxes, key=lambda box: _distance(box, near))


def _starts(length: int, side: int) -> list[int]:
    last = max(length - side, 0)
    count = 1 + -(-2 * last // side)
    return sorted({round(last * index / max(count - 1, 1)) for index in range(count)})


def _moved(box: Box, scale: float, x: float, y: float) -> Box:
    left, top, right, bottom = box
    return left * scale + x, top * scale + y, right * scale + x, bottom * scale + y


def _box(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Box:
    left, top, right, bottom = (float(value) for value in values)
    return left, top, right, bottom


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _distance(box: Box, other: Box) -> float:
    """Between the centres, squared."""
    return float((box[0] + box[2] - other[0] - other[2]) ** 2 + (box[1] + box[3] - other[1] - other[3]) ** 2)
