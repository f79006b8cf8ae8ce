"""A steady rate that leans towards the arrivals, run on invented clocks."""

from __future__ import annotations

import numpy as np
import pytest

from puppet.pacing import Pacer, Ticks

PERIOD = 1 / 30


def run(arrivals: np.ndarray, *, seconds: float) -> list[tuple[float, float | None]]:
    """Times at which pictures go out, each with the time at which it came; None for a repeated one."""
    pacer, now, shown, waiting = Pacer(PERIOD, 0.0), 0.0, [], None
    arrivals = list(arrivals)
    while now < seconds:
        wait = pacer.wait(now, is_new=waiting is not None)
        if arrivals and arrivals[0] <= now + wait:
            now = max(now, arrivals[0])
            waiting = arrivals.pop(0)
            wait = pacer.wait(now, is_new=True)
            if wait > 0:
                continue
        now += wait
        pacer.advance(now, is_new=waiting is not None)
        shown.append((now, waiting))
        waiting = None
    return shown


def test_pictures_of_the_same_rate_go_out_as_they_come(rng):
    arrivals = np.arange(0.011, 20, PERIOD) + rng.normal(0, 0.002, 600)
    shown = run(np.sort(arrivals), seconds=20)

    delays = [out - came for out, came in shown[60:] if came is not None]  # after it has found the arrivals
    assert len(delays) >= 535
    assert np.percentile(delays, 99) < 1e-6


def test_a_picture_that_comes_late_holds_up_none_of_those_after_it(rng):
    arrivals = np.arange(0.004, 30, PERIOD)
    arrivals += np.where(rng.random(len(arrivals)) < 0.03, rng.uniform(0, 0.03, len(arrivals)), 0)
    shown = run(np.sort(arrivals), seconds=30)

    delays = [out - came for out, came in shown if came is not None]
    assert len(delays) >= len(arrivals) - 2
    assert np.percentile(delays, 99) < 1e-6
    assert len(shown) / 30 == pytest.approx(30, rel=0.02)


@pytest.mark.parametrize("fps", [20, 24, 25, 28, 29])
def test_pictures_of_a_slower_source_go_out_as_they_come(fps):
    shown = run(np.arange(0.004, 30, 1 / fps), seconds=30)

    assert max(out - came for out, came in shown[10:] if came is not None) < 1e-6


@pytest.mark.parametrize("fps", [7, 12, 20, 24, 29, 31, 60])
def test_the_rate_is_constant_whatever_comes(fps):
    shown = run(np.arange(0.004, 30, 1 / fps), seconds=30)
    times = np.array([out for out, _ in shown])

    assert len(times) / 30 == pytest.approx(30, rel=0.04)
    assert np.diff(times).max() < 2.25 * PERIOD


def test_nothing_new_means_the_last_one_again():
    shown = run(np.array([]), seconds=10)

    assert len(shown) == pytest.approx(300, abs=2)
    assert all(came is None for _, came in shown)


def test_a_newer_picture_is_never_older_than_a_period_when_it_goes_out():
    shown = run(np.arange(0.004, 20, 1 / 19), seconds=20)

    assert max(out - came for out, came in shown if came is not None) <= PERIOD


def test_coming_late_skips_what_cannot_be_made_up_for():
    pacer = Pacer(PERIOD, 0.0)
    pacer.advance(1.0, is_new=True)

    assert pacer.skipped >= 28
    assert pacer.wait(1.0, is_new=False) > 0


def test_a_source_that_was_held_up_does_not_hurry():
    ticks = Ticks(0.1, 0.0)
    assert ticks.wait(0.0) == 0
    assert ticks.wait(0.02) == pytest.approx(0.08)

    assert ticks.wait(5.0) == 0
    assert ticks.wait(5.0) == pytest.approx(0.1)
