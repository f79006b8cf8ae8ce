"""Sources that stand for a camera: a looped video, the performance, and the clock in the pixels."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from puppet import images
from puppet.errors import SourceError
from puppet.sources.base import Performed
from puppet.sources.looped import LoopedVideo
from puppet.sources.performed import Performance
from puppet.sources.synthetic import ClockSource, read_clock, write_clock
from tests.media import brightening, write_video

NEVER = threading.Event()


def test_a_video_is_played_in_real_time_over_and_over(tmp_path):
    source = LoopedVideo(write_video(tmp_path / "clip.mp4", brightening(4), rate=50))
    began = time.perf_counter()
    mode = source.open()
    frames = [source.read(NEVER) for _ in range(10)]
    source.close()
    source.close()

    assert (mode.width, mode.height, mode.fps) == (64, 64, 50)
    assert [frame.index for frame in frames] == list(range(10))
    levels = [float(frame.image.mean()) for frame in frames]
    np.testing.assert_allclose(levels[:4], [20, 24, 28, 32], atol=2)
    np.testing.assert_allclose(levels[4:8], levels[:4], atol=1)
    assert frames[9].captured_at - began >= 9 / 50 - 0.01  # the first may come late


def test_a_missing_video_is_said_at_once(tmp_path):
    with pytest.raises(SourceError, match="no video at"):
        LoopedVideo(tmp_path / "none.mp4")


def test_waiting_ends_when_it_is_told_to_stop(tmp_path):
    stopping = threading.Event()
    stopping.set()
    video = LoopedVideo(write_video(tmp_path / "clip.mp4", brightening(2), rate=1))
    sources = [video, Performance(fps=0.1), ClockSource(width=64, height=64, fps=0.1)]
    for source in sources:
        source.open()
        source.read(NEVER)

        assert source.read(stopping) is None
        assert source.notice() is None
        source.close()


def test_the_performance_gives_poses_that_go_on_in_time():
    source = Performance(fps=200)
    source.open()
    frames = [source.read(NEVER) for _ in range(5)]

    assert all(isinstance(frame, Performed) for frame in frames)
    assert [frame.index for frame in frames] == list(range(5))
    assert len({frame.pose for frame in frames}) > 1


@pytest.mark.parametrize("seconds", [0.0, 1.23456, 40_000.5, 42_949.7, 1e6])
@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (720, 1280)])
def test_the_clock_can_be_read_off_the_pixels(rng, seconds, size):
    image = rng.integers(0, 255, (size[1], size[0], 3), np.uint8)
    write_clock(image, seconds)

    for late in (0, 0.4):
        assert read_clock(image, seconds + late) == pytest.approx(seconds, abs=1e-5)


def test_the_clock_survives_scaling_and_noise_and_is_not_seen_where_there_is_none(rng):
    image = np.full((720, 720, 3), 120, np.uint8)
    assert read_clock(image, 13) is None
    write_clock(image, 12.5)
    small = images.resize(image, width=256, height=256)
    noisy = np.clip(small + rng.normal(0, 15, small.shape), 0, 255).astype(np.uint8)

    assert read_clock(images.resize(noisy, width=720, height=720), 13) == pytest.approx(12.5)
    image[300:420] = 255 - image[300:420]
    assert read_clock(image, 13) is None
