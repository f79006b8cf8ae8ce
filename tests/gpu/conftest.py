"""What needs an NVIDIA GPU; everywhere else it is skipped, with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from engines import backends
from engines.backends import trt_vendor
from engines.backends.base import BackendSettings
from tests.engine_building import build_all

if TYPE_CHECKING:
    from engines.engine_spec import TensorRtName
    from engines.model_folder import ModelFolder


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known if this folder is named on the command line."""
    parser.addoption("--engine-timings", type=Path, help="TensorRT's timing cache; what is in it is not timed again")
    parser.addoption("--frames", type=int, default=10_000, help="of the long run (%(default)s)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is marked."""
    for item in items:
        if "tests/gpu/" in item.path.as_posix():
            item.add_marker(pytest.mark.gpu)


@pytest.fixture(scope="session", params=["tensorrt", "tensorrt-rtx", "onnxrt-cuda"])
def gpu_backend(request) -> str:
    """Each backend that can run on the GPU here."""
    reason = backends.get(request.param).why_unavailable()
    if reason:
        pytest.skip(reason)
    return request.param


@pytest.fixture(scope="session")
def tensorrt(gpu_backend) -> TensorRtName:
    """Each TensorRT."""
    if gpu_backend == "onnxrt-cuda":
        pytest.skip("it has no engines")
    return cast("TensorRtName", gpu_backend)


@pytest.fixture(scope="session")
def cudart(gpu_backend):
    """CUDA's own bindings."""
    return trt_vendor.import_cudart()


@pytest.fixture(scope="session")
def engine_folder(gpu_backend, tmp_path_factory) -> Path:
    """Where this run's engines lie."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="session")
def timings(request) -> Path | None:
    """What TensorRT has timed already."""
    return request.config.getoption("--engine-timings", None)


@pytest.fixture(scope="session")
def ready(gpu_backend, bundled_model, engine_folder, timings) -> ModelFolder:
    """The bundled model; for TensorRT with engines in fp16."""
    if gpu_backend != "onnxrt-cuda":
        build_all(bundled_model, engine_folder, backend=gpu_backend, precision="fp16", timings=timings)
    return bundled_model


@pytest.fixture(scope="session")
def settings(gpu_backend, engine_folder) -> BackendSettings:
    """In half precision, where engines can be built in it."""
    return BackendSettings(precision="auto" if gpu_backend == "onnxrt-cuda" else "fp16", engine_folder=engine_folder)
