"""An evaluation told to people: tables for the terminal, a page with pictures, a sheet of the worst frames."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from engines.training.gestures import GESTURES
from engines.training.judge import FIGURES
from engines.training.metrics import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from engines.faces import Image
    from engines.training.evaluation import Sample
    from engines.training.results import EvaluationResult, Figures

TITLES = {
    "l1": "L1",
    "perceptual": "LPIPS-like",
    "akd": "AKD",
    "akd_mouth": "mouth",
    "akd_eyes": "eyes",
    "aed": "AED",
    "missed": "missed",
}
"""Of the columns, by figure."""
Row = list[str]
_NAME = len("copy the first frame")
_DIGITS = {"l1": 4, "perceptual": 4, "aed": 3}

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;margin:.6rem 0 1.6rem}td,th{padding:.2rem .7rem;border-bottom:1px solid #d8dee4}
th{text-align:left;font-weight:600}td+td,th+th{text-align:right;font-variant-numeric:tabular-nums}
figure{display:inline-block;margin:.4rem .8rem .8rem 0;width:24rem}figure img{width:32%;border-radius:4px}
figcaption{font-size:.8rem;color:#57606a;overflow-wrap:anywhere}.scroll{overflow-x:auto}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}td,th{border-color:#30363d}}
"""


def as_text(result: EvaluationResult) -> RenderableType:
    """Tables for the terminal."""
    parts: list[RenderableType] = []
    for title, header, rows in _tables(result):
        table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for index, name in enumerate(header):
            table.add_column(
                name, justify="right" if index else "left", no_wrap=True, min_width=_NAME if not index else 4
            )
        for row in rows:
            table.add_row(Text(_shortened(row[0])), *(Text(cell) for cell in row[1:]))
        parts.append(table)
    parts += [Text(f"Not measured: {sentence}") for sentence in result.left_out]
    return Group(*parts)


def as_html(result: EvaluationResult, samples: Sequence[Sample], *, worst: int = 12) -> str:
    """One page with everything in it: tables, the worst frames, and one frame of each clip and pair."""
    title = f"Evaluation of {result.model or 'copying the first frame'}"
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(_about(result))}</p>"]
    body += [f"<p>Not measured: {escape(sentence)}</p>" for sentence in result.left_out]
    body += [_html_table(*table) for table in _tables(result)]
    one_a_clip = {sample.clip: sample for sample in samples if not sample.is_cross}
    for heading, chosen in (
        ("Worst frames by key point distance", worst_first(samples)[:worst]),
        ("Reconstruction", list(one_a_clip.values())),
        ("Other people's portraits", [sample for sample in samples if sample.is_cross]),
    ):
        if chosen:
            body.append(f"<h2>{escape(heading)}</h2><p>From left to right: driving frame, result, avatar.</p>")
            body += [_figure(sample) for sample in chosen]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{''.join(body)}</body></html>\n"
    )


def worst_first(samples: Iterable[Sample]) -> list[Sample]:
    """Reconstructed frames by falling key point distance; those whose face was lost come first."""
    reconstructed = [sample for sample in samples if not sample.is_cross]
    return sorted(reconstructed, key=lambda sample: float("inf") if sample.akd is None else sample.akd, reverse=True)


