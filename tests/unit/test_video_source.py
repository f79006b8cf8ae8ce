"""Video files as a source: every frame, upright, in the right colours, whatever the file is like."""

from __future__ import annotations

import logging
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest

from puppet.errors import SourceError
from puppet.sources.video_file import VideoFile
from tests.media import UNNAMED, brightening, cut, flat, quarters, stream_info, write_video

if TYPE_CHECKING:
    from pathlib import Path

    from puppet.types import Image


def greys(video: VideoFile) -> list[int]:
    return [round(float(frame.image.mean())) for frame in video.frames()]


def test_every_frame_comes_in_order_with_its_time(tmp_path: Path) -> None:
    video = VideoFile(write_video(tmp_path / "a.mp4", brightening(30), rate=25))

    frames = list(video.frames())

    assert [frame.index for frame in frames] == list(range(30))
    np.testing.assert_allclose([frame.captured_at for frame in frames], np.arange(30) / 25, atol=1e-4)
    np.testing.assert_allclose([frame.image.mean() for frame in frames], 20 + 4 * np.arange(30), atol=2)
    assert (video.clip.rate, video.clip.frames, video.clip.sound) == (25, 30, None)


def test_file_can_be_read_again(tmp_path: Path) -> None:
    video = VideoFile(write_video(tmp_path / "a.mp4", brightening(5)))

    assert greys(video) == greys(video)


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.2, 0.21, 0.5, 0.9]
    video = VideoFile(write_video(tmp_path / "a.mp4", brightening(6), times=times))

    np.testing.assert_allclose([frame.captured_at for frame in video.frames()], times, atol=1e-4)


@pytest.mark.parametrize(("width", "height"), [(63, 47), (17, 129), (16, 16)])
def test_odd_sizes_are_kept(tmp_path: Path, width: int, height: int) -> None:
    pictures = brightening(3, width=width, height=height)
    video = VideoFile(write_video(tmp_path / "a.mkv", pictures, pix_fmt="yuv444p"))

    assert [frame.image.shape for frame in video.frames()] == [(height, width, 3)] * 3


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv444p10le"])
def test_ten_bits_are_read_in_the_right_colours(tmp_path: Path, pix_fmt: str) -> None:
    path = write_video(tmp_path / "a.mkv", [flat(200, 90, 40)] * 3, codec="libx264", pix_fmt=pix_fmt)

    for frame in VideoFile(path).frames():
        np.testing.assert_allclose(frame.image[30, 30], [200, 90, 40], atol=3)


@pytest.mark.parametrize("matrix", [1, 5])  # BT.709 and BT.601
@pytest.mark.parametrize("span", [1, 2])
def test_matrix_and_range_are_followed(tmp_path: Path, matrix: int, span: int) -> None:
    path = write_video(tmp_path / "a.mp4", [flat(200, 90, 40)] * 3, colours=(matrix, 1, span))

    np.testing.assert_allclose(next(VideoFile(path).frames()).image[30, 30], [200, 90, 40], atol=3)


@pytest.mark.parametrize(("height", "matrix"), [(480, 5), (720, 1)])
def test_unnamed_matrix_is_told_by_the_height(tmp_path: Path, height: int, matrix: int) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, [flat(200, 90, 40, height=height)], colours=(matrix, 1, 1), is_named=False)

    assert stream_info(path)["colours"][0] == UNNAMED
    np.testing.assert_allclose(next(VideoFile(path).frames()).image[30, 30], [200, 90, 40], atol=3)


