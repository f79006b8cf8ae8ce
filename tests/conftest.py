"""What every test stands on: nothing left running, no unexpected warning, no file of the user touched."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engines.model_folder import ModelFolder
    from tests.fake_gpu import FakeGpu
    from tests.fake_onnxruntime import FakeOnnxRuntime

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# The same examples in every run, and no time limit on one: machines differ.
hypothesis.settings.register_profile("puppet", max_examples=30, deadline=None, derandomize=True)
hypothesis.settings.load_profile("puppet")

THREAD_PATIENCE_S = 2.0
"""A thread that was told to stop gets this long to do so."""
VENDORS = ("torch", "onnxscript", "onnx_ir", "onnxslim")
"""Packages of the exporter; they warn about their own ways."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of engines that were built without a GPU, if any were."""
    reports = terminalreporter.getreports("passed")
    lines = [str(line) for report in reports for name, line in report.user_properties if name == "engine"]
    if lines:
        terminalreporter.section("engines built for SM75, SM80, SM86, SM89 and SM120 without a GPU")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings, caches and logs go to a temporary folder."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("CONFIG", "CACHE", "DATA", "STATE"):
            patch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
        yield


@pytest.fixture(scope="session", autouse=True)
def _terminal() -> None:
    """A terminal that is closed says so, also where the tests themselves shall outlive theirs (nohup)."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """Fail when a test leaves a Python thread running."""
    before = set(threading.enumerate())
    yield
    started = [thread for thread in threading.enumerate() if thread not in before]
    for thread in started:
        if not isinstance(thread, threading._DummyThread):  # a vendor's own thread that only passed through
            thread.join(THREAD_PATIENCE_S)
    left = [thread.name for thread in started if thread.is_alive() and not isinstance(thread, threading._DummyThread)]
    assert not left, f"threads left running: {', '.join(left)}"


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(VENDORS):
            self.records.append(record)


@pytest.fixture(autouse=True)
def _no_unexpected_warning(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail on a log record of WARNING or above; a test that takes `caplog` looks at them itself."""
    if "caplog" in request.fixturenames:
        yield
        return
    collector = _Collector()
    logging.getLogger().addHandler(collector)
    yield
    logging.getLogger().removeHandler(collector)
    assert not collector.records, [f"{record.name}: {record.getMessage()}" for record in collector.records]


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded random numbers."""
    return np.random.default_rng(20)


@pytest.fixture
def fake_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGpu]:
    """CUDA and TensorRT on a GPU that is none (tests/fake_gpu.py); what a test allocates on it must be freed."""
    from tests.fake_gpu import installed

    yield from installed(monkeypatch)


@pytest.fixture
def fake_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> FakeOnnxRuntime:
    """ONNX Runtime with a CUDA that is none (tests/fake_onnxruntime.py)."""
    from tests.fake_onnxruntime import installed

    return installed(monkeypatch)


@pytest.fixture(params=["tensorrt", "tensorrt-rtx", "onnxrt-cuda", "ovino", "onnxrt"])
def backend_name(request: pytest.FixtureRequest, tiny_model: ModelFolder) -> str:
    """Every backend in turn; those of NVIDIA run on the fake GPU, with engines of the tiny model."""
    name: str = request.param
    if name in ("tensorrt", "tensorrt-rtx"):
        request.getfixturevalue("fake_gpu")
        from tests.engine_building import build_all

        build_all(tiny_model, backend=name)
    if name == "onnxrt-cuda":
        request.getfixturevalue("fake_onnxruntime")
    return name


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """A model folder of a few operations a graph, whose outputs can be foretold (see tests/tiny_model.py)."""
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train)")
    from tests.tiny_model import write

    return write(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """The small MCS configuration with seeded weights, exported once."""
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train)")
    from tests.small_model import write

    return write(tmp_path_factory.mktemp("small") / "model")


@pytest.fixture(scope="session")
def small_fomm(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    """The small FOMM configuration with seeded weights, exported once."""
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train)")
    from tests.small_model import write

    return write(tmp_path_factory.mktemp("small") / "fomm", "fomm")


@pytest.fixture(scope="session")
def bundled_model() -> ModelFolder:
    """The model that ships with the program."""
    from engines.model_folder import BUNDLED, ModelFolder

    return ModelFolder.read(BUNDLED)
