"""Measure everything that needs an NVIDIA GPU in one call, within eight minutes, and write a report to send.

Builds the engines of the bundled model and of the published vox-10 configuration (with random weights: speed does not
depend on them; needs PyTorch), compares and measures them beside PyTorch on the same GPU, and runs tests/gpu. Where
TensorRT cannot be had, TensorRT-RTX or ONNX Runtime's CUDA provider stands in. Every part runs in a process of its
own, and the files are written anew after each: whatever fails is named in them and takes nothing else along. Nothing
is sent anywhere.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console

from engines import backends
from engines.backends import trt_vendor
from engines.backends.base import BackendSettings
from engines.errors import BackendError
from engines.model_folder import BUNDLED as BUNDLED_FOLDER
from engines.model_folder import ModelFolder
from puppet.images import write_bytes
from tools import gpu_figures
from tools.gpu_figures import (
    BUNDLED,
    COMPILED,
    EAGER,
    EAGER_KEPT,
    PUBLISHED,
    Check,
    Device,
    GpuReport,
    ModelFigures,
    Way,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
PART = (sys.executable, "-m", "tools.gpu_parts")
INTERRUPTED = 130
BUDGET_S = 470.0
"""Eight minutes with what comes before and after."""
ENGINES = ("tensorrt", "tensorrt-rtx", "onnxrt-cuda")
"""The first that can be used is measured."""
PACKAGES = (
    "tensorrt", "tensorrt-rtx-cu13-libs", "onnxruntime", "onnxruntime-gpu", "cuda-bindings", "onnx", "torch", "numpy",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One process."""

    title: str
    kind: str
    model: str = ""
    way: str = ""
    most_s: float = 60.0
    """It is ended after so long, and not begun in a quarter of it."""

    @property
    def least_s(self) -> float:
        """With less time left it is not begun."""
        return self.most_s / 4

    def limit_s(self, left: float) -> float:
        """Seconds after which it is ended, if so many are left of all."""
        return min(self.most_s, left)


def parts(backend: str) -> list[Part]:
    """What is measured, the most wanted first, so that a slow machine loses the least."""
    half, whole = ((f"{backend} {precision}", "engines", precision) for precision in ("fp16", "fp32"))

    def of(model: str, way: tuple[str, str, str], most_s: float) -> Part:
        title, kind, name = way
        return Part(title, kind, model, name, most_s)

    eager, kept, compiled = ((name, "peer", name) for name in (EAGER, EAGER_KEPT, COMPILED))
    return [
        of(BUNDLED, half, 120),
        Part(f"export of {PUBLISHED}", "export", most_s=100),
        of(PUBLISHED, half, 180),
        of(PUBLISHED, eager, 45),
        of(PUBLISHED, compiled, 140),
        Part("tests/gpu", "tests", most_s=150),
        of(BUNDLED, eager, 40),
        of(BUNDLED, compiled, 90),
        of(PUBLISHED, kept, 40),
        of(BUNDLED, kept, 40),
        of(BUNDLED, whole, 90),
        of(PUBLISHED, whole, 120),
    ]