def test_high_dynamic_range_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_video(tmp_path / "a.mp4", [flat(200, 90, 40)] * 3, pix_fmt="yuv420p10le", colours=(9, 18, 1))

    with caplog.at_level(logging.WARNING):
        assert len(greys(VideoFile(path))) == 3

    assert [record.getMessage() for record in caplog.records] == [
        f"{path} has high dynamic range; its colours will look pale"
    ]


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("a.mkv", "ffv1", "bgr0"),
        ("a.mkv", "ffv1", "gray16le"),
    ],
)
def test_other_codecs_and_pixels_are_read(tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
    path = write_video(tmp_path / name, brightening(5), codec=codec, pix_fmt=pix_fmt)

    np.testing.assert_allclose(greys(VideoFile(path)), 20 + 4 * np.arange(5), atol=2)


@pytest.mark.parametrize("turned", [90, -90, 180])
def test_display_matrix_turns_frames_upright(tmp_path: Path, turned: int) -> None:
    upright = quarters()
    stored = np.ascontiguousarray(np.rot90(upright, -turned // 90))
    path = write_video(tmp_path / "phone.mp4", [stored] * 3, turned=turned)

    frame = next(VideoFile(path).frames())

    assert frame.image.shape == upright.shape
    for y, x in ((8, 8), (8, 56), (40, 8), (40, 56)):
        np.testing.assert_allclose(frame.image[y, x], upright[y, x], atol=6)


def test_frames_before_a_turned_file_is_whole_are_sampled_upright(tmp_path: Path) -> None:
    path = write_video(tmp_path / "phone.mp4", [quarters()] * 10, turned=90)

    assert {picture.shape for picture in VideoFile(path).sample()} == {(64, 48, 3)}


def test_samples_reach_through_the_whole_file(tmp_path: Path) -> None:
    pictures = [flat(*3 * [20 + 2 * index]) for index in range(100)]
    path = write_video(tmp_path / "a.mp4", pictures, rate=10)

    levels = [int(picture.mean()) for picture in VideoFile(path).sample()]

    assert len(levels) >= 5
    assert levels[:5] == sorted(levels[:5])
    assert levels[4] <= 20 + 2 * 20


def test_cut_off_video_gives_what_it_holds_and_warns(
    tmp_path: Path, rng: np.random.Generator, caplog: pytest.LogCaptureFixture
) -> None:
    pictures: list[Image] = [rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(100)]
    path = write_video(tmp_path / "a.mp4", pictures, options={"movflags": "+faststart"})
    video = VideoFile(cut(path, 0.5))

    with caplog.at_level(logging.WARNING):
        count = len(list(video.frames()))
        assert len(list(video.frames())) == count

    assert 20 < count < 80
    assert caplog.text.count("is cut off") == 1


def test_damaged_video_goes_on_after_the_damage(
    tmp_path: Path, rng: np.random.Generator, caplog: pytest.LogCaptureFixture
) -> None:
    pictures: list[Image] = [rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(50)]
    path = write_video(tmp_path / "a.mp4", pictures, options={"movflags": "+faststart"})
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    path.write_bytes(data)

    with caplog.at_level(logging.WARNING):
        frames = list(VideoFile(path).frames())

    assert frames[-1].captured_at == pytest.approx(49 / 25, abs=0.1)
    assert len(frames) > 30


def test_video_without_frames_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", brightening(3), options={"movflags": "+faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 4])

    with pytest.raises(SourceError, match="has no frames that can be decoded"):
        list(VideoFile(path).frames())


def test_video_cut_off_before_its_index_is_refused(tmp_path: Path) -> None:
    path = cut(write_video(tmp_path / "a.mp4", brightening(30)), 0.5)

    with pytest.raises(SourceError, match="is not a video that can be read"):
        VideoFile(path)


@pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.m3u8", "a.png"])
@pytest.mark.parametrize("content", [b"", b"words, many words\n" * 50, b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"])
def test_what_is_no_video_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(SourceError, match=r"is not a video"):
        VideoFile(path)


def test_picture_sound_and_nothing_are_refused(tmp_path: Path) -> None:
    from puppet import images

    images.write_picture(tmp_path / "a.png", flat(1, 2, 3))
    for path, words in ((tmp_path / "a.png", "is not a video"), (tmp_path / "no.mp4", "there is no video at")):
        with pytest.raises(SourceError, match=words):
            VideoFile(path)


def test_colon_in_the_name_is_no_protocol(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", brightening(3)).rename(tmp_path / "http:a.mp4")

    assert len(greys(VideoFile(path))) == 3


def test_broadcast_start_time_becomes_zero(tmp_path: Path) -> None:
    times = [10 + index / 25 for index in range(5)]
    video = VideoFile(write_video(tmp_path / "a.ts", brightening(5), times=times))

    assert next(video.frames()).captured_at == pytest.approx(0, abs=0.05)
    assert video.clip.start > Fraction(5)
