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
from puppet import config, framing, images
from puppet.calibration import DRIFTED
from puppet.errors import ConfigError, PuppetError
from puppet.motion import inverse, is_usable
from puppet.puppeteer import Puppeteer
from puppet.reference import pose_distance
from puppet.settings import CameraSettings, LiveSettings
from puppet.smoothing import Smoother
from puppet.sources.video_file import VideoFile
from puppet.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from puppet.types import Image, Motion

SHOWN = 12
"""Frames that are shown, evenly taken; as many where limits acted most."""
THUMB = 160
"""Pixels."""
WIDTH, HEIGHT = 13.0, 2.4
"""Of a plot, inches."""
FEW = ("nose", "lower_lip", "left_lid", "chin", "left_brow")
"""Parts whose filtering is shown, where the model has them."""
STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#1b1f24;background:#fff}
img{max-width:100%}figure{display:inline-block;margin:.3rem .5rem .3rem 0}figcaption{font-size:.8rem;color:#57606a}
table{border-collapse:collapse}td{padding:.15rem .8rem .15rem 0;font-variant-numeric:tabular-nums}
"""


@dataclass(frozen=True, eq=False)
class Trace:
    """One clip's motion, N frames."""

    times: NDArray[Any]
    """(N,) seconds."""
    read: NDArray[Any]
    """(N, K, 6): shift and affine as the model read them."""
    calmed: NDArray[Any]
    """The same after the filter."""
    shown: NDArray[Any]
    """The same of the avatar."""
    relative: NDArray[Any]
    """(N, K, 2, 2): affines of the driver since the reference."""
    distance: NDArray[Any]
    """(N,): of the pose to the reference's."""
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
            puppeteer.set_avatar(puppeteer.make_avatar(images.crop(picture, square, size=512), options.avatar.stem))
            trace = follow(_frames(options.clip, finder, puppeteer.size), puppeteer, options)
            text = page(trace, puppeteer.part_names, title=f"{options.clip.name} drives {options.avatar.name}")
        _write(options.output, text)
    except (EngineError, PuppetError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{options.output}: {len(trace.times)} frames; {'; '.join(f'{a}: {b}' for a, b in figures(trace))}")
    return 0


def follow(frames: Iterator[Frame], puppeteer: Puppeteer, options: argparse.Namespace) -> Trace:
    """Drive the avatar, frame by frame, and note everything.

    Raises:
        PuppetError: no frame gives a usable motion.
    """
    settings = LiveSettings(strength=options.strength, limits=options.limits)
    smoother, first = Smoother(), None
    rows: list[tuple[Any, ...]] = []
    for frame in frames:
        motion = puppeteer.read(frame.image)
        if not is_usable(motion):
            continue
        calmed = smoother.smooth(motion, frame.captured_at, options.smoothing)
        first = first or calmed
        rendered = puppeteer.animate(calmed, frame, settings)
        rows.append(
            (
                frame.captured_at,
                _values(motion),
                _values(calmed),
                _values(rendered.target),
                calmed.affine @ inverse(first.affine),
                pose_distance(calmed, first),
                rendered.limited,
                _jpeg(frame.image, rendered.image),
            )
        )
    if not rows:
        raise PuppetError("no frame of the clip gives a usable motion; give another clip")
    columns = list(zip(*rows, strict=True))
    return Trace(*(np.array(column) for column in columns[:-1]), pictures=list(columns[-1]))


def figures(trace: Trace) -> list[tuple[str, str]]:
    """What the page says in numbers."""
    before, after = (float(np.diff(each[:, :, :2], axis=0).std()) for each in (trace.read, trace.calmed))
    stretch = np.abs(np.log(np.linalg.svd(trace.relative, compute_uv=False)))
    return [
        ("frames", f"{len(trace.times)} in {trace.times[-1] - trace.times[0]:.1f} s"),
        ("change from frame to frame, filtered over read", f"{after / before:.2f}" if before else "-"),
        ("distance to the reference, most", f"{trace.distance.max():.3f} (breaks at {DRIFTED})"),
        ("stretch of a part, most", f"{np.exp(stretch.max()):.2f} times"),
        ("frames in which limits acted", f"{(trace.limited > 0).mean():.0%}"),
    ]


def page(trace: Trace, names: Sequence[str], *, title: str) -> str:
    """Everything in one HTML text; it loads nothing."""
    body = [f"<h1>{escape(title)}</h1><table>"]
    body += [f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in figures(trace)]
    evenly = np.unique(np.linspace(0, len(trace.times) - 1, SHOWN).astype(int))
    body += ["</table><h2>Frames</h2>", *(_figure(trace, index) for index in evenly)]
    for heading, drawn in plots(trace, names):
        body.append(f'<h2>{escape(heading)}</h2><img alt="{escape(heading)}" src="{_svg(drawn)}">')
    worst = np.sort(np.argsort(-trace.limited, kind="stable")[:SHOWN])
    held = [_figure(trace, index) for index in worst if trace.limited[index] > 0]
    body += ["<h2>Frames in which limits acted most</h2>", *(held or ["<p>None.</p>"])]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def plots(trace: Trace, names: Sequence[str]) -> Iterator[tuple[str, Figure]]:
    """Headings, and what is drawn below each."""
    for column, way in enumerate(("across", "down")):
        yield (
            f"Where the parts are, {way}: the driver's, and the avatar's dashed",
            _lines(trace, [(trace.calmed[:, :, column], "-"), (trace.shown[:, :, column], "--")], names),
        )
    values = np.log(np.linalg.svd(trace.relative, compute_uv=False))
    yield (
        "Stretch since the reference: logarithm of either singular value",
        _lines(trace, [(values[:, :, 0], "-"), (values[:, :, 1], "-")], names),
    )
    angles = np.degrees(
        np.arctan2(
            trace.relative[..., 1, 0] - trace.relative[..., 0, 1], trace.relative[..., 0, 0] + trace.relative[..., 1, 1]
        )
    )
    yield "Turn since the reference, degrees", _lines(trace, [(angles, "-")], names)
    few = [names.index(name) for name in FEW if name in names] or list(range(min(4, len(names))))
    parts = [names[index] for index in few]
    yield (
        "Filter: down, as read (thin) and as calmed",
        _lines(trace, [(trace.read[:, few, 1], ":"), (trace.calmed[:, few, 1], "-")], parts),
    )
    yield (
        f"Distance to the reference's pose (breaks at {DRIFTED}), and share of parts held back by limits, dashed",
        _lines(trace, [(trace.distance[:, None], "-"), (trace.limited[:, None] / len(names), "--")], [""]),
    )


def _lines(trace: Trace, groups: Sequence[tuple[NDArray[Any], str]], names: Sequence[str]) -> Figure:
    """A line a part, in the same colour in every group; values (N, parts)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes: Axes = figure.subplots()
    for values, style in groups:
        for part, name in enumerate(names):
            label = name if style == groups[-1][1] and values is groups[-1][0] and len(names) > 1 else None
            axes.plot(trace.times, values[:, part], style, color=f"C{part % 10}", linewidth=0.9, label=label)
    axes.set_xlabel("seconds")
    axes.margins(x=0)
    axes.grid(alpha=0.3)
    if len(names) > 1:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=6, ncols=1 + len(names) // 12)
    return figure


def _svg(figure: Figure) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(content.getvalue()).decode()}"


def _figure(trace: Trace, index: int) -> str:
    data = base64.b64encode(trace.pictures[index]).decode()
    held = f", {trace.limited[index]} parts held back" if trace.limited[index] else ""
    caption = f"{trace.times[index]:.2f} s{held}"
    return (
        f'<figure><img alt="{caption}" src="data:image/jpeg;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )


def _frames(path: Path, finder: FaceFinder, side: int) -> Iterator[Frame]:
    video = VideoFile(path)
    square = framing.frame_clip(video.sample(), finder, name=path.name)
    for frame in video.frames():
        yield Frame(images.crop(frame.image, square, size=side), frame.index, frame.captured_at)


def _values(motion: Motion) -> NDArray[Any]:
    return np.concatenate([motion.shift, motion.affine.reshape(-1, 4)], axis=1)


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
    add("--no-limits", dest="limits", action="store_false", help="let parts go as far as they are driven")
    add("--force", action="store_true", help="replace the page if it is there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
