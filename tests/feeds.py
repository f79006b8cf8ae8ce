"""Inputs of a role that are like those it gets: smooth pictures, affines near the identity, masks that sum to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from engines.model_folder import ModelFolder
    from engines.spec import RoleName, TensorSpec


def feed(model: ModelFolder, role: RoleName, rng: np.random.Generator) -> dict[str, Any]:
    """By name."""
    return {spec.name: _values(spec, rng) for spec in model.spec.roles[role].inputs}


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
