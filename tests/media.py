"""Pictures and videos for the tests, made on the spot."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from puppet.types import Image

SOUND_RATE = 48_000
UNNAMED = 2
"""The matrix "unspecified" of ITU-T H.273."""


def flat(red: int, green: int, blue: int, *, width: int = 64, height: int = 64) -> Image:
    """One colour."""
    return np.full((height, width, 3), (red, green, blue), np.uint8)


def brightening(count: int, *, width: int = 64, height: int = 64) -> list[Image]:
    """Grey pictures, each 4 levels brighter than the one before, so that their order can be told."""
    return [flat(*(3 * [20 + 4 * index]), width=width, height=height) for index in range(count)]


def quarters(*, width: int = 64, height: int = 48) -> Image:
    """Red, green over blue, white: shows how a picture is turned."""
    image = np.zeros((height, width, 3), np.uint8)
    y, x = height // 2, width // 2
    image[:y, :x], image[:y, x:], image[y:, :x], image[y:, x:] = (220, 0, 0), (0, 220, 0), (0, 0, 220), (220, 220, 220)
    return image


def write_video(
    path: Path,
    pictures: Sequence[Image],
    *,
    rate: int = 25,
    times: Sequence[float] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    turned: int = 0,
    sound: str | None = None,
    options: dict[str, str] | None = None,
    colours: tuple[int, int, int] = (1, 1, 1),
    is_named: bool = True,
) -> Path:
    """A video of these pictures, BT.709 unless asked otherwise, with a tone beside it if `sound` names a codec.

    Args:
        path: its suffix decides the container.
        pictures: uint8 (H, W, 3) RGB.
        rate: frames a second.
        times: seconds, one a picture, instead of a steady rate.
        codec: of the video.
        pix_fmt: of the video.
        turned: degrees by which a player must turn it anticlockwise.
        sound: codec of the tone.
        options: of the container.
        colours: matrix, transfer and range as ITU-T H.273 numbers them; range 1 is limited, 2 is full.
        is_named: the file says which matrix was used.
    """
    with av.open(str(path), "w", options=options or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = stream.time_base = Fraction(1, 90_000)
        stream.options = {"crf": "8"} if codec.startswith("libx26") else {}
        matrix, transfer, span = colours
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix if is_named else UNNAMED, span
        stream.codec_context.color_trc = transfer
        if turned:
            stream.set_display_rotation(turned)
        tone: Any = container.add_stream(sound, rate=SOUND_RATE, layout="mono") if sound else None
        for index, picture in enumerate(pictures):
            seconds = index / rate if times is None else times[index]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame = frame.reformat(format=pix_fmt, dst_colorspace=matrix, dst_color_range=span)
            frame.colorspace = matrix if is_named else UNNAMED
            frame.pts, frame.time_base = round(seconds * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(frame))
        if tone is not None:
            _write_tone(container, tone, seconds=len(pictures) / rate)
        container.mux(stream.encode(None))
    return path


def _write_tone(container: Any, stream: Any, *, seconds: float) -> None:
    samples = np.arange(round(seconds * SOUND_RATE))
    wave = (8000 * np.sin(2 * np.pi * 440 * samples / SOUND_RATE)).astype(np.int16)
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def cut(path: Path, share: float) -> Path:
    """Keep only the beginning of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def stream_info(path: Path) -> dict[str, Any]:
    """What a video file says of itself, its presentation times, and its sound's codec and seconds."""
    with av.open(str(path)) as container:
        stream: Any = container.streams.video[0]
        info = {
            "size": (stream.width, stream.height),
            "rate": stream.average_rate,
            "codec": stream.codec_context.name,
            "pix_fmt": stream.codec_context.pix_fmt,
            "colours": tuple(
                int(getattr(stream.codec_context, name))
                for name in ("colorspace", "color_primaries", "color_trc", "color_range")
            ),
            "times": [float(frame.pts * frame.time_base) for frame in container.decode(stream)],
        }
    with av.open(str(path)) as container:
        tone: Any = next(iter(container.streams.audio), None)
        info["sound"] = tone and tone.codec_context.codec.canonical_name
        if tone is not None:
            info["sound_seconds"] = (
                sum(frame.samples for frame in container.decode(tone)) / tone.codec_context.sample_rate
            )
    return info
