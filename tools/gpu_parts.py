"""One part of the GPU report, in a process of its own: what fails or hangs here takes nothing else along.

Started by tools/gpu_report.py; every finding is one line of JSON in a file, there as soon as it is known.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from engines import backends
from engines.backends.base import BackendSettings
from engines.building import benchmark, samples, timing_cache
from engines.building.build import build, target_machine
from engines.building.graph import unpack_constants
from engines.building.monitor import BuildMonitor
from engines.building.narrowing import narrow
from engines.building.verify import check, compared, parity
from engines.engine_spec import CARRY_MASKS, BuildOptions
from engines.errors import BackendError, BuildError, EngineError
from engines.gpu_peer import GpuPeer
from engines.model_folder import BUNDLED, ModelFolder, sha256, write_spec
from puppet import config
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame
from tools.gpu_figures import COMPILED, EAGER, EAGER_KEPT, PUBLISHED, Check, Figures, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from engines.engine_spec import EngineParity, EnginePrecision, TensorRtName
    from engines.gpu_peer import Way as PeerWay
    from engines.spec import RoleName
    from puppet.types import Image

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests" / "gpu"
SHAPES = ROOT / "tests" / "data" / "shapes.json"
"""Holds the published configurations."""
MEASURED_S, WARM_UP = 3.0, 30
ROLES: tuple[RoleName, ...] = ("segmenter", "encoder", "generator")
"""What a frame needs; tests/gpu builds part swap, too."""
PEERS: dict[str, tuple[PeerWay, bool]] = {
    EAGER: ("eager fp32", False),
    EAGER_KEPT: ("eager fp32", True),
    COMPILED: ("compiled fp16", True),
}


class Findings:
    """Written down one by one."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, **found: Any) -> None:
        """`way` or `check`, as its model dumps it, or `missing`, a sentence."""
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one part; returns the exit code: 2 if it cannot be done, which is then among the findings."""
    options = _parser().parse_args(arguments)
    findings = Findings(options.findings)
    try:
        _do(options, findings)
    except EngineError as error:
        findings.add(missing=f"{options.title}: {error}")
        return 2
    return 0


def _do(options: argparse.Namespace, findings: Findings) -> None:
    kind, scratch = options.kind, options.scratch
    if kind == "export":
        _export(scratch / PUBLISHED)
    elif kind == "tests":
        _test(options, findings)
    else:
        model = ModelFolder.read(scratch / PUBLISHED if options.model == PUBLISHED else BUNDLED)
        if kind == "peer":
            way = _peer(model, options.way)
        elif options.backend == "onnxrt-cuda":
            way = _as_it_is(model, options.way, scratch, title=options.title)
        else:
            way = _engines(model, options, findings)
        findings.add(way=way.model_dump())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gpu_parts", description=__doc__)
    add = parser.add_argument
    add("kind", choices=("export", "engines", "peer", "tests"))
    add("--title", required=True)
    add("--model", default="")
    add("--way", default="", help="precision of engines, or name of a peer")
    add("--backend", required=True)
    add("--scratch", type=Path, required=True)
    add("--findings", type=Path, required=True)
    return parser


def _export(folder: Path) -> None:
    """The published configuration as a model folder, with random weights."""
    try:
        import torch

        from engines import families
        from engines.export import export_model
    except ImportError as error:
        raise BackendError(f"it is exported with PyTorch, which cannot be imported ({error})") from error
    configuration = json.loads(SHAPES.read_text())["mcs"][PUBLISHED]["config"]
    torch.manual_seed(0)
    export_model(
        families.build("mcs", configuration), folder, name=PUBLISHED, licence="CC0-1.0",
        provenance="random weights", configuration=configuration,
    )  # fmt: skip


def _engines(model: ModelFolder, options: argparse.Namespace, findings: Findings) -> Way:
    """TensorRT's: built, compared, and measured in pieces and as the program runs them."""
    backend, precision = cast("TensorRtName", options.backend), cast("EnginePrecision", options.way)
    images, folder = samples.pictures(model, config.avatars()[:3]), options.scratch / "engines"
    target = target_machine(backend)
    wanted = {
        "target": target,
        "options": BuildOptions(precision=precision),
        "monitor": BuildMonitor(lambda progress: None, lambda: False, total=len(ROLES)),
        "timings": timing_cache.default_path(folder, target),
    }
    files = [build(model, role, folder, **wanted) for role in ROLES]
    found = {file.spec.role: parity(file, model, images) for file in files}
    for file in files:
        try:
            check(found[file.spec.role], file)
        except BuildError as error:
            findings.add(missing=f"{options.title}: {error}")
    settings = BackendSettings(precision=precision, engine_folder=folder)
    reports = benchmark.measure(model, images, backend=backend, settings=settings, roles=ROLES, seconds=MEASURED_S / 3)
    return _way(model, images, options.title, backend, settings).model_copy(
        update={
            "psnr": found["generator"]["image"].psnr,
            "build_s": sum(file.spec.build_s for file in files),
            "megabytes": sum(file.spec.engine_bytes for file in files) / 1e6,
            "pieces": {report.name: {what: _of(each) for what, each in report.figures.items()} for report in reports},
        }
    )


