"""The sound of one video file, carried into another while its pictures are written."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import av
import av.error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction
    from pathlib import Path

    from av.container import OutputContainer

log = logging.getLogger(__name__)

COPIED: dict[str, frozenset[str]] = {
    ".mp4": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}),
    ".mov": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_f32le"}),
    ".mkv": frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac", "vorbis", "pcm_s16le", "pcm_s24le"}),
}
"""Codecs that a container holds and its players know, by file suffix; others are encoded as AAC."""
AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
DEFAULT_AAC_RATE = 48_000


class Sound:
    """Copied packet by packet where the container allows it, else encoded as AAC.

    It is written as far as the pictures have come, so that the two lie side by side in the file.
    """

    def __init__(self, source: Path, output: OutputContainer, *, suffix: str, start: Fraction) -> None:
        """Open the source and add a stream to the output, whose header must not be written yet.

        Args:
            source: file with at least one sound stream.
            output: container to write into.
            suffix: of the output's name, which decides what may be copied.
            start: seconds in the source that become time 0.
        """
        self._name = source.name
        self._start = start
        self._output = output
        self._input = av.open(f"file:{source}", metadata_errors="replace")
        self._source: Any = self._input.streams.audio[0]
        self.is_copied = self._source.codec_context.codec.canonical_name in COPIED[suffix]
        self._stream: Any = self._add_stream()
        self._packets = self._read()
        self._waiting: Any = None
        self._last_dts: int | None = None

    def carry(self, until: float) -> None:
        """Write everything that starts before `until`, seconds."""
        while True:
            packet = self._waiting if self._waiting is not None else next(self._packets, None)
            self._waiting = None
            if packet is None:
                return
            if self._seconds(packet) >= until:
                self._waiting = packet
                return
            self._write(packet)

    def finish(self, until: float) -> None:
        """Write the rest up to `until`, seconds, and what the encoder still holds."""
        self.carry(until)
        if not self.is_copied:
            self._output.mux(self._stream.encode(None))

    def close(self) -> None:
        """Close the source; the output stays open."""
        self._input.close()

    def _add_stream(self) -> Any:
        if self.is_copied:
            return self._output.add_stream_from_template(self._source)
        rate = self._source.codec_context.sample_rate
        stream = self._output.add_stream("aac", rate=rate if rate in AAC_RATES else DEFAULT_AAC_RATE)
        stream.codec_context.layout = "mono" if self._source.codec_context.layout.nb_channels == 1 else "stereo"
        return stream

    def _read(self) -> Iterator[Any]:
        try:
            for packet in self._input.demux(self._source):
                # The last packet is empty: it asks a decoder for what it still holds.
                if packet.dts is not None or not self.is_copied:
                    yield packet
        except av.error.FFmpegError as error:
            log.warning("the sound of %s ends early (%s)", self._name, error)

    def _seconds(self, packet: Any) -> float:
        time = packet.pts if packet.pts is not None else packet.dts
        if time is None or packet.time_base is None:
            return float("-inf")
        return float(time * packet.time_base - self._start)

    def _write(self, packet: Any) -> None:
        if self.is_copied:
            self._copy(packet)
            return
        try:
            decoded: Any = packet.decode()
        except av.error.FFmpegError as error:
            log.info("a piece of the sound of %s cannot be decoded (%s)", self._name, error)
            return
        for frame in decoded:
            self._shift(frame)
            self._output.mux(self._stream.encode(frame))

    def _copy(self, packet: Any) -> None:
        self._shift(packet)
        if self._last_dts is not None and packet.dts <= self._last_dts:
            log.info("a piece of the sound of %s lies before the one ahead of it and is left out", self._name)
            return
        self._last_dts = packet.dts
        packet.stream = self._stream
        self._output.mux(packet)

    def _shift(self, item: Any) -> None:
        """Move times so that the source's start becomes 0."""
        if not self._start or item.time_base is None:
            return
        ticks = round(self._start / item.time_base)
        item.pts = None if item.pts is None else item.pts - ticks
        item.dts = None if item.dts is None else item.dts - ticks
