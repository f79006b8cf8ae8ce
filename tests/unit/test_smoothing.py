"""Trembling falls, movements pass: on made-up trajectories, with such noise as the bundled model reads off a webcam."""

from __future__ import annotations

import numpy as np
import pytest

from puppet.settings import CameraSettings
from puppet.smoothing import Smoother
from puppet.types import Motion
from tools.check_smoothing import PARTS, RATE, delay, noise, smoothed, turn

DEFAULT = CameraSettings().smoothing


def test_at_rest_the_tremor_falls_to_a_fifth_or_less(rng):
    trembling = noise(10 * RATE, rng)

    calm = smoothed(trembling, DEFAULT)

    after = slice(RATE, None)
    for columns in (slice(2), slice(2, 6)):  # shifts, affines
        assert np.std(calm[after, :, columns], axis=0).mean() < np.std(trembling[after, :, columns], axis=0).mean() / 5


@pytest.mark.parametrize(("seconds", "way"), [(0.3, 0.5), (0.5, 0.5), (1.0, 0.5), (0.5, 0.15)])
@pytest.mark.parametrize("amount", [0.2, DEFAULT, 1.0])
def test_a_quick_turn_lags_under_one_frame(rng, amount, seconds, way):
    true = turn(3 * RATE, seconds=seconds, way=way)
    driven = noise(3 * RATE, rng)
    driven[:, :, 0] += true[:, None]

    followed = smoothed(driven, amount)

    assert max(delay(true, followed[:, part, 0]) for part in range(PARTS)) < 1


def test_a_blink_of_one_part_alone_passes(rng):
    driven = noise(3 * RATE, rng)
    blink = np.array([0.1, 0.25, 0.3, 0.2, 0.1])
    driven[40:45, 4, 5] += blink

    assert smoothed(driven, DEFAULT)[38:48, 4, 5].max() > 0.85 * blink.max()


def test_what_rests_does_not_move_at_all_and_what_left_is_followed(rng):
    driven = noise(6 * RATE, rng)
    driven[3 * RATE :, :, 0] += 0.1

    calm = smoothed(driven, DEFAULT)

    assert np.abs(np.diff(calm[2 * RATE : 3 * RATE], axis=0)).max() < 1e-6
    np.testing.assert_allclose(calm[-1, :, 0], 0.1, atol=0.008)


def test_a_slow_drift_is_followed_without_stops_and_jumps():
    driven = np.zeros((6 * RATE, PARTS, 6))
    driven[:, :, 0] = 0.02 * np.arange(6 * RATE)[:, None] / RATE

    steps = np.diff(smoothed(driven, DEFAULT)[2 * RATE :, 0, 0])

    assert steps.min() > 0
    assert steps.max() < 3 * 0.02 / RATE  # a quarter of a pixel of 256


def test_no_smoothing_gives_the_motion_itself_and_a_gap_starts_afresh():
    smoother = Smoother()
    rest, moved = (Motion(np.full((2, 2), x, np.float32), np.stack([np.eye(2, dtype=np.float32)] * 2)) for x in (0, 1))
    smoother.smooth(rest, 0.0, 0.0)

    assert smoother.smooth(moved, 0.03, 0.0) is moved
    assert smoother.smooth(rest, 5.0, 1.0) is rest
    smoother.reset()
    assert smoother.smooth(moved, 5.03, 1.0) is moved
