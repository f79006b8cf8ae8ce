"""Times and rates, summed up."""

from __future__ import annotations

import numpy as np
import pytest

from puppet.stats import Rate, StageTimes, Summary


def test_a_summary_holds_percentiles_mean_and_rate():
    summary = Summary.of(np.arange(1, 102) / 1000)

    assert (summary.count, summary.mean) == (101, pytest.approx(0.051))
    assert [summary.p50, summary.p90, summary.p99] == pytest.approx([0.051, 0.091, 0.1])
    assert summary.fps == pytest.approx(1 / 0.051)


def test_no_times_make_no_summary():
    with pytest.raises(ValueError, match="no times"):
        Summary.of([])


def test_stages_keep_the_order_in_which_they_came_and_their_own_counts():
    times = StageTimes()
    times.add({"segmenter": 0.1, "motion": 0.2})
    times.add({"motion": 0.4, "generator": 0.3})

    summaries = times.summaries()

    assert {stage: summary.count for stage, summary in summaries.items()} == {
        "segmenter": 1,
        "motion": 2,
        "generator": 1,
    }
    assert list(summaries) == ["segmenter", "motion", "generator"]
    assert summaries["motion"].mean == pytest.approx(0.3)


def test_a_window_forgets_the_oldest():
    times = StageTimes(window=2)
    for seconds in (9.0, 1.0, 3.0):
        times.add({"frame": seconds})

    assert times.summaries()["frame"].mean == pytest.approx(2)


def test_a_rate_is_that_of_the_latest_times():
    rate = Rate(window=3)
    for now in (0.0, 5.0, 5.1, 5.2):
        rate.tick(now)

    assert rate.at(5.25) == pytest.approx(10)


def test_a_rate_falls_when_nothing_happens_any_more():
    rate = Rate()
    for now in (0.0, 0.1, 0.2):
        rate.tick(now)

    assert rate.at(4.2) == pytest.approx(0.25)


def test_a_rate_of_one_time_is_zero():
    rate = Rate()
    rate.tick(1.0)

    assert rate.at(1.0) == 0
