"""A video file as a source: every frame in order, upright, in RGB, at its presentation time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.error
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from puppet import images
from puppet.errors import SourceError
from puppet.types import Frame

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from puppet.types import Image

log = logging.getLogger(__name__)

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")
"""Of the names of files that are taken for videos."""
DEFAULT_RATE = Fraction(25)
"""Frames a second of files that do not say."""
MAX_PIXELS = 8192 * 8192
HD_HEIGHT = 720
"""From here on, video that does not name its colour matrix is BT.709; below it, BT.601."""
SAMPLED_SECONDS = 2.0
LARGE = 1280 * 720
"""Pixels: from here on, colours are converted by two threads."""
NOT_VIDEO = ("image2", "_pipe", "tty", "hls", "concat", "dash", "lavfi")
"""Demuxers that take stills, text, and lists of other files or addresses."""
HDR_TRANSFERS = (16, 18)
"""PQ and HLG, as numbered by ITU-T H.273."""

# Chroma is otherwise taken from the nearest sample and rounded down, which alone costs 3 levels. Bilinear, because
# bicubic costs half as much again and scales nothing here but chroma.
# libswscale's SWS_BILINEAR, SWS_ACCURATE_RND and SWS_FULL_CHR_H_INT as numbers: PyAV names them from 18 on only.
_EXACT = 0x2 | 0x40000 | 0x2000


@dataclass(frozen=True)
class Clip:
    """What a sink must know of the frames that will come."""

    rate: Fraction
    """Frames a second, in the mean."""
    time_base: Fraction
    """Seconds; every presentation time is a whole number of these."""
    frames: int | None
    """How many to expect, as far as it is known."""
    sound: Path | None = None
    """File whose sound goes with the frames."""
    start: Fraction = Fraction(0)
    """Seconds in that file at which presentation time 0 lies."""


def is_video(path: Path) -> bool:
    """Whether a file is taken for a video, by its name."""
    return path.suffix.lower() in SUFFIXES


class VideoFile:
    """One video file. It is opened anew for every pass, so passes can be repeated and nothing stays open between."""

    clip: Clip

    def __init__(self, path: Path) -> None:
        """Open once and read what the file says of itself.

        Raises:
            SourceError: there is no such file, or it is no video.
        """
        self.path = path
        self._said: set[str] = set()
        with self._opened() as container:
            stream = _video_stream(path, container)
            self._duration = _duration(container, stream)
            self.clip = self._describe(container, stream)

    def frames(self) -> Generator[Frame, None, None]:
        """Every frame that can be decoded; `captured_at` is its presentation time, seconds from the file's start.

        A file that is cut off or damaged gives what it holds, with a warning.

        Raises:
            SourceError: not one frame can be decoded.
        """
        count, last = 0, 0.0
        with self._opened() as container:
            stream = _video_stream(self.path, container)
            stream.thread_type = "AUTO"
            to_rgb = _ToRgb(stream)
            damage = _Damage()
            for decoded in _decode(container, stream, damage):
                if decoded.color_trc in HDR_TRANSFERS:
                    self._warn_once(f"{self.path} has high dynamic range; its colours will look pale")
                seconds = self._seconds(decoded, count)
                yield Frame(to_rgb(decoded), count, seconds)
                count, last = count + 1, max(last, seconds)
        if count == 0:
            raise SourceError(f"{self.path} has no frames that can be decoded; check that it plays elsewhere")
        self._warn_if_incomplete(damage, last)

    def first(self) -> Image:
        """The first picture, uint8 (H, W, 3).

        Raises:
            SourceError: not one frame can be decoded.
        """
        frames = self.frames()
        image = next(frames).image
        frames.close()
        return image

    def sample(self, *, count: int = 5) -> Generator[Image, None, None]:
        """A few pictures of the file, one after the other: from its first two seconds, and one at each later quarter.

        Args:
            count: pictures from the first two seconds, at most.

        Yields:
            uint8 (H, W, 3), all of one size; at least one.

        Raises:
            SourceError: not one frame can be decoded.
        """
        every = max(1, round(SAMPLED_SECONDS * float(self.clip.rate)) // count)
        shape: tuple[int, ...] = ()
        frames = self.frames()
        for frame in frames:
            if frame.index % every == 0:
                shape = frame.image.shape
                yield frame.image
            if frame.index == every * (count - 1):
                break
        frames.close()
        yield from (picture for picture in self._later_key_frames() if picture.shape == shape)

    def _later_key_frames(self) -> Generator[Image, None, None]:
        """Cheap to reach: no frame between key frames is decoded. None where the file cannot be searched."""
        if self._duration is None or self._duration < 2 * SAMPLED_SECONDS:
            return
        with self._opened() as container:
            stream = _video_stream(self.path, container)
            to_rgb = _ToRgb(stream)
            for quarter in (1, 2, 3):
                target = float(self.clip.start) + self._duration * quarter / 4
                try:
                    container.seek(round(target * 1_000_000))
                    decoded = next(container.decode(stream), None)
                except av.error.FFmpegError as error:
                    log.info("%s cannot be searched at %.1f s (%s)", self.path, target, error)
                    continue
                if decoded is not None:
                    yield to_rgb(decoded)

    def _opened(self) -> InputContainer:
        if not self.path.is_file():
            raise SourceError(f"there is no video at {self.path}; check the name")
        try:
            # "file:" keeps a colon in the name from being read as a protocol.
            return av.open(f"file:{self.path}", metadata_errors="replace")
        except (av.error.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SourceError(f"{self.path} is not a video that can be read ({reason}); give another file") from error

    def _describe(self, container: InputContainer, stream: VideoStream) -> Clip:
        rate = stream.average_rate or stream.guessed_rate or DEFAULT_RATE
        frames = stream.frames or (round(self._duration * rate) if self._duration else 0)
        has_sound = any(other.codec_context is not None for other in container.streams.audio)
        return Clip(
            rate=rate,
            time_base=stream.time_base or Fraction(1, 90_000),
            frames=frames or None,
            sound=self.path if has_sound else None,
            # Broadcast files begin at any time; ordinary ones at 0, with sound perhaps a little before.
            start=max(Fraction(0), Fraction(container.start_time or 0, 1_000_000)),
        )

    def _seconds(self, frame: VideoFrame, index: int) -> float:
        if frame.pts is None or frame.time_base is None:
            return float(index / self.clip.rate)
        return float(frame.pts * frame.time_base - self.clip.start)

    def _warn_if_incomplete(self, damage: _Damage, last: float) -> None:
        end = last + 1 / float(self.clip.rate)
        if damage.stopped is not None or (self._duration is not None and end + 1.0 < self._duration):
            whole = f" of {self._duration:.1f}" if self._duration else ""
            self._warn_once(f"{self.path} is cut off: it ends after {end:.1f}{whole} s; what is there is used")
        elif damage.packets:
            self._warn_once(f"{self.path} is damaged: {damage.packets} of its pictures cannot be decoded")

    def _warn_once(self, message: str) -> None:
        """The file may be read several times."""
        if message not in self._said:
            self._said.add(message)
            log.warning("%s", message)


@dataclass
class _Damage:
    packets: int = 0
    stopped: str | None = None


class _ToRgb:
    """Decoded frames as RGB of one size: pixels square, upright, by the colour matrix and range that the file names."""

    def __init__(self, stream: VideoStream) -> None:
        self._reformatter = VideoReformatter()
        self._ratio = float(stream.sample_aspect_ratio or 1)
        self._size: tuple[int, int] | None = None

    def __call__(self, frame: VideoFrame) -> Image:
        if self._size is None:
            self._size = max(1, round(frame.width * self._ratio)), frame.height
        # A size that changes on the way (broadcast, calls) would move the face out of a fixed crop.
        width, height = self._size
        rgb = self._reformatter.reformat(
            frame,
            width,
            height,
            "rgb24",
            src_colorspace=_colour_matrix(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=_EXACT,
            threads=2 if frame.width * frame.height >= LARGE else 1,
        )
        image: Any = rgb.to_ndarray()
        return images.turn(image, frame.rotation)


def _colour_matrix(frame: VideoFrame) -> Colorspace | None:
    unnamed = frame.colorspace == 2 and not frame.format.is_rgb  # 2 is "unspecified" in H.273
    return Colorspace.ITU709 if unnamed and frame.height >= HD_HEIGHT else None


def _decode(container: InputContainer, stream: VideoStream, damage: _Damage) -> Iterator[VideoFrame]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.error.FFmpegError, OSError) as error:
            damage.stopped = str(error)
            return
        try:
            decoded = packet.decode()
        except av.error.FFmpegError:
            damage.packets += 1
            continue
        yield from decoded


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    kind = container.format.name
    stream = next((one for one in container.streams.video if not _is_cover(one)), None)
    if stream is None or stream.codec_context is None or any(name in kind for name in NOT_VIDEO):
        raise SourceError(f"{path} is not a video (it reads as {kind}); give a video file or scripted")
    if stream.width * stream.height > MAX_PIXELS:
        raise SourceError(f"{path} is {stream.width}x{stream.height} pixels; make it smaller first")
    return stream


def _is_cover(stream: VideoStream) -> bool:
    """The picture on the sleeve of a music file counts as a video stream of one frame."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds, as the file's header says."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration else None
