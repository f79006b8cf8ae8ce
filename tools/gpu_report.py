"""Measure everything that needs an NVIDIA GPU in one call, within eight minutes, and write a report to send.

Builds the engines of the bundled model and of the published vox-10 configuration (with random weights: speed does not
depend on them; needs PyTorch), verifies and measures them beside PyTorch on the same GPU, and runs tests/gpu. What
cannot be measured is named in the report. Nothing is sent anywhere.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from rich.console import Console

from engines.backends import trt_vendor
from engines.backends.base import BackendSettings
from engines.building import benchmark, inventory, samples
from engines.building.build import build
from engines.building.monitor import BuildMonitor
from engines.building.verify import verify
from engines.engine_spec import BuildOptions
from engines.errors import EngineError
from engines.gpu_peer import GpuPeer
from engines.model_folder import BUNDLED, ModelFolder
from puppet import config
from puppet.images import write_bytes
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame
from tools import gpu_figures
from tools.gpu_figures import COMPILED, EAGER, PUBLISHED, Check, Figures, GpuReport, ModelFigures, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engines.engine_spec import EnginePrecision, Machine
    from engines.gpu_peer import Way as PeerWay
    from puppet.types import Image

ROOT = Path(__file__).parents[1]
SHAPES = ROOT / "tests" / "data" / "shapes.json"
"""Holds the published configurations."""
BUDGET_S = 480.0
MEASURED_S, WARM_UP = 3.0, 30
TESTS_S = 240.0
PACKAGES = ("tensorrt", "tensorrt-rtx-cu13-libs", "cuda-bindings", "onnx", "onnxruntime", "torch", "numpy")
PEERS: tuple[tuple[str, PeerWay, bool], ...] = (
    (EAGER, "eager fp32", False),
    ("PyTorch eager fp32, avatar kept", "eager fp32", True),
    (COMPILED, "compiled fp16", True),
)


class Gathering:
    """Collects figures until the time is up."""

    def __init__(self, machine: Machine, folder: Path, say: Callable[[str], None], *, budget_s: float) -> None:
        self.machine, self.folder, self.say = machine, folder, say
        self.started = time.perf_counter()
        self._ends = self.started + budget_s
        self.missing: list[str] = []

    @property
    def left(self) -> float:
        """Seconds."""
        return self._ends - time.perf_counter()

    def tried(self, what: str, least_s: float, measure: Callable[[], Way]) -> list[Way]:
        """One way, or none and the reason why."""
        if self.left < least_s:
            self.missing.append(f"{what}: no time was left")
            return []
        self.say(f"{what} ({self.left:.0f} s left)")
        try:
            return [measure()]
        except (EngineError, RuntimeError) as error:  # PyTorch raises RuntimeErrors of many kinds
            self.missing.append(f"{what}: {' '.join(str(error).split())}")
            return []

    def model(self, model: ModelFolder, name: str) -> ModelFigures:
        """Engines in both precisions, then PyTorch."""
        ways: list[Way] = []
        for precision in ("fp16", "fp32"):
            title = f"{self.machine.backend} {precision}"
            ways += self.tried(f"{name}, {title}", 30, lambda p=precision, t=title: self._engines(model, p, t))  # type: ignore[misc]
        for title, way, is_cached in PEERS:
            ways += self.tried(f"{name}, {title}", 40, lambda t=title, w=way, c=is_cached: _peer(model, t, w, c))  # type: ignore[misc]
        return ModelFigures(model=name, family=model.spec.family, size=model.spec.size, ways=tuple(ways))

    def _engines(self, model: ModelFolder, precision: EnginePrecision, title: str) -> Way:
        images = samples.pictures(model, config.avatars()[:3])
        monitor = BuildMonitor(lambda progress: None, lambda: False, total=len(model.spec.roles))
        options = BuildOptions(precision=precision)
        files = [
            build(model, role, self.folder, target=self.machine, options=options, monitor=monitor)
            for role in model.spec.roles
        ]
        parities = {file.spec.role: verify(file, model, images) for file in files}
        reports = benchmark.measure(
            model, self.folder, images, backend=self.machine.backend, precision=precision, seconds=1.0
        )
        settings = BackendSettings(precision=precision, engine_folder=self.folder)
        with Puppeteer(model, backend=self.machine.backend, engine_settings=settings) as puppeteer:
            frame = _frames(puppeteer, [image[0] for image in images])
            description = puppeteer.description
        return Way(
            name=title,
            description=description,
            frame=frame,
            psnr=parities["generator"]["image"].psnr,
            build_s=sum(file.spec.build_s for file in files),
            megabytes=sum(file.spec.engine_bytes for file in files) / 1e6,
            pieces={report.name: {what: _of(each) for what, each in report.figures.items()} for report in reports},
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Gather and write; returns the exit code: 0, or 2 where there is no GPU to report on."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    machines = [each for each in inventory.installed() if each.device is not None]
    if not machines:
        console.print("error: no TensorRT with a GPU is here; python main.py doctor says what is missing")
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        report = gather(machines[0], Path(scratch), console.print, budget_s=options.seconds)
    for path in save(report, options.output):
        console.print(f"written: {path}")
    return 0


def gather(machine: Machine, scratch: Path, say: Callable[[str], None], *, budget_s: float = BUDGET_S) -> GpuReport:
    """Measure within about so many seconds; engines are built in the scratch folder."""
    gathering = Gathering(machine, scratch / "engines", say, budget_s=budget_s)
    models = [gathering.model(ModelFolder.read(BUNDLED), gpu_figures.BUNDLED)]
    published = _published(gathering, scratch / "vox")
    if published is not None:
        models.append(gathering.model(published, PUBLISHED))
    checks = _run_tests(gathering, scratch / "tests.xml")
    cudart = trt_vendor.import_cudart()
    return GpuReport(
        made_at=datetime.now(timezone.utc),
        seconds=round(time.perf_counter() - gathering.started, 1),
        machine=machine,
        memory_gib=round(trt_vendor.checked(cudart.cudaMemGetInfo(), "it was asked for its memory")[1] / 2**30, 1),
        platform=f"{platform.platform()}, Python {platform.python_version()}",
        packages=dict(_versions()),
        models=tuple(models),
        checks=tuple(checks),
        missing=tuple(gathering.missing),
    )


def save(report: GpuReport, folder: Path) -> list[Path]:
    """Write both files, named after GPU and day."""
    device = "".join(letter if letter.isalnum() else "-" for letter in report.machine.device or "gpu").lower()
    stem = f"{report.made_at:%Y-%m-%d}-{device}"
    folder.mkdir(parents=True, exist_ok=True)
    contents = {".json": report.model_dump_json(indent=2) + "\n", ".md": gpu_figures.render(report)}
    for suffix, text in contents.items():
        write_bytes(folder / f"{stem}{suffix}", text.encode())
    return [folder / f"{stem}{suffix}" for suffix in contents]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gpu_report.py", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "reports", metavar="DIR", help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=BUDGET_S, help="to take at most, about (%(default)g)")
    return parser


def _published(gathering: Gathering, folder: Path) -> ModelFolder | None:
    """The published configuration as a model folder, with random weights."""
    gathering.say(f"exporting {PUBLISHED} ({gathering.left:.0f} s left)")
    try:
        import torch

        from engines import families
        from engines.export import export_model
    except ImportError as error:
        gathering.missing.append(f"{PUBLISHED}: it is exported with PyTorch, which cannot be imported ({error})")
        return None
    configuration = json.loads(SHAPES.read_text())["mcs"][PUBLISHED]["config"]
    torch.manual_seed(0)
    try:
        return export_model(
            families.build("mcs", configuration), folder, name=PUBLISHED, licence="CC0-1.0",
            provenance="random weights", configuration=configuration,
        )  # fmt: skip
    except EngineError as error:
        gathering.missing.append(f"{PUBLISHED}: {error}")
        return None


def _frames(puppeteer: Puppeteer, images: Sequence[Image]) -> Figures:
    """Whole frames as the program runs them, relative motion and all."""
    puppeteer.set_avatar(puppeteer.make_avatar(images[0], name="avatar"))
    settings = LiveSettings()
    return _timed(lambda number: puppeteer.render(Frame(images[number % len(images)], number, 0.0), settings))


def _peer(model: ModelFolder, title: str, way: PeerWay, is_cached: bool) -> Way:
    peer = GpuPeer(model.spec, way=way, is_cached=is_cached)
    images = [image[0] for image in samples.pictures(model, config.avatars()[:3])]
    peer.set_avatar(images[0])
    frame = _timed(lambda number: peer.render(images[number % len(images)]))
    return Way(name=title, description=peer.description, frame=frame)


def _timed(run: Callable[[int], object]) -> Figures:
    for number in range(WARM_UP):
        run(number)
    times: list[float] = []
    until = time.perf_counter() + MEASURED_S
    while len(times) < WARM_UP or time.perf_counter() < until:
        started = time.perf_counter()
        run(len(times))
        times.append(1000 * (time.perf_counter() - started))
    return _of(benchmark.Figures.of(times))


def _of(figures: benchmark.Figures) -> Figures:
    rounded = {name: round(value, 4) for name, value in vars(figures).items()}
    return Figures(mean=rounded["mean"], p50=rounded["median"], p90=rounded["p90"], p99=rounded["p99"])


def _run_tests(gathering: Gathering, result: Path) -> list[Check]:
    gathering.say(f"tests/gpu ({gathering.left:.0f} s left)")
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "tests/gpu", f"--junitxml={result}"]
    try:
        subprocess.run(command, cwd=ROOT, timeout=max(60.0, min(TESTS_S, gathering.left)), check=False)
    except subprocess.TimeoutExpired:
        gathering.missing.append("tests/gpu: not finished in time; run python -m pytest -m gpu tests/gpu")
        return []
    return read_checks(result)


def read_checks(result: Path) -> list[Check]:
    """Outcomes out of pytest's own report (JUnit's XML)."""
    checks = []
    for case in ElementTree.parse(result).iter("testcase"):  # written by the pytest that was just run
        troubles = [each for each in case if each.tag in ("failure", "error", "skipped")]
        outcome = "passed" if not troubles else "skipped" if troubles[0].tag == "skipped" else "failed"
        detail = troubles[0].get("message", "").splitlines()[:1] if troubles else []
        checks.append(Check(name=case.get("name", ""), outcome=outcome, detail=" ".join(detail)))  # type: ignore[arg-type]
    return checks


def _versions() -> list[tuple[str, str]]:
    found = []
    for name in PACKAGES:
        try:
            found.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
