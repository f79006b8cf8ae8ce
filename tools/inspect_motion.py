"""Writes one page about how a clip drives an avatar: parts, affines, reference, filter, limits, beside the frames."""

from __future__ import annotations

import argparse
import base64
import io
import os
import sys
import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines.errors import EngineError
from engines.faces import FaceFinder
from engines.model_folder import BUNDLED, ModelFolder
from puppet import config, framing, images, swap_options, trace
from puppet.calibration import DRIFTED
from puppet.errors import ConfigError, PuppetError
from puppet.motion import is_usable
from puppet.puppeteer import Puppeteer
from puppet.settings import CameraSettings, LiveSettings
from puppet.smoothing import Smoother
from puppet.sources.video_file import VideoFile
from puppet.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from puppet.types import Image

SHOWN = 12
"""Frames that are shown, evenly taken; as many where limits acted most."""
THUMB = 160
"""Pixels."""
WIDTH, HEIGHT = 13.0, 2.4
"""Of a plot, inches."""
FILTER, STRETCH, DISTANCE = 2, 3, 5
"""Numbers of plots."""
FAINT, STRONG = {"alpha": 0.5, "linewidth": 0.7}, {"linewidth": 1.3}
HELD = "#f6d9bf"
BREAKS = "#e07a1f"
STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#1b1f24;background:#fff}
img{max-width:100%}figure{display:inline-block;margin:.3rem .5rem .3rem 0}figcaption{font-size:.8rem;color:#57606a}
h3{margin:1.2rem 0 .2rem;font-size:1rem}small{font-weight:400;color:#57606a;margin-left:.6rem}
p span{margin-right:1.1rem;white-space:nowrap}p i{display:inline-block;width:1.2rem;height:.45rem;margin-right:.35rem;
border-radius:2px;vertical-align:.12rem}
table{border-collapse:collapse}td{padding:.15rem .8rem .15rem 0;font-variant-numeric:tabular-nums}
"""


@dataclass(frozen=True, eq=False)
class Trace:
    """One clip's motion, N frames."""

    times: NDArray[Any]
    """(N,) seconds."""
    values: NDArray[Any]
    """(N, curves, K), see `puppet.trace`."""
    limited: NDArray[Any]
    """(N,): parts that were held back."""
    pictures: list[bytes]
    """JPEG: driver and avatar side by side, of every frame."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page; 0 if it went well, 2 if what was given cannot be used."""
    options = _parser().parse_args(arguments)
    try:
        if options.output.exists() and not options.force:
            raise ConfigError(f"{options.output} is there already; add --force to replace it, or give another name")
        with Puppeteer(ModelFolder.read(options.model)) as puppeteer:
            finder = FaceFinder()
            picture = images.read_picture(options.avatar)
            square = framing.frame_picture(picture, finder, name=options.avatar.name)
            puppeteer.set_avatar(
                puppeteer.make_avatar(images.crop(picture, square, size=512), name=options.avatar.stem)
            )
            parts = _parts(options.parts, puppeteer.part_names)
            clip = follow(_frames(options.clip, finder, puppeteer.size), puppeteer, options)
            title = f"{options.clip.name} drives {options.avatar.name}"
            text = page(clip, puppeteer.part_names, parts, title=title)
        _write(options.output, text)
    except (EngineError, PuppetError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{options.output}: {'; '.join(f'{name}: {value}' for name, value in figures(clip))}")
    return 0


def follow(frames: Iterator[Frame], puppeteer: Puppeteer, options: argparse.Namespace) -> Trace:
    """Drive the avatar, frame by frame, and note everything.

    Raises:
        PuppetError: no frame gives a usable motion.
    """
    settings = LiveSettings(strength=options.strength, limits=options.limits)
    smoother = Smoother()
    rows: list[tuple[float, NDArray[Any], int, bytes]] = []
    for frame in frames:
        read = puppeteer.read(frame.image)
        if not is_usable(read):
            continue
        calmed = smoother.smooth(read, frame.captured_at, options.smoothing)
        rendered = puppeteer.animate(calmed, frame, settings)
        values = trace.measure(rendered, read)
        if values is not None:
            rows.append((frame.captured_at, values, rendered.limited, _jpeg(frame.image, rendered.image)))
    if not rows:
        raise PuppetError("no frame of the clip gives a usable motion; give another clip")
    times, values, limited, pictures = zip(*rows, strict=True)
    return Trace(np.array(times), np.stack(values), np.array(limited), list(pictures))


def figures(clip: Trace) -> list[tuple[str, str]]:
    """What the page says in numbers."""
    filtered, stretched, distance = (clip.values[:, trace.of_plot(number)] for number in (FILTER, STRETCH, DISTANCE))
    before, after = (float(np.diff(filtered[:, curve], axis=0).std()) for curve in (0, 1))
    stretch = np.exp(np.abs(np.log(np.maximum(stretched, 1e-6))).max(axis=(0, 2)))
    return [
        ("frames", f"{len(clip.times)} in {clip.times[-1] - clip.times[0]:.1f} s"),
        ("change from frame to frame, calmed over read", f"{after / before:.2f}" if before else "-"),
        ("distance to the reference, most", f"{distance.max():.3f} (breaks at {DRIFTED})"),
        ("stretch of a part, most", f"driver {max(stretch[:2]):.2f} times, avatar {max(stretch[2:]):.2f} times"),
        ("frames in which limits acted", f"{(clip.limited > 0).mean():.0%}"),
    ]


def page(clip: Trace, part_names: Sequence[str], parts: Sequence[int], *, title: str) -> str:
    """Everything in one HTML text; it loads nothing."""
    body = [f"<h1>{escape(title)}</h1><table>"]
    body += [f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in figures(clip)]
    evenly = np.unique(np.linspace(0, len(clip.times) - 1, SHOWN).astype(int))
    body += ["</table><h2>Frames</h2>", *(_figure(clip, index) for index in evenly)]
    body.append(f"<h2>Motion</h2><p>{_legend(part_names, parts)}</p>")
    for number, plot in enumerate(trace.PLOTS):
        heading, drawn = escape(plot.title), _svg(draw(clip, number, parts))
        looks = [f"{'faint' if curve.is_faint else 'strong'}: {curve.name}" for curve in plot.curves]
        small = "; ".join([plot.unit, *dict.fromkeys(looks)])
        body.append(f'<h3>{heading} <small>{small}</small></h3><img alt="{heading}" src="{drawn}">')
    worst = np.sort(np.argsort(-clip.limited, kind="stable")[:SHOWN])
    held = [_figure(clip, index) for index in worst if clip.limited[index] > 0]
    body += ["<h2>Frames in which limits acted most</h2>", *(held or ["<p>None.</p>"])]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def draw(clip: Trace, number: int, parts: Sequence[int]) -> Figure:
    """One of the plots; a part has the same colour in all of them, and frames in which limits acted are shaded."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes: Axes = figure.subplots()
    plot, values = trace.PLOTS[number], clip.values[:, trace.of_plot(number)]
    shown = list(parts) if plot.has_parts else [0]
    for part, colour in zip(shown, trace.colours(len(shown), is_dark=False) / 255, strict=True):
        for curve, line in enumerate(plot.curves):
            look = FAINT if line.is_faint else STRONG
            axes.plot(clip.times, values[:, curve, part], color=colour, **look)
    for time, before, share in zip(clip.times, np.append(clip.times[0], clip.times), clip.limited, strict=False):
        if share:
            axes.axvspan(before, time, color=HELD, linewidth=0, zorder=0)
    if plot.mark is not None:
        axes.axhline(plot.mark, color=BREAKS, linestyle="--", linewidth=0.9)
    axes.set(xlabel="seconds", xlim=(clip.times[0], clip.times[-1]))
    axes.update_datalim([(clip.times[0], value) for value in plot.least])
    axes.autoscale(axis="y")
    axes.axhline(plot.rest, color="#57606a", linewidth=0.8, zorder=0)
    axes.grid(alpha=0.3)
    return figure


def _legend(part_names: Sequence[str], parts: Sequence[int]) -> str:
    """Which colour is which part, and what is shaded."""
    entries = []
    for part, (red, green, blue) in zip(parts, trace.colours(len(parts), is_dark=False).tolist(), strict=True):
        entries.append((f"rgb({red},{green},{blue})", part_names[part].replace("_", " ")))
    entries.append((HELD, "limits acted"))
    return "".join(f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for colour, name in entries)


def _svg(figure: Figure) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(content.getvalue()).decode()}"


def _figure(clip: Trace, index: int) -> str:
    data = base64.b64encode(clip.pictures[index]).decode()
    held = f", parts held back: {clip.limited[index]}" if clip.limited[index] else ""
    caption = f"{clip.times[index]:.2f} s{held}"
    return (
        f'<figure><img alt="{caption}" src="data:image/jpeg;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )


def _frames(path: Path, finder: FaceFinder, side: int) -> Iterator[Frame]:
    video = VideoFile(path)
    square = framing.frame_clip(video.sample(), finder, name=path.name)
    for frame in video.frames():
        yield Frame(images.crop(frame.image, square, size=side), frame.index, frame.captured_at)


def _parts(wanted: str | None, names: tuple[str, ...]) -> tuple[int, ...]:
    """Numbers of the parts to plot."""
    if wanted == "all":
        return tuple(range(len(names)))
    if wanted is None:
        return trace.few(names)
    chosen = swap_options.select_parts(tuple(wanted.split(",")), names)
    return tuple(index for index, name in enumerate(names) if name in chosen)


def _jpeg(*pictures: Image) -> bytes:
    small = [images.resize(picture, width=THUMB, height=THUMB) for picture in pictures]
    done, content = cv2.imencode(".jpg", np.concatenate(small, axis=1)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    return content.tobytes()


def _write(path: Path, text: str) -> None:
    """At once or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".inspect.") as folder:
            (Path(folder) / "page").write_text(text, encoding="utf-8")
            os.replace(Path(folder) / "page", path)
    except OSError as error:
        raise PuppetError(f"{path} cannot be written ({error.strerror}); choose another --output") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inspect_motion", description=__doc__)
    add = parser.add_argument
    add("clip", type=Path, help="driving video")
    add("--avatar", type=Path, default=config.default_avatar(), metavar="PICTURE", help="picture that it drives")
    add("--output", type=Path, default=Path("motion.html"), help="page to write (motion.html)")
    add("--model", type=Path, default=BUNDLED, metavar="DIR", help="model folder (the bundled one)")
    add("--strength", type=float, default=1.0, help="size of the movements")
    add("--smoothing", type=float, default=CameraSettings().smoothing, help="0 (off) to 1")
    add("--parts", metavar="all|PART,…", help="parts to plot, by names or words in them (a few)")
    add("--no-limits", dest="limits", action="store_false", help="let parts go as far as they are driven")
    add("--force", action="store_true", help="replace the page if it is there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
