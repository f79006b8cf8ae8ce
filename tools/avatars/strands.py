"""Hair as curves, before any renderer: where it grows, which way it runs, how it clumps and curls.

A bundle of strands is an array (strands, steps, 3) from root to tip. Where hair grows is said in rest
coordinates (see head.py), so a hairline fits every head.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from avatars.head import Array
from avatars.noise import smoothstep, value_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

Flow = Callable[[Array, Array, Array, float], Array]
"""(points, skin normals below them, rest coordinates of the roots, share of the length grown) -> directions."""


class Surface(Protocol):
    """What strands need to know of a skin."""

    points: Array
    rest: Array
    normals: Array
    faces: NDArray[np.int64]

    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Closest skin points and outward normals."""


@dataclasses.dataclass(frozen=True)
class Roots:
    """Where strands leave the skin: points, rest coordinates and normals, all (n, 3)."""

    points: Array
    rest: Array
    normals: Array


def sample_roots(surface: Surface, density: Array, *, count: int, rng: np.random.Generator) -> Roots:
    """Draws `count` roots on the skin, in proportion to area times `density` (one value a point)."""
    corners = surface.points[surface.faces]
    diagonals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    weight = np.linalg.norm(diagonals, axis=1) * density[surface.faces].mean(axis=1)
    chosen = rng.choice(len(weight), size=count, p=weight / weight.sum())
    u, v = rng.random((2, count, 1))
    index = surface.faces[chosen]

    def inside(values: Array) -> Array:
        a, b, c, d = (values[index[:, i]] for i in range(4))
        return (a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v

    normals = inside(surface.normals)
    return Roots(inside(surface.points), inside(surface.rest), normals / np.linalg.norm(normals, axis=1, keepdims=True))


def scalp_mask(
    rest: Array, *, recede: float = 0.0, sideburn: float = 6.98, nape: float = 6.55, soft: float = 0.05
) -> Array:
    """1 where head hair grows; a soft and slightly uneven hairline.

    Args:
        rest: points (n, 3).
        recede: how far the temples have gone back, decimetres.
        sideburn: lower end of the hair in front of the ear.
        nape: lower end at the back of the neck.
        soft: width of the edge.
    """
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    corner = 0.15 + recede
    front = (
        7.95
        + 0.5 * recede
        - 0.10 * np.exp(-((x / 0.12) ** 2)) * (recede > 0)
        + corner * np.exp(-(((x - 0.50) / 0.16) ** 2)) * 0.55
    )
    front = front - 0.05 * smoothstep(0.3, 0.75, x)
    temple = -1.12 + 0.44 * smoothstep(7.9, 7.35, z) + recede * 0.35 * smoothstep(7.4, 7.9, z)
    above = smoothstep(-soft, soft, z - front)
    behind = smoothstep(-soft, soft, y - temple) * smoothstep(sideburn - soft, sideburn + soft, z)
    ear = (x > 0.6) * smoothstep(-0.60, -0.54, y) * smoothstep(-0.06, -0.12, y) * smoothstep(7.46, 7.40, z)
    back = smoothstep(-0.02, 0.10, y) * smoothstep(nape - 0.1, nape + 0.1, z)
    side = np.maximum(above, np.maximum(behind * (z > sideburn), 0)) * (1 - ear)
    rough = 0.85 + 0.3 * value_noise(rest * 14, seed=11)
    return np.clip(np.maximum(side * (1 - smoothstep(-0.05, 0.05, y) * smoothstep(7.3, 7.1, z)), back) * rough, 0, 1)


def grow(
    surface: Surface, roots: Roots, flow: Flow, *, lengths: Array, steps: int, height: Callable[[float], Array | float]
) -> Array:
    """Follows `flow` from every root and keeps each point at least `height(share)` above the skin.

    Args:
        surface: the skin to stay outside of.
        roots: n starting points.
        flow: which way to go; need not be of unit length.
        lengths: (n,) decimetres.
        steps: points per strand.
        height: least distance from the skin at a share of the length.
    """
    strands = np.empty((len(roots.points), steps, 3))
    strands[:, 0] = roots.points - 0.01 * roots.normals
    step = (lengths / (steps - 1))[:, None]
    point, normal = roots.points.copy(), roots.normals.copy()
    for number in range(1, steps):
        share = number / (steps - 1)
        direction = flow(point, normal, roots.rest, share)
        direction = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
        point = point + step * direction
        foot, normal = surface.nearest(point)
        distance = ((point - foot) * normal).sum(axis=1)
        reliable = np.abs(distance) > 0.75 * np.linalg.norm(point - foot, axis=1)  # not at the rim of a hole
        lack = np.maximum(np.broadcast_to(height(share), distance.shape) - distance, 0) * reliable
        point = point + normal * lack[:, None]
        strands[:, number] = point
    return strands


def trim(strands: Array, levels: Array) -> Array:
    """Cuts every strand where it first falls below its level (n,), and spreads its points over what is left."""
    count, steps, _ = strands.shape
    low = strands[:, :, 2] < levels[:, None]
    first = np.where(low.any(axis=1), np.maximum(low.argmax(axis=1), 1), steps - 1)
    row = np.arange(count)
    above, below = strands[row, first - 1, 2], strands[row, first, 2]
    part = np.where(low.any(axis=1), np.clip((above - levels) / np.maximum(above - below, 1e-6), 0, 1), 1.0)
    end = first - 1 + part
    place = np.linspace(0, 1, steps)[None, :] * end[:, None]
    lower = np.minimum(place.astype(np.int64), steps - 2)
    share = (place - lower)[..., None]
    return strands[row[:, None], lower] * (1 - share) + strands[row[:, None], lower + 1] * share


def clump(strands: Array, *, groups: int, strength: float, rng: np.random.Generator, power: float = 1.5) -> Array:
    """Draws strands towards the nearest of `groups` leaders, more towards the tips."""
    leaders = rng.choice(len(strands), size=min(groups, len(strands)), replace=False)
    owner = np.empty(len(strands), dtype=np.int64)
    for start in range(0, len(strands), 2000):
        block = strands[start : start + 2000, 0]
        owner[start : start + 2000] = np.argmin(((block[:, None] - strands[leaders, 0][None]) ** 2).sum(-1), axis=1)
    t = np.linspace(0, 1, strands.shape[1])[None, :, None] ** power
    amount = strength * rng.uniform(0.6, 1.0, (len(strands), 1, 1)) * t
    return strands * (1 - amount) + strands[leaders[owner]] * amount


def curl(strands: Array, *, radius: float, turns: Array | float, rng: np.random.Generator, start: float = 0.1) -> Array:
    """Winds every strand into a helix around itself; `turns` along the whole length."""
    along = np.gradient(strands, axis=1)
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-9)
    side = np.cross(along, rng.normal(0, 1, (len(strands), 1, 3)))
    side /= np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-9)
    third = np.cross(along, side)
    t = np.linspace(0, 1, strands.shape[1])[None, :, None]
    angle = 2 * np.pi * np.reshape(turns, (-1, 1, 1)) * t + rng.uniform(0, 2 * np.pi, (len(strands), 1, 1))
    size = radius * smoothstep(0.0, start, t)
    return strands + size * (np.cos(angle) * side + np.sin(angle) * third)


def frizz(strands: Array, *, amount: float, scale: float, seed: int) -> Array:
    """Small noise that grows towards the tips, different for every strand."""
    t = np.linspace(0, 1, strands.shape[1])[None, :, None]
    flat = (strands * scale).reshape(-1, 3)
    tag = np.repeat(np.arange(len(strands)) * 7.31, strands.shape[1])[:, None]
    offset = np.stack([value_noise(flat + tag * [1, 0, 0], seed=seed + axis) for axis in range(3)], axis=1)
    return strands + amount * t * offset.reshape(strands.shape)
