"""Checkpoints as they lie about, written from the small seeded networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from tests.networks import seeded_model

if TYPE_CHECKING:
    from pathlib import Path

_PUBLISHED_MCS = {"shift.": "kp.", "affine.": "jacobian.", "segmentation.": "semantic_seg."}


def sections(family: str, layout: str) -> dict[str, dict[str, torch.Tensor]]:
    """The small network's weights, `current` or `published`, by the sections of a checkpoint."""
    found: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in seeded_model(family).state_dict().items():
        section, _, rest = key.partition(".")
        found.setdefault(section, {})[rest] = value.clone()
    if family == "mcs" and layout == "published":
        found = _as_published(found)
    return found


def write_checkpoint(path: Path, content: object, *, zipped: bool = True) -> Path:
    """Save as torch does, or as torch 1.0 did (not zipped)."""
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


def _as_published(found: dict[str, dict[str, torch.Tensor]]) -> dict[str, Any]:
    """The names that MCS's published files have, with the dense motion network that MCS does not use."""
    detector = {}
    for key, value in found["segmentation_module"].items():
        start = key.split(".")[0] + "."
        detector[_PUBLISHED_MCS.get(start, start) + key.removeprefix(start)] = value
    unused = {
        key.removeprefix("generator."): value.clone()
        for key, value in seeded_model("fomm").state_dict().items()
        if key.startswith("generator.dense_motion_network.")
    }
    return {"kp_detector": detector, "generator": {**found["reconstruction_module"], **unused}}
