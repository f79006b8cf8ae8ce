"""An avatar of several views: which frames of a clip become views, and which view is shown when."""

from __future__ import annotations

import numpy as np
import pytest

from puppet.types import Motion
from puppet.views import FADE_S, LEAST_APART, MOST, ViewSwitch, choose_views

REST = np.array([[-0.3, -0.2], [0.3, -0.2], [0.0, 0.1], [0.0, 0.4]], np.float32)


def posed(mouth: float = 0.0, *, x: float = 0.0, size: float = 1.0) -> Motion:
    """Four parts, the lowest one pulled down, the whole moved and scaled."""
    shift = REST.copy()
    shift[3, 1] += mouth
    return Motion(size * shift + np.float32([x, 0]), np.stack([np.eye(2, dtype=np.float32)] * 4))


def test_the_ordinary_pose_comes_first_and_then_what_differs_most() -> None:
    motions = [posed(0.4), *[posed(0.01 * index) for index in range(5)], posed(-0.2)]

    chosen = choose_views(motions)

    assert 1 <= chosen[0] <= 5
    assert chosen[1:3] == [0, 6]


def test_views_that_add_nothing_are_left_out_and_there_is_a_most() -> None:
    assert len(choose_views([posed(x=0.02 * index, size=1 + 0.1 * index) for index in range(20)])) == 1
    assert len(choose_views([posed(0.2 * index) for index in range(20)])) == MOST
    assert LEAST_APART > 0


def test_unusable_frames_are_never_chosen() -> None:
    broken = Motion(np.full((4, 2), np.nan, np.float32), posed().affine)

    assert choose_views([broken, posed(), broken, posed(0.5)]) == [1, 3]
    assert choose_views([broken]) == []


def test_a_nearer_view_fades_in_and_stays() -> None:
    switch = ViewSwitch([posed(), posed(0.5)])

    assert switch.follow(posed(0.05), 0.0) == (0, None, 1.0)
    assert switch.follow(posed(0.45), FADE_S / 4) == (1, 0, pytest.approx(0.25))
    assert switch.follow(posed(0.45), FADE_S / 2) == (1, 0, pytest.approx(0.5))
    assert switch.follow(posed(0.45), 2 * FADE_S) == (1, None, 1.0)


def test_after_a_pause_the_nearer_view_is_shown_at_once() -> None:
    switch = ViewSwitch([posed(), posed(0.5)])
    switch.follow(posed(), 0.0)

    assert switch.follow(posed(0.5), 1.0) == (1, None, 1.0)


def test_no_view_flutters_where_two_are_about_equally_near() -> None:
    switch = ViewSwitch([posed(), posed(0.5)])
    slowly = 0.25 - 0.25 * np.cos(np.linspace(0, 2 * np.pi, 400))
    tremor = np.where(np.arange(400) % 2, 0.02, -0.02)

    seen = [switch.follow(posed(mouth), 0.2 * index).now for index, mouth in enumerate(slowly + tremor)]

    assert np.count_nonzero(np.diff(seen)) == 2


def test_place_and_size_of_the_head_do_not_choose_the_view() -> None:
    switch = ViewSwitch([posed(), posed(0.5)])

    assert switch.follow(posed(0.02, x=0.4, size=0.6), 0.0).now == 0
