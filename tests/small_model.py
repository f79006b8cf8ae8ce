"""The small MCS and FOMM of tests/networks.py as model folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engines.export import export_model
from tests.networks import configuration, seeded_model

if TYPE_CHECKING:
    from pathlib import Path

    from engines.model_folder import ModelFolder
    from engines.spec import Family


def write(folder: Path, family: Family = "mcs") -> ModelFolder:
    """Export one of them."""
    return export_model(
        seeded_model(family),
        folder,
        name="small" if family == "mcs" else f"small-{family}",
        licence="CC0-1.0",
        provenance="seeded random weights",
        configuration=configuration(family, "small"),
    )
