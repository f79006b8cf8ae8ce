"""What a GPU report holds, and how it reads: one JSON and one Markdown file from the same figures."""

from __future__ import annotations

from collections import Counter
from datetime import datetime  # noqa: TC003 - pydantic reads the annotations at run time
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Iterator

EAGER, EAGER_KEPT, COMPILED = "PyTorch eager fp32", "PyTorch eager fp32, avatar kept", "torch.compile fp16"
PUBLISHED, BUNDLED = "vox-10", "default"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Device(_Frozen):
    """The GPU, as CUDA sees it."""

    name: str
    capability: str = Field(description="compute capability, such as 9.0")
    memory_gib: float
    driver: str = Field(description="newest CUDA that the driver knows")
    cuda: str = Field(description="of the bindings")


class Figures(_Frozen):
    """Milliseconds of one quantity."""

    mean: float
    p50: float
    p90: float
    p99: float


class Way(_Frozen):
    """One way to run a model, frame by frame, copies included."""

    name: str
    description: str
    frame: Figures = Field(description="from bytes in to bytes out, and whatever the host does between")
    psnr: float | None = Field(None, description="of pictures against float32, dB")
    build_s: float | None = Field(None, description="of all engines together, seconds")
    megabytes: float | None = Field(None, description="of all engines together")
    pieces: dict[str, dict[str, Figures]] = Field(
        default_factory=dict, description="of each engine and of both in a row, by trtexec's names"
    )


class ModelFigures(_Frozen):
    """Everything that was measured of one model."""

    model: str
    family: str
    size: int
    ways: tuple[Way, ...]


class Check(_Frozen):
    """One test of tests/gpu."""

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    detail: str = ""


class GpuReport(_Frozen):
    """The whole report."""

    made_at: datetime
    seconds: float = Field(description="that it took")
    device: Device
    backend: str = Field(description="what ran, with its version")
    stand_in: str | None = Field(None, description="why it was not TensorRT")
    platform: str
    packages: dict[str, str]
    models: tuple[ModelFigures, ...]
    checks: tuple[Check, ...]
    missing: tuple[str, ...] = Field((), description="what was not measured or is off, and why")


class Target(_Frozen):
    """Something to reach."""

    what: str
    wanted: str
    found: str
    is_met: bool | None = Field(description="None: it was not measured")


def targets(report: GpuReport) -> list[Target]:
    """What a data-centre GPU is to reach, and what was found here."""
    found = {each.model: _ways(each) for each in report.models}
    published, bundled = found.get(PUBLISHED, {}), found.get(BUNDLED, {})
    best, eager, compiled = _best(published), published.get(EAGER), published.get(COMPILED)
    small = _best(bundled)
    return [
        _at_most(f"{PUBLISHED}, whole frame with copies, p50", 1.2, best, unit="ms"),
        _ratio(f"{PUBLISHED} against {EAGER}", 8.0, best, eager),
        _ratio(f"{PUBLISHED} against {COMPILED}", 2.0, best, compiled),
        Target(
            what=f"{PUBLISHED}, PSNR of pictures against float32",
            wanted="at least 45 dB",
            found="not measured" if best is None or best.psnr is None else f"{best.psnr:.1f} dB",
            is_met=None if best is None or best.psnr is None else best.psnr >= 45,
        ),
        _at_most(f"{BUNDLED}, whole frame with copies, p50", 0.6, small, unit="ms"),
    ]


def render(report: GpuReport) -> str:
    """The report as Markdown."""
    return "\n".join([*_head(report), *_targets(report), *_models(report), *_checks(report), *_tail(report)]) + "\n"


def _ways(model: ModelFigures) -> dict[str, Way]:
    return {way.name: way for way in model.ways}


def _best(ways: dict[str, Way]) -> Way | None:
    """The fastest that is this program's own."""
    own = [way for name, way in ways.items() if name not in (EAGER, EAGER_KEPT, COMPILED)]
    return min(own, key=lambda way: way.frame.p50, default=None)


def _at_most(what: str, limit: float, way: Way | None, *, unit: str) -> Target:
    value = None if way is None else way.frame.p50
    found = "not measured" if value is None else f"{value:.2f} {unit}"
    return Target(
        what=what, wanted=f"under {limit} {unit}", found=found, is_met=None if value is None else value < limit
    )


