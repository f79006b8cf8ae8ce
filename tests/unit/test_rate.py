"""How often something happens."""

from __future__ import annotations

import pytest

from puppet.stats import Rate


def test_a_steady_rate_is_measured_over_the_latest_times():
    rate = Rate(window=10)
    for index in range(50):
        rate.tick(index / (10 if index < 40 else 10.0001))

    assert rate.at(4.9) == pytest.approx(10, rel=0.01)


def test_it_falls_when_nothing_comes_any_more():
    rate = Rate()
    for index in range(10):
        rate.tick(index / 30)

    assert rate.at(9 / 30 + 2) == pytest.approx(0.5)
    assert Rate().at(1.0) == 0


def test_after_a_pause_only_what_came_since_counts():
    rate = Rate()
    for start in (0.0, 100.0):
        for index in range(10):
            rate.tick(start + index / 30)

    assert rate.at(100 + 9 / 30) == pytest.approx(30)
