"""Choosing the first motion, and judging the driver's pose."""

from __future__ import annotations

import numpy as np
import pytest

from puppet.calibration import AUTO_S, Calibrator, FaceState, FaceWatch, judge
from puppet.types import Motion

SHAPE = np.array([[-0.3, -0.2], [0.3, -0.2], [0.0, 0.0], [0.0, 0.3]], np.float32)


def pose(turn: float = 0.0, *, x: float = 0.0, y: float = 0.0, size: float = 1.0) -> Motion:
    """A head whose nose points to one side: the inner part moves against the others."""
    shift = SHAPE.copy()
    shift[2, 0] += turn
    shift = shift * np.float32(size) + np.array([x, y], np.float32)
    return Motion(shift, np.broadcast_to(np.eye(2, dtype=np.float32), (4, 2, 2)).copy())


BROKEN = Motion(np.full((4, 2), np.nan, np.float32), pose().affine)


def choices(calibrator: Calibrator, motions: list[Motion], *, start: float = 0.0, is_auto: bool = False) -> list[int]:
    """Numbers of the motions at which something was chosen, 20 a second."""
    return [
        index
        for index, motion in enumerate(motions)
        if calibrator.choose(motion, pose(), start + index / 20, is_auto=is_auto) is not None
    ]


def test_the_first_usable_motion_is_taken_and_no_other():
    assert choices(Calibrator(), [BROKEN, BROKEN, pose(0.1), pose(0.0)]) == [2]


def test_asking_takes_the_next_one():
    calibrator = Calibrator()
    choices(calibrator, [pose()])
    calibrator.ask()

    assert choices(calibrator, [BROKEN, pose(0.2), pose(0.1)], start=5) == [1]


def test_a_search_takes_the_motion_nearest_to_the_avatar_when_its_time_is_up():
    calibrator = Calibrator()
    choices(calibrator, [pose(0.3)])
    calibrator.search(until=2.0)
    best = pose(0.02)
    moments = [(pose(0.3), 1.0), (best, 1.2), (BROKEN, 1.4), (pose(0.1), 1.6)]

    assert all(calibrator.choose(motion, pose(), at, is_auto=True) is None for motion, at in moments)
    assert calibrator.is_searching
    assert calibrator.choose(pose(0.2), pose(), 2.0, is_auto=True) is best
    assert not calibrator.is_searching


def test_by_itself_it_takes_a_steady_moment_nearer_to_the_avatar_once():
    motions = [pose(0.3)] * 5 + [pose(0.05)] * 30

    chosen = choices(Calibrator(), motions, is_auto=True)
    assert len(chosen) == 2
    assert 5 < chosen[1] < 20
    assert choices(Calibrator(), motions, is_auto=False) == [0]


def test_it_does_not_take_a_moment_of_movement_or_one_that_comes_too_late():
    wild = [pose(0.3)] + [pose(0.05 * (index % 3)) for index in range(40)]
    calibrator = Calibrator()

    assert choices(calibrator, wild, is_auto=True) == [0]
    assert choices(calibrator, [pose(0.02)] * 40, start=AUTO_S + 5, is_auto=True) == []


@pytest.mark.parametrize(
    ("driving", "kind"),
    [
        (pose(), "seen"),
        (pose(0.05, x=0.2), "seen"),
        (pose(x=0.9), "left"),
        (pose(y=-0.8), "left"),
        (pose(size=0.4), "left"),
        (pose(size=2.5), "left"),
        (Motion(SHAPE[[1, 0, 3, 2]], pose().affine), "drifted"),
        (BROKEN, "left"),
    ],
)
def test_the_drivers_pose_is_judged(driving, kind):
    state = judge(driving, first=pose(), avatar=pose(0.1))

    assert state.kind == kind
    assert (state.sentence is None) is (kind == "seen")


def followed(kinds: str) -> str:
    """Initials of what is shown, when these are judged, eight a second."""
    names = {kind[0]: kind for kind in ("seen", "left", "drifted", "unknown")}
    watch = FaceWatch()
    return "".join(watch.follow(FaceState(names[kind]), index / 8).kind[0] for index, kind in enumerate(kinds))


def test_a_face_that_flickers_between_lost_and_found_stays_found():
    assert followed("s" * 5 + "lsldslds" * 5) == "s" * 45


def test_a_face_is_lost_once_that_lasts_and_found_sooner():
    assert followed("s" + "l" * 12 + "s" * 8) == "s" * 8 + "l" * 9 + "s" * 4


def test_no_driver_is_no_news_to_wait_for():
    assert followed("sssuuull") == "sssuuull"


def test_later_it_takes_only_a_much_better_moment_and_only_if_wanted():
    for is_lasting, turn, expected in ((False, 0.05, 0), (True, 0.2, 0), (True, 0.05, 1)):
        calibrator = Calibrator()
        choices(calibrator, [pose(0.3)])

        late = [
            calibrator.choose(pose(turn), pose(), 60 + index / 20, is_auto=True, is_lasting=is_lasting)
            for index in range(40)
        ]
        assert sum(motion is not None for motion in late) == expected


def test_what_comes_by_itself_is_gentle_and_what_is_asked_for_is_not():
    calibrator = Calibrator()
    calibrator.choose(pose(0.3), pose(), 0.0, is_auto=True)
    assert not calibrator.is_gentle

    for index in range(1, 40):
        if calibrator.choose(pose(0.05), pose(), index / 20, is_auto=True) is not None:
            break
    assert calibrator.is_gentle
