"""Engines for a fake GPU, built as the tool builds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engines import engine_files
from engines.building.build import build, target_machine
from engines.building.monitor import BuildMonitor
from engines.engine_spec import BuildOptions

if TYPE_CHECKING:
    from pathlib import Path

    from engines.engine_spec import EnginePrecision, TensorRtName
    from engines.model_folder import ModelFolder


def build_all(
    model: ModelFolder,
    folder: Path | None = None,
    *,
    backend: TensorRtName = "tensorrt",
    precision: EnginePrecision = "fp32",
    timings: Path | None = None,
) -> None:
    """Every role, for the GPU that is there; `timings` is TensorRT's timing cache."""
    folder = folder or engine_files.default_folder()
    target = target_machine(backend)
    monitor = BuildMonitor(lambda progress: None, lambda: False, total=len(model.spec.roles))
    options = BuildOptions(precision=precision)
    for role in model.spec.roles:
        build(model, role, folder, target=target, options=options, monitor=monitor, timings=timings)