def _as_it_is(model: ModelFolder, precision: str, scratch: Path, *, title: str) -> Way:
    """ONNX Runtime's CUDA provider, which takes graphs; narrow ones are written for it."""
    images = samples.pictures(model, config.avatars()[:3])
    given = model if precision == "fp32" else _narrowed(model, scratch / f"{model.spec.name}-fp16")
    parities = _compared(given, model, images)
    settings = BackendSettings(precision=given.spec.precision)
    return _way(given, images, title, "onnxrt-cuda", settings).model_copy(update={"psnr": parities["image"].psnr})


def _narrowed(model: ModelFolder, folder: Path) -> ModelFolder:
    """The same in half precision."""
    import onnx

    folder.mkdir(parents=True)
    roles = {}
    for role in ROLES:
        entry = model.spec.roles[role]
        graph = onnx.load(model.file(role))
        unpack_constants(graph.graph)
        narrow(graph, onnx.TensorProto.FLOAT16)
        onnx.save(graph, folder / entry.file)
        roles[role] = entry.model_copy(update={"sha256": sha256(folder / entry.file)})
    write_spec(folder, model.spec.model_copy(update={"roles": roles, "precision": "fp16"}))
    return ModelFolder.read(folder)


def _compared(given: ModelFolder, model: ModelFolder, images: Sequence[Image]) -> dict[str, EngineParity]:
    """What the generator gives on the GPU, against float32 on the CPU."""
    feeds = [
        {name: value for name, value in feed.items() if name != CARRY_MASKS}
        for feed in samples.feeds(model, "generator", images)
    ]
    outputs = []
    for name, folder in (("onnxrt-cuda", given), ("onnxrt", model)):
        with backends.get(name).load(folder, "generator", BackendSettings()) as engine:
            outputs.append([engine.run(feed) for feed in feeds])
    return compared(*outputs)


def _way(model: ModelFolder, images: Sequence[Image], title: str, backend: str, settings: BackendSettings) -> Way:
    """Whole frames as the program runs them, relative motion and all."""
    pictures = [image[0] for image in images]
    with Puppeteer(model, backend=backend, engine_settings=settings) as puppeteer:
        puppeteer.set_avatar(puppeteer.make_avatar(pictures[0], name="avatar"))
        frame = _timed(
            lambda number: puppeteer.render(Frame(pictures[number % len(pictures)], number, 0.0), LiveSettings())
        )
        if puppeteer.notice is not None:
            raise BackendError(puppeteer.notice)  # what was measured is the CPU
        return Way(name=title, description=puppeteer.description, frame=frame)


def _peer(model: ModelFolder, title: str) -> Way:
    way, is_cached = PEERS[title]
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


def _test(options: argparse.Namespace, findings: Findings) -> None:
    """tests/gpu; other versions of packages may warn of what ours do not."""
    try:
        import pytest
    except ImportError as error:
        raise BackendError(f"pytest cannot be imported ({error}); install it with: pip install -e '.[dev]'") from error
    flags = ["-q", "-W", "default", "-m", "gpu", "-p", "no:cacheprovider"]
    if options.backend != "onnxrt-cuda":
        timings = timing_cache.default_path(options.scratch / "engines", target_machine(options.backend))
        flags += [] if timings is None else [f"--engine-timings={timings}"]  # what was timed needs no timing again
    code = pytest.main([*flags, str(TESTS)], plugins=[_Recorder(findings)])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise BackendError(f"pytest ended with {int(code)}; see why with: python -m pytest -m gpu tests/gpu")


class _Recorder:
    """A plugin of pytest's."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test, its set-up or its clean-up is done."""
        if report.when != "call" and report.passed:
            return
        name = report.nodeid.rpartition("::")[2]
        self._findings.add(check=Check(name=name, outcome=report.outcome, detail=_detail(report)).model_dump())


def _detail(report: pytest.TestReport) -> str:
    """One line of why."""
    if report.passed:
        return ""
    if report.skipped:
        return str(cast("Any", report.longrepr)[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr).strip().splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
