"""Eyebrows: strands laid along an arch that is drawn on the front of the face."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from avatars.noise import smoothstep

if TYPE_CHECKING:
    from avatars.hair import Chart
    from avatars.head import Array


@dataclasses.dataclass(frozen=True)
class Brows:
    """The arch in rest coordinates (x, z): start near the nose, peak, end; and how full it is."""

    start: tuple[float, float] = (0.12, 7.435)
    peak: tuple[float, float] = (0.39, 7.495)
    end: tuple[float, float] = (0.545, 7.435)
    thickness: float = 0.06
    count: int = 420
    length: float = 0.085
    lift: float = 0.0


def brow_strands(chart: Chart, brows: Brows, *, rng: np.random.Generator) -> Array:
    """Both brows as (strands, 6, 3)."""
    return np.concatenate([_one_brow(chart, brows, side, rng) for side in (-1.0, 1.0)])


def _one_brow(chart: Chart, brows: Brows, side: float, rng: np.random.Generator) -> Array:
    t = rng.beta(1.0, 1.15, brows.count)
    across = np.clip(rng.normal(0, 0.42, brows.count), -1, 1)
    width = brows.thickness * (0.75 + 0.35 * smoothstep(0, 0.2, t)) * (1 - 0.78 * smoothstep(0.55, 1.0, t))
    centre, along = _arch(brows, t)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    root = centre + normal * (across * width * 0.5)[:, None]
    upward = np.radians(60 * (1 - smoothstep(0.0, 0.45, t)) + 10 - 26 * across * smoothstep(0.1, 0.5, t))
    upward = upward + rng.normal(0, 0.10, len(t))
    direction = along * np.cos(upward)[:, None] + normal * np.sin(upward)[:, None]
    reach = (
        brows.length
        * rng.uniform(0.7, 1.1, len(t))
        * (0.75 + 0.25 * smoothstep(0, 0.3, t))
        * (1 - 0.35 * smoothstep(0.8, 1, t))
    )
    s = np.linspace(0, 1, 6)
    turn = (along - direction) * 0.5
    flat = root[:, None] + reach[:, None, None] * (
        direction[:, None] * s[None, :, None] + turn[:, None] * (s**2)[None, :, None]
    )
    flat = (flat + np.array([0, brows.lift])) * np.array([side, 1])
    places, normals = chart(flat.reshape(-1, 2))
    height = np.tile(0.004 + 0.016 * np.sin(np.pi * s * 0.75), len(t)) * np.repeat(rng.uniform(0.5, 1.3, len(t)), 6)
    return (places + normals * height[:, None]).reshape(len(t), 6, 3)


def _arch(brows: Brows, t: Array) -> tuple[Array, Array]:
    """Points and unit directions on a quadratic Bezier that passes near the peak at t = 0.62."""
    a, b, c = (np.array(p) for p in (brows.start, brows.peak, brows.end))
    k = 0.62
    control = (b - (1 - k) ** 2 * a - k**2 * c) / (2 * k * (1 - k))
    u = t[:, None]
    point = (1 - u) ** 2 * a + 2 * u * (1 - u) * control + u**2 * c
    slope = 2 * (1 - u) * (control - a) + 2 * u * (c - control)
    return point, slope / np.linalg.norm(slope, axis=1, keepdims=True)
