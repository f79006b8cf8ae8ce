"""Video files as a sink: times, sound and colours kept, in place at once or not at all."""

from __future__ import annotations

import errno
import resource
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from puppet.errors import SinkError
from puppet.sinks.rescue import rescue
from puppet.sinks.video_file import VideoFileSink
from puppet.sources.video_file import Clip, VideoFile
from tests.media import brightening, flat, stream_info, write_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KIND = "trainedAlgorithmicMedia"
CLIP = Clip(rate=Fraction(25), time_base=Fraction(1, 12_800), frames=None)


@contextmanager
def disk_full_after(count: int) -> Iterator[None]:
    """The system itself refuses to let a file grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fill(target: Path, rng: np.random.Generator, *, force: bool = False) -> None:
    """Write what hardly shrinks: four seconds, about half a megabyte each."""
    with VideoFileSink(target, CLIP, force=force, preset="ultrafast") as sink:
        for index in range(100):
            sink.write(rng.integers(0, 255, (128, 192, 3), np.uint8), index / 25)


def copy(source: Path, target: Path) -> None:
    video = VideoFile(source)
    with VideoFileSink(target, video.clip) as sink:
        for frame in video.frames():
            sink.write(frame.image, frame.captured_at)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_stream_is_h264_with_its_colours_named(tmp_path: Path, suffix: str) -> None:
    copy(write_video(tmp_path / "in.mp4", brightening(20)), tmp_path / f"out.{suffix}")

    info = stream_info(tmp_path / f"out.{suffix}")

    assert (info["codec"], info["pix_fmt"], info["size"], info["rate"]) == ("h264", "yuv420p", (64, 64), 25)
    assert info["colours"] == (1, 1, 1, 1)  # BT.709 three times, limited range
    np.testing.assert_allclose(info["times"], np.arange(20) / 25, atol=1e-3)


def test_colours_survive_writing_and_reading_to_three_levels(tmp_path: Path, rng: np.random.Generator) -> None:
    colours = [*rng.integers(0, 256, (40, 3)), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)]
    with VideoFileSink(tmp_path / "a.mp4", CLIP) as sink:
        for index, colour in enumerate(colours):
            sink.write(flat(*map(int, colour)), index / 25)

    for frame, colour in zip(VideoFile(tmp_path / "a.mp4").frames(), colours, strict=True):
        np.testing.assert_allclose(frame.image[8:-8, 8:-8].astype(int).mean(axis=(0, 1)), colour, atol=3)


@pytest.mark.parametrize("rate", [Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(50)])
def test_rate_is_kept_exactly(tmp_path: Path, rate: Fraction) -> None:
    clip = Clip(rate=rate, time_base=1 / rate / 512, frames=None)
    with VideoFileSink(tmp_path / "a.mp4", clip) as sink:
        for index, picture in enumerate(brightening(40)):
            sink.write(picture, float(index / rate))

    assert stream_info(tmp_path / "a.mp4")["rate"] == rate


def test_variable_times_are_kept(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.2, 0.21, 0.5, 0.9]
    copy(write_video(tmp_path / "in.mp4", brightening(6), times=times), tmp_path / "out.mp4")

    np.testing.assert_allclose(stream_info(tmp_path / "out.mp4")["times"], times, atol=1e-4)


def test_pictures_at_one_time_are_all_kept(tmp_path: Path) -> None:
    with VideoFileSink(tmp_path / "a.mp4", CLIP) as sink:
        for picture in brightening(5):
            sink.write(picture, 0.0)

    assert len(stream_info(tmp_path / "a.mp4")["times"]) == 5


@pytest.mark.parametrize(
    ("source", "codec", "target", "expected"),
    [
        ("in.mp4", "aac", "out.mp4", "aac"),
        ("in.mp4", "libmp3lame", "out.mp4", "mp3"),
        ("in.mkv", "libopus", "out.mp4", "opus"),
        ("in.mkv", "pcm_s16le", "out.mp4", "aac"),
        ("in.mkv", "pcm_s16le", "out.mkv", "pcm_s16le"),
        ("in.mkv", "pcm_s16le", "out.mov", "pcm_s16le"),
    ],
)
def test_sound_is_carried_over(tmp_path: Path, source: str, codec: str, target: str, expected: str) -> None:
    copy(write_video(tmp_path / source, brightening(50), sound=codec), tmp_path / target)

    info = stream_info(tmp_path / target)

    assert info["sound"] == expected
    assert info["sound_seconds"] == pytest.approx(2.0, abs=0.06)


def test_interrupted_video_has_sound_up_to_its_last_picture(tmp_path: Path) -> None:
    video = VideoFile(write_video(tmp_path / "in.mp4", brightening(50), sound="aac"))
    with VideoFileSink(tmp_path / "out.mp4", video.clip) as sink:
        for frame in video.frames():
            sink.write(frame.image, frame.captured_at)
            if frame.index == 24:
                sink.close(complete=False)
                break

    info = stream_info(tmp_path / "out.mp4")
    assert len(info["times"]) == 25
    assert info["sound_seconds"] == pytest.approx(1.0, abs=0.06)


def test_odd_sizes_are_padded(tmp_path: Path) -> None:
    with VideoFileSink(tmp_path / "a.mp4", CLIP) as sink:
        sink.write(flat(9, 9, 9, width=33, height=17), 0.0)

    assert stream_info(tmp_path / "a.mp4")["size"] == (34, 18)


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"old")

    with pytest.raises(ZeroDivisionError), VideoFileSink(target, CLIP, force=True) as sink:
        sink.write(flat(1, 2, 3), 1 / len(sink.path.suffixes[1:]))

    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_no_picture_leaves_no_file(tmp_path: Path) -> None:
    with VideoFileSink(tmp_path / "a.mp4", CLIP):
        pass

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "words"), [("a.avi", "end it in one of"), ("a", "end it in"), ("d.mp4", "a folder")])
def test_unsuitable_names_are_refused(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "d.mp4").mkdir()

    with pytest.raises(SinkError, match=words):
        VideoFileSink(tmp_path / name, CLIP)


def test_existing_file_is_kept_without_force(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"old")

    with pytest.raises(SinkError, match="add --force"):
        VideoFileSink(tmp_path / "a.mp4", CLIP)


def test_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("puppet.sinks.video_file.os.replace", full)

    with pytest.raises(SinkError, match="No space left on device"), VideoFileSink(tmp_path / "a.mp4", CLIP) as sink:
        sink.write(flat(1, 2, 3), 0.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_what_came_before_the_disk_was_full_is_kept_and_plays(
    tmp_path: Path, rng: np.random.Generator, suffix: str
) -> None:
    target = tmp_path / f"a.{suffix}"

    with disk_full_after(1_300_000), pytest.raises(SinkError, match=rf"too large.*is kept in .*a\.{suffix}; free some"):
        fill(target, rng)

    info = stream_info(target)
    assert 20 <= len(info["times"]) < 100
    assert f"digitalsourcetype/{KIND}".encode() in target.read_bytes()
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_leaves_the_old_file_and_keeps_the_new_one_beside_it(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"old")

    with disk_full_after(1_300_000), pytest.raises(SinkError, match=r"is kept in .*a-incomplete\.mp4"):
        fill(target, rng, force=True)

    assert target.read_bytes() == b"old"
    assert len(stream_info(tmp_path / "a-incomplete.mp4")["times"]) >= 20
    assert len(list(tmp_path.iterdir())) == 2


def test_a_disk_full_from_the_start_leaves_nothing(tmp_path: Path, rng: np.random.Generator) -> None:
    with disk_full_after(20_000), pytest.raises(SinkError, match="cannot be written"):
        fill(tmp_path / "a.mp4", rng)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_killed_program_leaves_a_file_that_plays(tmp_path: Path, rng: np.random.Generator, suffix: str) -> None:
    sink = VideoFileSink(tmp_path / f"a.{suffix}", CLIP, preset="ultrafast")
    for index in range(100):
        sink.write(rng.integers(0, 255, (128, 192, 3), np.uint8), index / 25)
    (left,) = tmp_path.iterdir()
    (copied := tmp_path / left.name.lstrip(".")).write_bytes(left.read_bytes())
    sink.discard()

    assert rescue(copied)
    assert len(stream_info(copied)["times"]) >= 50
