"""A video file as a sink: H.264, every picture at its own time, in place at once when it is finished.

While it is written it consists of pieces that can be played without what follows; the usual index comes last. So a full
disk, or a program that is killed, costs no more than the last piece.
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from puppet import images, provenance
from puppet.errors import SinkError
from puppet.sinks.rescue import rescue
from puppet.sinks.sound import COPIED, Sound

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from puppet.sources.video_file import Clip
    from puppet.types import Image

log = logging.getLogger(__name__)

SUFFIXES = tuple(COPIED)
CODEC = "libx264"
QUALITY = "17"
"""Visually without loss at a third of the size of near-lossless."""
PIECE_US = 1_000_000
"""Microseconds of video in a piece."""
THREADS = 2
"""Of the encoder. Small pictures gain nothing from more, and the model needs the rest."""

# Rounding down and the nearest chroma sample would shift colours by up to 3 levels.
# libswscale's SWS_BICUBIC, SWS_ACCURATE_RND and SWS_FULL_CHR_H_INP as numbers: PyAV names them from 18 on only.
_EXACT = 0x4 | 0x40000 | 0x4000


def refuse(path: Path, *, force: bool) -> None:
    """Raise SinkError if no video may be written to `path`: wrong suffix, a folder, or there already."""
    if path.suffix.lower() not in SUFFIXES:
        raise SinkError(f"{path} is not a name for a video; end it in one of {', '.join(SUFFIXES)}")
    if path.is_dir():
        raise SinkError(f"{path} is a folder; name a file in it")
    if path.exists() and not force:
        raise SinkError(f"{path} is there already; add --force to replace it, or give another name")


class VideoFileSink:
    """Writes into a temporary file beside `path` and moves it there on `close`.

    As a context manager: leaving the block by an exception removes the temporary file and leaves `path` as it was. If
    it is the disk that fails, what was written until then is kept, and the sentence says where.
    """

    def __init__(
        self,
        path: Path,
        clip: Clip,
        *,
        force: bool = False,
        preset: str = "faster",
        kind: provenance.SourceType = "trainedAlgorithmicMedia",
    ) -> None:
        """Open the temporary file.

        Args:
            path: where the video shall be; its folder is made if need be.
            clip: rate, times and sound of the pictures that will come.
            force: replace a file that is there.
            preset: of x264, from ultrafast to veryslow.
            kind: what the file says of how it was made.

        Raises:
            SinkError: the place cannot be written, or the video library has no H.264 encoder.
        """
        refuse(path, force=force)
        self.path = path
        self.written = 0
        self._clip = clip
        self._options = {"crf": QUALITY, "preset": preset}
        self._kind = kind
        self._stream: Any = None
        self._sound: Sound | None = None
        self._last_tick = -1
        self._reformatter = VideoReformatter()
        if CODEC not in av.codecs_available:
            raise SinkError("this build of PyAV cannot write H.264; install the wheel from PyPI (pip install av)")
        self._temporary = _temporary_beside(path)
        try:
            self._container = av.open(f"file:{self._temporary}", "w", options=_container_options(path))
        except (av.error.FFmpegError, OSError) as error:
            self._temporary.unlink(missing_ok=True)
            raise self._failed(error) from error
        self._container.metadata.update(provenance.tags(kind))

    def write(self, image: Image, seconds: float) -> None:
        """Append one picture.

        Args:
            image: uint8 (H, W, 3) RGB, every time of the same size; odd sides get their last row or column twice.
            seconds: when it is shown; later than the picture before.

        Raises:
            SinkError: the file cannot be written (full disk, lost drive).
        """
        image = images.pad_to_even(image)
        try:
            if self._stream is None:
                self._start(image)
            frame = self._to_yuv(image)
            # Two pictures at one time cannot be stored; the second is shown one tick later.
            self._last_tick = max(round(seconds / self._clip.time_base), self._last_tick + 1)
            frame.pts, frame.time_base = self._last_tick, self._clip.time_base
            if self._sound is not None:
                self._sound.carry(until=seconds)
            self._container.mux(self._stream.encode(frame))
        except (av.error.FFmpegError, OSError) as error:
            raise self._broken_off(error) from error
        self.written += 1

    def close(self, *, complete: bool = True) -> None:
        """Finish the file and move it into place; nothing is left behind if no picture was written.

        Args:
            complete: the source came to its end, so its sound is written to the end too; else up to the last picture.
        """
        if self.written == 0:
            self.discard()
            return
        try:
            self._container.mux(self._stream.encode(None))
            if self._sound is not None:
                end = float(self._last_tick * self._clip.time_base + 1 / self._clip.rate)
                self._sound.finish(until=float("inf") if complete else end)
                self._sound.close()
            self._container.close()
            provenance.mark_video(self._temporary, self._kind)
            os.replace(self._temporary, self.path)
        except (av.error.FFmpegError, OSError) as error:
            raise self._broken_off(error) from error

    def discard(self) -> None:
        """Remove the temporary file; `path` stays as it was."""
        self._let_go()
        self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.discard()
        elif self._temporary.exists():
            self.close()

    def _start(self, image: Image) -> None:
        stream: Any = self._container.add_stream(CODEC, rate=self._clip.rate, options=self._options)
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.time_base = self._clip.time_base
        context = stream.codec_context
        context.time_base = self._clip.time_base
        context.thread_count = THREADS
        context.color_range = ColorRange.MPEG
        context.colorspace = Colorspace.ITU709
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        self._stream = stream
        if self._clip.sound is not None:
            suffix = self.path.suffix.lower()
            self._sound = Sound(self._clip.sound, self._container, suffix=suffix, start=self._clip.start)

    def _to_yuv(self, image: Image) -> av.VideoFrame:
        return self._reformatter.reformat(
            av.VideoFrame.from_ndarray(image, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=_EXACT,
            threads=1,
        )

    def _let_go(self) -> None:
        if self._sound is not None:
            self._sound.close()
        try:
            self._container.close()
        except (av.error.FFmpegError, OSError) as error:
            log.info("unfinished file not closed cleanly (%s)", error)

    def _broken_off(self, error: Exception) -> SinkError:
        """Keep what can be played, under a name that is free, and say so."""
        self._let_go()
        place = self.path if not self.path.exists() else self.path.with_stem(f"{self.path.stem}-incomplete")
        try:
            is_kept = not place.exists() and rescue(self._temporary)
            if is_kept:
                provenance.mark_video(self._temporary, self._kind)
                os.replace(self._temporary, place)
        except OSError as second:
            log.info("what was written is not kept (%s)", second)
            is_kept = False
        self._temporary.unlink(missing_ok=True)
        if not is_kept:
            return self._failed(error)
        return SinkError(
            f"{self.path} cannot be written to its end ({_reason(error)}); what came before is kept in {place}; "
            "free some space or choose another place"
        )

    def _failed(self, error: Exception) -> SinkError:
        return SinkError(f"{self.path} cannot be written ({_reason(error)}); free some space or choose another place")


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _container_options(path: Path) -> dict[str, str]:
    """Short pieces, in the words of each container, that are on the disk as soon as they are whole."""
    pieces = {"movflags": "+hybrid_fragmented+delay_moov", "frag_duration": str(PIECE_US)}
    if path.suffix.lower() == ".mkv":
        pieces = {"cluster_time_limit": str(PIECE_US // 1000)}
    return {"flush_packets": "1", **pieces}


def _temporary_beside(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix.lower(), dir=path.parent)
    except OSError as error:
        raise SinkError(f"{path} cannot be written ({error.strerror}); choose another place") from error
    os.close(handle)
    os.chmod(name, 0o644)  # mkstemp gives 0o600, which other users cannot read
    return Path(name)
