"""The small MCS of tests/networks.py as a model folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engines.export import export_model
from tests.networks import configuration, seeded_model

if TYPE_CHECKING:
    from pathlib import Path

    from engines.model_folder import ModelFolder


def write(folder: Path) -> ModelFolder:
    """Export it."""
    return export_model(
        seeded_model("mcs"),
        folder,
        name="small",
        licence="CC0-1.0",
        provenance="seeded random weights",
        configuration=configuration("mcs", "small"),
    )