def contact_sheet(samples: Sequence[Sample], *, across: int = 4, side: int = 192) -> Image:
    """Driving frame, result and avatar of each sample side by side, uint8 (H, W, 3) RGB, with a caption each.

    Args:
        samples: at least one.
        across: samples in a row.
        side: of each picture, pixels.
    """
    caption = 20
    rows = -(-len(samples) // across)
    sheet = np.full((rows * (side + caption), min(across, len(samples)) * 3 * side, 3), 255, np.uint8)
    for number, sample in enumerate(samples):
        top, left = number // across * (side + caption), number % across * 3 * side
        for place, data in enumerate((sample.driving, sample.result, sample.avatar)):
            start = left + place * side
            sheet[top + caption : top + caption + side, start : start + side] = _picture(data, side)
        text = f"{_akd(sample)}  {sample.title}"
        room = sheet[top : top + caption, left : left + 3 * side]
        cv2.putText(room, text[: side * 3 // 7], (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return sheet


def _tables(result: EvaluationResult) -> list[tuple[str, Row, list[Row]]]:
    tables = [
        ("Mean over the clips (key point distances in pixels at 256)", ["", *TITLES.values()], _mean_rows(result))
    ]
    if result.summary.flicker_ratio is not None:
        rows = [["change of the result over the driver's own", _number(result.summary.flicker_ratio, 2)]]
        tables.append(("Flicker while the driver is still", ["", "ratio"], rows))
    if result.summary.cross:
        header = ["", "pairs", "AED", "missed", *GESTURES]
        tables.append(("Other people's portraits in relative motion", header, _cross_rows(result)))
    tables.append(("Clips", ["clip", *TITLES.values(), "xL1", "xAKD"], _clip_rows(result)))
    return tables


def _mean_rows(result: EvaluationResult) -> list[Row]:
    summary = result.summary
    rows = [["copy the first frame", *_cells(summary.baseline)]]
    if summary.result and summary.ratio:
        rows.append([result.model or "model", *_cells(summary.result)])
        rows.append(["ratio", *(_number(summary.ratio[name], 3) for name in FIGURES)])
    return rows


def _cross_rows(result: EvaluationResult) -> list[Row]:
    rows = []
    for masks, cross in result.summary.cross.items():
        figures = [str(cross.pairs), _number(cross.aed, 3), _number(cross.missed, 3)]
        rows.append(
            [f"{masks} masks: correlation", *figures, *(_number(cross.correlation[name], 2) for name in GESTURES)]
        )
        rows.append([f"{masks} masks: gain", "", "", "", *(_number(cross.gain[name], 2) for name in GESTURES)])
        rows.append(["pairs with that gesture", "", "", "", *(str(cross.counted[name]) for name in GESTURES)])
    return rows


def _clip_rows(result: EvaluationResult) -> list[Row]:
    rows = []
    for clip in result.clips:
        baseline = clip.baseline()
        figures = clip.figures() if clip.frames[0].result else None
        shown = figures or baseline
        ratios = [_number(ratio(figures[name], baseline[name]) if figures else None, 2) for name in ("l1", "akd")]
        rows.append([clip.clip, *_cells(shown), *ratios])
    return rows


def _cells(figures: Figures) -> Row:
    return [_number(figures[name], _DIGITS.get(name, 2)) for name in FIGURES]


def _shortened(name: str, *, most: int = 44) -> str:
    """Beginning and end of a long file name."""
    return name if len(name) <= most else f"{name[: most // 2 - 1]}..{name[-(most // 2 - 1) :]}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _picture(data: bytes, side: int) -> Image:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)[..., ::-1], np.uint8)


def _akd(sample: Sample) -> str:
    return "no face" if sample.akd is None else f"{sample.akd:.1f} px"


def _about(result: EvaluationResult) -> str:
    options = result.options
    parts = [
        f"{len(result.clips)} clips of {result.clips_folder}, {options.frames} frames each, "
        f"driven from the clip's first frame in absolute motion with {options.masks} masks",
        f"{options.pairs} pairs of {options.pair_frames} frames in relative motion" if result.pairs else "",
        f"by {result.backend}" if result.backend else "",
        f"in {result.seconds:.0f} s",
    ]
    return ", ".join(part for part in parts if part) + "."


def _html_table(title: str, header: Row, rows: list[Row]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<h2>{escape(title)}</h2><div class="scroll"><table><tr>{head}</tr>{lines}</table></div>'


def _figure(sample: Sample) -> str:
    pictures = "".join(
        f'<img alt="{name}" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'
        for name, data in (("driving frame", sample.driving), ("result", sample.result), ("avatar", sample.avatar))
    )
    caption = sample.title if sample.is_cross else f"{sample.title}: {_akd(sample)}"
    return f"<figure>{pictures}<figcaption>{escape(caption)}</figcaption></figure>"
