"""Videos are cut where a clip must end, and people are told apart and kept apart."""

from __future__ import annotations

import numpy as np
import pytest

from engines.training.footage import Box, Segment, Sighting, held_out, people, segments

FACE: Box = (100, 100, 200, 220)
RATE = 25


def sightings(seconds: float, *, start: float = 0.0, box: Box | None = FACE, grey: int = 90) -> list[Sighting]:
    """A face that stays where it is."""
    look = np.full((18, 32, 3), grey, np.uint8)
    return [Sighting(start + index / RATE, box, look) for index in range(round(seconds * RATE))]


def spans(found: list[Segment]) -> list[tuple[float, float]]:
    return [(round(segment.start, 2), round(segment.stop, 2)) for segment in found]


def test_a_change_of_shot_ends_a_clip() -> None:
    found = segments(sightings(2) + sightings(2, start=2, grey=200))

    assert spans(found) == [(0.0, 1.96), (2.0, 3.96)]


def test_a_face_may_be_missed_for_a_moment_and_not_for_long() -> None:
    moment = sightings(2) + sightings(0.16, start=2, box=None) + sightings(2, start=2.16)
    long = sightings(2) + sightings(0.4, start=2, box=None) + sightings(2, start=2.4)

    assert spans(segments(moment)) == [(0.0, 4.12)]
    assert spans(segments(long)) == [(0.0, 1.96), (2.4, 4.36)]


@pytest.mark.parametrize("moved", [(180, 100, 280, 220), (60, 50, 240, 290)], ids=["away", "nearer"])
def test_a_face_that_leaves_its_place_or_size_ends_a_clip(moved: Box) -> None:
    assert len(segments(sightings(2) + sightings(2, start=2, box=moved))) == 2


def test_short_stretches_are_dropped_and_long_ones_divided() -> None:
    assert segments(sightings(1.2)) == []
    assert [round(stop - start) for start, stop in spans(segments(sightings(26)))] == [12, 12, 2]


def test_near_embeddings_are_one_person_even_by_a_chain() -> None:
    line = np.zeros((4, 128), np.float32)
    line[:, 0] = [0.0, 0.8, 0.4, 3.0]

    first, second, between, far = people(list(line))

    assert first == second == between != far


def test_people_are_kept_whole_for_the_measurement_and_never_all() -> None:
    who = ["anna"] * 8 + ["berta"] * 2 + ["carl"] * 10

    assert held_out(who, share=0.1) == {"berta"}
    assert held_out(who, share=0.9) == {"berta", "anna"}
    assert held_out(["anna"] * 5, share=0.5) == set()
