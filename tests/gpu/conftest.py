"""What needs an NVIDIA GPU; everywhere else it is skipped, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engines import backends
from engines.backends import trt_vendor
from engines.backends.base import BackendSettings
from tests.engine_building import build_all

if TYPE_CHECKING:
    from pathlib import Path

    from engines.engine_spec import TensorRtName
    from engines.model_folder import ModelFolder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is marked."""
    for item in items:
        if "tests/gpu/" in item.path.as_posix():
            item.add_marker(pytest.mark.gpu)


@pytest.fixture(scope="session", params=["tensorrt", "tensorrt-rtx"])
def backend_name(request) -> TensorRtName:
    """Each TensorRT that can run here."""
    reason = backends.get(request.param).why_unavailable()
    if reason:
        pytest.skip(reason)
    return request.param


@pytest.fixture(scope="session")
def cudart(backend_name):
    """CUDA's own bindings."""
    return trt_vendor.import_cudart()


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory) -> Path:
    """Where this run's engines lie."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="session")
def ready(backend_name, bundled_model, engine_folder) -> ModelFolder:
    """The bundled model, with engines in fp16."""
    build_all(bundled_model, engine_folder, backend=backend_name, precision="fp16")
    return bundled_model


@pytest.fixture(scope="session")
def settings(engine_folder) -> BackendSettings:
    """In half precision."""
    return BackendSettings(precision="fp16", engine_folder=engine_folder)
