"""To rest and back, and from one reference to another."""

from __future__ import annotations

import numpy as np
import pytest

from puppet.easing import GLIDE_S, Glide, Rest, mix
from puppet.types import Motion

RATE = 30


def at(x: float, *, masks: float | None = None) -> Motion:
    affine = np.stack([np.eye(2, dtype=np.float32)] * 3)
    planes = None if masks is None else np.full((4, 8, 8), masks, np.float32)
    return Motion(np.full((3, 2), x, np.float32), affine, planes)


REST, POSE = at(0.0), at(0.4)
BROKEN = Motion(np.full((3, 2), np.nan, np.float32), REST.affine)


def shown(rest: Rest, motions: list[tuple[Motion, bool]], *, start: float = 0.0) -> list[float]:
    """Where the first part is, 30 times a second."""
    return [
        float(rest.follow(motion, REST, is_lost=is_lost, now=start + index / RATE).shift[0, 0])
        for index, (motion, is_lost) in enumerate(motions)
    ]


def test_a_lost_face_is_at_rest_within_a_second_and_gently():
    rest = Rest()
    shown(rest, [(POSE, False)] * 10)

    places = shown(rest, [(POSE, True)] * RATE, start=10 / RATE)

    assert places[0] == pytest.approx(0.4)
    assert places[-1] == pytest.approx(0, abs=1e-6)
    assert np.abs(np.diff(places)).max() < 0.04  # of 0.4: no jump
    assert np.diff(places).max() <= 1e-6


def test_it_follows_again_by_itself():
    rest = Rest()
    shown(rest, [(POSE, True)] * 2 * RATE)

    places = shown(rest, [(POSE, False)] * RATE, start=2)

    assert places[0] < 0.05
    assert places[-1] == pytest.approx(0.4)


def test_one_odd_frame_is_no_loss():
    places = shown(Rest(), [(POSE, index % 7 == 0) for index in range(60)])

    np.testing.assert_allclose(places, 0.4, atol=1e-6)


def test_what_cannot_be_read_eases_from_the_last_pose():
    rest = Rest()
    shown(rest, [(POSE, False)] * 5)

    places = shown(rest, [(BROKEN, True)] * RATE, start=5 / RATE)

    seen = np.array(places)[~np.isnan(places)]  # at first the puppeteer holds its last
    assert seen[0] == pytest.approx(0.4, abs=0.02)
    assert seen[-1] == pytest.approx(0, abs=1e-6)


def test_mixing_is_exact_at_its_ends_and_straight_between():
    start, end = at(0.0, masks=1.0), at(1.0, masks=0.0)

    assert mix(start, end, 0) is start
    assert mix(start, end, 1) is end
    middle = mix(start, end, 0.25)
    assert (middle.shift[0, 0], middle.segmentation[0, 0, 0]) == (0.25, 0.75)


def test_a_glide_arrives_without_a_jump():
    glide = Glide(REST, POSE, now=5.0)

    places = [float(glide.at(5 + index / RATE)[0].shift[0, 0]) for index in range(RATE)]

    assert places[0] == 0
    assert places[-1] == pytest.approx(0.4)
    assert np.diff(places).max() < 0.03
    assert [glide.at(5 + GLIDE_S * share)[1] for share in (0.0, 0.99, 1.01)] == [False, False, True]
