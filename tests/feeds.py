"""Inputs of a role that are like those it gets: smooth pictures, affines near the identity, masks that sum to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engines.model_folder import ModelFolder
    from engines.spec import RoleName, TensorSpec


def feed(model: ModelFolder, role: RoleName, rng: np.random.Generator) -> dict[str, Any]:
    """By name."""
    values = {spec.name: _values(spec, rng) for spec in model.spec.roles[role].inputs}
    _put_irises_into_eyes(model.spec.part_names, values, rng)
    return values


def _put_irises_into_eyes(part_names: Sequence[str], values: dict[str, Any], rng: np.random.Generator) -> None:
    """Where a model has them: those far off an eye move more steeply than any face does."""
    for iris, name in enumerate(part_names):
        if name.endswith("iris"):
            eye = part_names.index(name.replace("iris", "eye"))
            for shift in (value for key, value in values.items() if key.endswith("shift")):
                shift[:, iris] = shift[:, eye] + rng.uniform(-0.03, 0.03, 2)


def _values(spec: TensorSpec, rng: np.random.Generator) -> np.ndarray:
    if spec.dtype == "uint8":
        return np.clip(np.cumsum(rng.normal(0, 6, spec.shape), axis=2) + 128, 0, 255).astype(np.uint8)
    if spec.dtype == "bool":
        return np.array(rng.random() < 0.5)
    if spec.name.endswith("affine"):
        return (np.eye(2) + rng.normal(0, 0.1, spec.shape)).astype(spec.dtype)
    if spec.name.endswith("segmentation"):
        masks = rng.random(spec.shape)
        return (masks / masks.sum(axis=1, keepdims=True)).astype(spec.dtype)
    return rng.uniform(-0.5, 0.5, spec.shape).astype(spec.dtype)