def _ratio(what: str, limit: float, way: Way | None, peer: Way | None) -> Target:
    ratio = None if way is None or peer is None else peer.frame.p50 / way.frame.p50
    found = "not measured" if ratio is None else f"{ratio:.1f} times as fast"
    return Target(
        what=what,
        wanted=f"at least {limit:g} times as fast",
        found=found,
        is_met=None if ratio is None else ratio >= limit,
    )


def _head(report: GpuReport) -> Iterator[str]:
    device = report.device
    yield f"# {device.name}"
    yield ""
    yield f"Made by `tools/gpu_report.py` on {report.made_at:%Y-%m-%d} in {report.seconds:.0f} s."
    yield ""
    yield f"- {report.backend}"
    if report.stand_in is not None:
        yield f"- It stands in for TensorRT: {report.stand_in}"
    yield (
        f"- Compute capability {device.capability}, {device.memory_gib:.0f} GiB, driver for CUDA {device.driver}, "
        f"bindings of CUDA {device.cuda}"
    )
    yield f"- {report.platform}"
    yield f"- {', '.join(f'{name} {version}' for name, version in report.packages.items())}"
    yield ""


def _targets(report: GpuReport) -> Iterator[str]:
    words = {True: "met", False: "**not met**", None: "not measured"}
    yield "## Targets"
    yield ""
    yield "They are for a data-centre GPU; on others they only give a measure."
    yield ""
    yield "| | wanted | found | |"
    yield "|---|---|---|---|"
    for each in targets(report):
        yield f"| {each.what} | {each.wanted} | {each.found} | {words[each.is_met]} |"
    yield ""


def _models(report: GpuReport) -> Iterator[str]:
    for model in report.models:
        yield f"## {model.model} ({model.family}, {model.size} pixels)"
        yield ""
        yield "Whole frames, with copies, milliseconds; PSNR is against float32."
        yield ""
        yield "| | p50 | p90 | p99 | frames a second | PSNR | build | engines |"
        yield "|---|---|---|---|---|---|---|---|"
        yield from map(_row, model.ways)
        yield ""
        yield from (f"- {way.name}: {way.description}" for way in model.ways)
        yield ""
        for way in model.ways:
            yield from _pieces(way)


def _row(way: Way) -> str:
    frame = way.frame
    cells = [
        way.name,
        *(f"{value:.2f}" for value in (frame.p50, frame.p90, frame.p99)),
        f"{1000 / frame.mean:.0f}",
        "" if way.psnr is None else f"{way.psnr:.1f} dB",
        "" if way.build_s is None else f"{way.build_s:.0f} s",
        "" if way.megabytes is None else f"{way.megabytes:.1f} MB",
    ]
    return f"| {' | '.join(cells)} |"


def _pieces(way: Way) -> Iterator[str]:
    if not way.pieces:
        return
    yield f"{way.name}, in trtexec's words, milliseconds:"
    yield ""
    yield "| | | mean | p50 | p90 | p99 |"
    yield "|---|---|---|---|---|---|"
    for name, quantities in way.pieces.items():
        for what, each in quantities.items():
            yield f"| {name} | {what} | {each.mean:.3f} | {each.p50:.3f} | {each.p90:.3f} | {each.p99:.3f} |"
    yield ""


def _checks(report: GpuReport) -> Iterator[str]:
    yield "## Checks (`tests/gpu`)"
    yield ""
    skipped = Counter(check.detail for check in report.checks if check.outcome == "skipped")
    for check in report.checks:
        detail = f": {check.detail}" if check.detail else ""
        if check.outcome != "skipped":
            yield f"- {check.outcome}: {check.name}{detail}"
    yield from (f"- skipped: {count}, as {reason}" for reason, count in skipped.items())
    if not report.checks:
        yield "None was run."
    yield ""


def _tail(report: GpuReport) -> Iterator[str]:
    if report.missing:
        yield "## Not measured, or not as it should be"
        yield ""
        yield from (f"- {sentence}" for sentence in report.missing)
        yield ""
