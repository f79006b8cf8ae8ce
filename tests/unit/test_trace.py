"""Which curves tell about motion, and their values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from puppet import trace
from puppet.types import Frame, Motion, Rendered

PLACES = np.array([[-0.3, 0], [0.3, 0], [0, 0.4]], np.float32)
STILL = np.broadcast_to(np.eye(2, dtype=np.float32), (3, 2, 2)).copy()
REST = Motion(PLACES, STILL)


def moved(x: float = 0.0, y: float = 0.0, affine: np.ndarray = STILL) -> Motion:
    return Motion(PLACES + np.array([x, y], np.float32), np.broadcast_to(affine, (3, 2, 2)).astype(np.float32))


def rendered(driver: Motion, avatar: Motion, *, first: Motion | None = REST) -> Rendered:
    image = np.zeros((8, 8, 3), np.uint8)
    return Rendered(image, Frame(image, 0, 0.0), driver, avatar, first=first, rest=REST)


def values(number: int, *arguments: Motion | None, **changes: Motion) -> list[float]:
    """Of one plot's curves, for the first part."""
    measured = trace.measure(rendered(*arguments[:2]), *arguments[2:])
    return measured[trace.of_plot(number)][:, 0].tolist()


def test_ways_are_the_drivers_and_the_avatars_since_the_reference():
    driver, avatar = moved(0.1, 0.2), moved(0.05, 0.15)

    assert values(0, driver, avatar) == pytest.approx([0.1, 0.05])
    assert values(1, driver, avatar) == pytest.approx([0.2, 0.15])


def test_the_filter_is_shown_by_what_goes_in_beside_what_comes_out():
    assert values(2, moved(y=0.2), REST, moved(y=0.3)) == pytest.approx([0.3, 0.2])
    assert values(2, moved(y=0.2), REST, None) == pytest.approx([0.2, 0.2])


def test_affines_are_stretches_either_way_and_turns():
    angle = np.radians(10)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    driver, avatar = moved(affine=turn @ np.diag([1.5, 0.8])), moved(affine=turn)

    assert values(3, driver, avatar) == pytest.approx([1.5, 0.8, 1, 1], abs=1e-5)
    assert values(4, REST, avatar) == pytest.approx([0, 10], abs=1e-4)


def test_the_distance_is_zero_at_the_reference_and_grows_with_an_expression():
    open_mouth = replace(REST, shift=PLACES + np.array([[0, 0], [0, 0], [0, 0.2]], np.float32))

    assert values(5, moved(0.3), REST) == pytest.approx([0], abs=1e-6)
    assert values(5, open_mouth, REST)[0] > 0.1


def test_singular_values_are_those_of_numpy(rng):
    affine = rng.normal(size=(3, 2, 2)).astype(np.float32)
    expected = np.linalg.svd(affine, compute_uv=False)

    measured = trace.measure(rendered(replace(REST, affine=affine), REST))[trace.of_plot(3)]

    np.testing.assert_allclose(measured[:2].T, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("first", [None, REST])
def test_without_a_reference_or_a_usable_motion_there_is_nothing(first):
    broken = replace(REST, shift=np.full((3, 2), np.nan, np.float32))

    assert (trace.measure(rendered(REST, REST, first=first)) is None) == (first is None)
    assert trace.measure(rendered(REST, REST, first=first), broken) is None


def test_every_curve_has_a_row_and_few_parts_are_shown_at_first():
    assert len(trace.measure(rendered(REST, REST))) == trace.CURVES == sum(len(plot.curves) for plot in trace.PLOTS)
    assert trace.few(("hair", "chin", "ear", "nose")) == (1, 3)
    assert trace.few(("part_1", "part_2")) == (0, 1)


@pytest.mark.parametrize("is_dark", [False, True])
@pytest.mark.parametrize("count", [0, 1, 5, 17])
def test_colours_differ_and_stand_out_from_the_ground(count, is_dark):
    colours = trace.colours(count, is_dark=is_dark)

    assert len({tuple(colour) for colour in colours.tolist()}) == count
    ground = 36.0 if is_dark else 255.0
    assert all(abs(colour.mean() - ground) > 60 for colour in colours)
