"""Which stretches of a video are clips to train on, who is who in them, and whom to leave for the measurement."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engines.training.identity import distance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""Left, top, right, bottom of a face; pixels."""

LEAST_S, MOST_S = 1.5, 12.0
"""Length of a clip."""
LONGEST_GAP_S = 0.25
"""So long a face may be missed within a clip."""
CUT = 0.12
"""Mean difference between the looks of two neighbouring frames that is a change of shot, of the whole range."""
DRIFT = 0.6
"""How far a face may travel within a clip, in sides of its first box."""
GROWTH = 1.4
"""How much its box may grow or shrink."""
SAME_PERSON = 0.5
"""Embeddings nearer than this are of one person; dlib's own threshold is 0.6."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """What was seen in one frame."""

    seconds: float
    box: Box | None
    """Of the face that is followed; None if there is none."""
    look: NDArray[np.uint8]
    """The whole frame, tiny."""


@dataclass(frozen=True)
class Segment:
    """A stretch with one face that stays about where it is."""

    start: float
    """Seconds of its first frame, and of its last."""
    stop: float
    boxes: tuple[Box, ...]


def segments(sightings: Iterable[Sighting]) -> list[Segment]:
    """Cut where the shot changes, the face is lost or travels away, and after the longest length.

    Args:
        sightings: of every frame, in order.
    """
    found: list[Segment] = []
    boxes: list[Box] = []
    start = stop = 0.0
    last: Sighting | None = None
    for seen in sightings:
        ends = last is not None and _is_cut(last, seen)
        ends = ends or seen.seconds - stop > LONGEST_GAP_S or seen.seconds - start > MOST_S
        if boxes and (ends or (seen.box is not None and _has_left(boxes[0], seen.box))):
            found.append(Segment(start, stop, tuple(boxes)))
            boxes = []
        if seen.box is not None:
            start = seen.seconds if not boxes else start
            stop = seen.seconds
            boxes.append(seen.box)
        last = seen
    if boxes:
        found.append(Segment(start, stop, tuple(boxes)))
    return [segment for segment in found if segment.stop - segment.start >= LEAST_S]


def people(embeddings: Sequence[NDArray[np.float32]]) -> list[int]:
    """A number for each embedding, the same for those that a chain of near ones connects.

    Args:
        embeddings: (128,) of each clip.
    """
    who = list(range(len(embeddings)))
    for index, one in enumerate(embeddings):
        for earlier in range(index):
            if who[earlier] != who[index] and distance(one, embeddings[earlier]) < SAME_PERSON:
                old, new = who[index], who[earlier]
                who = [new if person == old else person for person in who]
    return who


def held_out(identities: Sequence[str], *, share: float, seed: int = 0) -> set[str]:
    """Whole people for the measurement, until they make up the wanted share of the clips; never all of them.

    Args:
        identities: of each clip.
        share: of the clips, in (0, 1).
        seed: of the choice.

    Returns:
        Empty if everything shows one person.
    """
    clips = Counter(identities)
    order = sorted(clips)
    random.Random(seed).shuffle(order)
    order.sort(key=clips.__getitem__)  # people of few clips first: the others are worth more in training
    chosen: set[str] = set()
    taken = 0
    for person in order[:-1]:
        if taken >= share * len(identities):
            break
        chosen.add(person)
        taken += clips[person]
    return chosen


def _is_cut(last: Sighting, seen: Sighting) -> bool:
    apart = np.abs(seen.look.astype(np.int16) - last.look).mean() / 255
    return bool(apart > CUT)


def _has_left(first: Box, box: Box) -> bool:
    side, now = (max(right - left, bottom - top) for left, top, right, bottom in (first, box))
    if not 1 / GROWTH < now / side < GROWTH:
        return True
    away = max(abs(box[low] + box[low + 2] - first[low] - first[low + 2]) / 2 for low in (0, 1))
    return away > DRIFT * side