@dataclass
class Gathering:
    """What was found so far."""

    scratch: Path
    ends: float
    """Of `time.perf_counter`."""
    say: Callable[[str], None]
    """Told what is done and what comes of it."""
    ways: dict[str, list[Way]] = field(default_factory=lambda: {BUNDLED: [], PUBLISHED: []})
    checks: list[Check] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def left(self) -> float:
        """Seconds."""
        return self.ends - time.perf_counter()

    def run(self, part: Part, backend: str) -> None:
        """Add what a part finds, and why it found no more."""
        where = f"{part.model}, {part.title}" if part.model else part.title
        if self.left < part.least_s:
            self._miss(f"{where}: no time was left")
            return
        if part.model == PUBLISHED and not (self.scratch / PUBLISHED).is_dir():
            self._miss(f"{where}: there is no {PUBLISHED} to measure")
            return
        self.say(f"{where} ({self.left:.0f} s left)")
        findings = self.scratch / "findings.jsonl"
        findings.unlink(missing_ok=True)
        ending = self._process(part, backend, findings)
        lines = findings.read_text(encoding="utf-8").splitlines() if findings.exists() else []
        for found in map(json.loads, lines):
            self._take(part, found)
        if ending is not None:
            self._miss(f"{where}: {ending}")

    def _take(self, part: Part, found: dict[str, Any]) -> None:
        if "way" in found:
            way = Way.model_validate(found["way"])
            self.ways[part.model].append(way)
            psnr = "" if way.psnr is None else f", {way.psnr:.1f} dB"
            self.say(f"  p50 {way.frame.p50:.2f} ms, p99 {way.frame.p99:.2f} ms{psnr}")
        elif "check" in found:
            check = Check.model_validate(found["check"])
            self.checks.append(check)
            self.say(f"  {check.outcome}: {check.name} {check.detail}".rstrip())
        else:
            self._miss(f"{part.model}, {found['missing']}" if part.model else found["missing"])

    def _miss(self, sentence: str) -> None:
        self.missing.append(sentence)
        self.say(f"warning: {sentence}")

    def _process(self, part: Part, backend: str, findings: Path) -> str | None:
        """Why it did not come to its end; None if it did, or says itself what it could not."""
        limit = part.limit_s(self.left)
        flags = {"title": part.title, "model": part.model, "way": part.way, "backend": backend}
        flags |= {"scratch": str(self.scratch), "findings": str(findings)}
        command = [*PART, part.kind, *(f"--{name}={value}" for name, value in flags.items())]
        log = self.scratch / "part.log"
        with log.open("w") as said:
            try:
                code = subprocess.run(
                    command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT, timeout=limit, check=False
                ).returncode
            except subprocess.TimeoutExpired:
                return f"not finished in {limit:.0f} s"
        if code in (0, 2) and (code == 0 or findings.exists()):
            return None
        words = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return f"it ended with {code} ({words[-1][:300] if words else 'nothing was said'})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Gather and write; returns the exit code: 0, or 2 where there is no GPU to report on."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        device, (backend, stand_in) = _device(), _backend()
        options.output.mkdir(parents=True, exist_ok=True)
    except BackendError as error:
        console.print(f"error: {error}")
        return 2
    except OSError as error:
        console.print(f"error: {options.output} cannot be made ({error.strerror}); choose another with --output")
        return 2
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        gathering = Gathering(Path(scratch), started + options.seconds, console.print)
        try:
            for part in parts(backend):
                gathering.run(part, backend)
                report = _report(gathering, device, backend, stand_in, time.perf_counter() - started)
                written = save(report, options.output)
        except KeyboardInterrupt:
            console.print("interrupted; what was measured before is written")
            return INTERRUPTED
    for path in written:
        console.print(f"written: {path}")
    return 0


def save(report: GpuReport, folder: Path) -> list[Path]:
    """Write both files, named after GPU and day."""
    device = "".join(letter if letter.isalnum() else "-" for letter in report.device.name).lower()
    stem = f"{report.made_at:%Y-%m-%d}-{device}"
    contents = {".json": report.model_dump_json(indent=2) + "\n", ".md": gpu_figures.render(report)}
    for suffix, text in contents.items():
        write_bytes(folder / f"{stem}{suffix}", text.encode())
    return [folder / f"{stem}{suffix}" for suffix in contents]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gpu_report.py", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "reports", metavar="DIR", help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=BUDGET_S, help="to take at most, about (%(default)g)")
    return parser


def _device() -> Device:
    """The first GPU.

    Raises:
        BackendError: there is none, or CUDA's bindings are missing.
    """
    cudart = trt_vendor.import_cudart()
    found = trt_vendor.first_gpu(cudart)
    if found is None:
        raise BackendError("CUDA finds no GPU here; python main.py doctor says what is missing")
    driver, cuda = (
        trt_vendor.version_text(trt_vendor.checked(ask(), "it was asked for its version"))
        for ask in (cudart.cudaDriverGetVersion, cudart.cudaRuntimeGetVersion)
    )
    return Device(
        name=trt_vendor.device_name(found),
        capability=trt_vendor.capability(found),
        memory_gib=round(found.totalGlobalMem / 2**30, 1),
        driver=driver,
        cuda=cuda,
    )


def _backend() -> tuple[str, str | None]:
    """The first backend that can be used, and if that is not TensorRT, why not.

    Raises:
        BackendError: none can; the sentence says why of each.
    """
    reasons = []
    for name in ENGINES:
        reason = backends.get(name).why_unavailable()
        if reason is None:
            return name, "; ".join(reasons) or None
        reasons.append(f"{name}: {reason}")
    raise BackendError("; ".join(reasons))


def _report(gathering: Gathering, device: Device, backend: str, stand_in: str | None, seconds: float) -> GpuReport:
    folders = {BUNDLED: BUNDLED_FOLDER, PUBLISHED: gathering.scratch / PUBLISHED}
    specs = {name: ModelFolder.read(folder).spec for name, folder in folders.items() if folder.is_dir()}
    return GpuReport(
        made_at=datetime.now(timezone.utc),
        seconds=round(seconds, 1),
        device=device,
        backend=backends.get(backend).describe(BackendSettings()),
        stand_in=stand_in,
        platform=f"{platform.platform()}, Python {platform.python_version()}",
        packages=dict(_versions()),
        models=tuple(
            ModelFigures(model=name, family=spec.family, size=spec.size, ways=tuple(gathering.ways[name]))
            for name, spec in specs.items()
        ),
        checks=tuple(gathering.checks),
        missing=tuple(gathering.missing),
    )


def _versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


if __name__ == "__main__":
    sys.exit(main())
