"""Side-cars made up for tests: of engines whose bytes are anything."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from engines import engine_files
from engines.engine_spec import BuildOptions, EngineSpec, Machine

if TYPE_CHECKING:
    from pathlib import Path

    from engines.engine_files import EngineFile
    from engines.model_folder import ModelFolder
    from engines.spec import RoleName

RTX_4090 = Machine(
    backend="tensorrt", version="11.3.0", cuda="13.0", driver="13.0", device="RTX 4090", capabilities=("8.9",)
)
CONTENT = b"an engine"


def make_spec(model: ModelFolder, role: RoleName = "generator", **changes: Any) -> EngineSpec:
    entry = model.spec.roles[role]
    values: dict[str, Any] = {
        "model": model.spec.name, "family": model.spec.family, "role": role, "model_sha256": "0" * 64,
        "onnx_sha256": entry.sha256, "engine_sha256": hashlib.sha256(CONTENT).hexdigest(),
        "engine_bytes": len(CONTENT), "inputs": entry.inputs, "outputs": entry.outputs, "machine": RTX_4090,
        "options": BuildOptions(), "built_at": datetime(2026, 1, 2, tzinfo=timezone.utc), "build_s": 1.0,
    }  # fmt: skip
    return EngineSpec(**(values | changes))


def put(folder: Path, model: ModelFolder, role: RoleName = "generator", **changes: Any) -> EngineFile:
    """An engine on disk."""
    spec = make_spec(model, role, **changes)
    path = engine_files.path_for(folder, model, role, target=spec.machine, options=spec.options)
    return engine_files.write(path, CONTENT, spec)
