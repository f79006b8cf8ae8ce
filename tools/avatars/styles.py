"""Hair styles: each turns a skin into bundles of strands. Lengths are decimetres."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from avatars.noise import smoothstep, value_noise
from avatars.strands import Roots, Surface, clump, curl, frizz, grow, sample_roots, scalp_mask, trim

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatars.head import Array

DOWN = np.array([0.0, 0.0, -1.0])
BACK = np.array([0.0, 1.0, 0.0])


@dataclasses.dataclass(frozen=True)
class Hair:
    """A style by name with its colour and a few numbers; see the functions below for what each style does with them."""

    style: str = "crop"
    colour: str = "#3a2618"
    count: int = 16000
    radius: float = 0.0022
    recede: float = 0.0
    length: float = 1.0
    grey: float = 0.0
    variety: float = 0.3
    roughness: float = 0.32


AREAS: dict[str, dict[str, float]] = {
    "crop": {},
    "afro": {"sideburn": 7.1, "nape": 6.95},
    "bob": {},
    "waves": {"soft": 0.04},
    "swept_back": {"soft": 0.03, "sideburn": 7.15},
    "locks": {"sideburn": 7.05, "nape": 6.8},
}


def hair_area(rest: Array, hair: Hair) -> Array:
    """Where this hair grows, 0 to 1, for points of the rest shape (n, 3)."""
    return scalp_mask(rest, recede=hair.recede, **AREAS[hair.style])


def strands_of(surface: Surface, hair: Hair, *, seed: int) -> list[Array]:
    """The bundles of a style.

    Raises:
        KeyError: there is no style of that name.
    """
    return STYLES[hair.style](surface, hair, np.random.default_rng(seed))


def crop(surface: Surface, hair: Hair, rng: np.random.Generator) -> list[Array]:
    """Short at the sides, longer on top and swept up and to the person's left."""
    roots = sample_roots(surface, hair_area(surface.rest, hair), count=hair.count, rng=rng)
    x, y, z = roots.rest.T
    top = smoothstep(7.72, 8.02, z + 0.12 * value_noise(roots.rest * 3, seed=3))
    lengths = hair.length * (0.13 + top * (0.34 + 0.28 * smoothstep(-0.2, -1.2, y))) * rng.uniform(0.85, 1.1, len(x))
    sweep = np.array([0.75, 0.25, 0.0])

    def flow(point: Array, normal: Array, rest: Array, share: float) -> Array:
        up = smoothstep(7.72, 8.02, rest[:, 2])[:, None]
        front = smoothstep(-0.7, -1.3, rest[:, 1])[:, None]
        side = tangent(np.array([0.0, 0.45, -1.0]), normal) + 0.35 * normal
        rise = normal * (1.15 - 1.1 * share) + np.array([0.0, -0.25, 0.1]) * front * (1 - 1.6 * share)
        swept = tangent(sweep + BACK * (0.55 - 0.2 * front), normal) * (0.25 + 1.1 * share) + rise * (0.6 + 0.5 * front)
        return side * (1 - up) + swept * up

    strands = grow(surface, roots, flow, lengths=lengths, steps=12, height=lambda s: 0.012 + 0.05 * s)
    strands = clump(strands, groups=hair.count // 40, strength=0.65, rng=rng)
    return [frizz(strands, amount=0.035, scale=3.0, seed=5)]


def afro(surface: Surface, hair: Hair, rng: np.random.Generator) -> list[Array]:
    """Tight coils that stand away from the head and make a round cloud."""
    roots = sample_roots(surface, hair_area(surface.rest, hair), count=hair.count, rng=rng)
    middle = np.array([0.0, -0.25, 7.55])
    x, y, z = roots.rest.T
    full = (0.62 + 0.38 * smoothstep(7.3, 8.1, z)) * (1 - 0.35 * smoothstep(-0.9, -1.35, y))
    lengths = hair.length * full * rng.uniform(0.80, 1.06, len(x)) * (1 + 0.10 * value_noise(roots.rest * 2.5, seed=8))

    def flow(point: Array, normal: Array, rest: Array, share: float) -> Array:
        away = unit(point - middle + np.array([0.0, 0.1, 0.0]))
        return 0.55 * normal + away + np.array([0.0, 0.22, 0.05])

    strands = grow(surface, roots, flow, lengths=lengths, steps=44, height=lambda s: 0.01 + 0.1 * s)
    strands = clump(strands, groups=hair.count // 9, strength=0.7, rng=rng, power=0.8)
    return [curl(strands, radius=0.042, turns=lengths * 9.0 * rng.uniform(0.8, 1.2, len(lengths)), rng=rng, start=0.2)]


def bob(surface: Surface, hair: Hair, rng: np.random.Generator) -> list[Array]:
    """Straight hair that falls to the jaw and turns in a little, with a fringe above the brows."""
    roots = sample_roots(surface, hair_area(surface.rest, hair), count=hair.count, rng=rng)
    x, y, z = roots.rest.T
    fringe = (smoothstep(0.52, 0.44, np.abs(x)) * (y < -0.72) * (z > 7.75)) > 0.5
    layer = rng.uniform(0.15, 1.0, len(x))
    lengths = np.where(fringe, 0.0, 1.0) * hair.length * (z - 6.45 + 0.62 * smoothstep(7.3, 8.2, z)) * 1.04
    falling = _falling(surface, _select(roots, ~fringe), lengths[~fringe], layer[~fringe])
    front = _fringe(surface, _select(roots, fringe), rng)
    falling = clump(falling, groups=len(falling) // 30, strength=0.45, rng=rng)
    falling = trim(falling, 6.34 + 0.10 * smoothstep(0.2, -1.0, falling[:, -1, 1]) + rng.normal(0, 0.03, len(falling)))
    return [
        frizz(falling, amount=0.02, scale=1.6, seed=4),
        clump(front, groups=len(front) // 18, strength=0.55, rng=rng),
    ]


def waves(surface: Surface, hair: Hair, rng: np.random.Generator) -> list[Array]:
    """Long hair parted at the side, clear of the face, in soft waves over the shoulders."""
    parting = 1 + 2.5 * np.exp(-(((surface.rest[:, 0] - 0.17) / 0.07) ** 2))
    roots = sample_roots(surface, hair_area(surface.rest, hair) * parting, count=hair.count, rng=rng)
    layer = rng.uniform(0.15, 1.0, hair.count)
    lengths = hair.length * (roots.rest[:, 2] - 5.6 + 0.6 * smoothstep(7.3, 8.2, roots.rest[:, 2]))
    strands = _falling(surface, roots, lengths, layer, part=0.17 + rng.normal(0, 0.022, hair.count), steps=34)
    strands = clump(strands, groups=hair.count // 45, strength=0.6, rng=rng)
    strands = trim(strands, 5.62 + rng.normal(0, 0.05, hair.count))
    low = smoothstep(7.75, 6.9, strands[:, :, 2])
    phase = 1.9 * value_noise(roots.rest * 1.9, seed=31)[:, None] + 1.2 * np.sign(roots.rest[:, :1])
    bend = 0.085 * low * np.sin(strands[:, :, 2] * 8.5 + phase)
    side = np.sign(strands[:, :, 0])
    strands = strands + np.stack([side * np.maximum(bend, -0.03), 0.6 * bend, np.zeros_like(bend)], axis=2)
    throat = ((strands[:, :, 1] < -0.25) & (np.abs(strands[:, :, 0]) < 0.55) & (strands[:, :, 2] < 6.5)).any(axis=1)
    return [frizz(strands[~throat], amount=0.03, scale=1.8, seed=4)]


def _falling(
    surface: Surface, roots: Roots, lengths: Array, layer: Array, *, part: Array | float = 0.0, steps: int = 26
) -> Array:
    out = np.sign(roots.rest[:, 0] - part + 1e-6)[:, None] * np.array([1.0, 0.0, 0.0])

    def flow(point: Array, normal: Array, rest: Array, share: float) -> Array:
        high = smoothstep(0.55, 0.98, normal[:, 2])[:, None]
        pull = DOWN + out * (0.9 * high) + BACK * (0.35 * high)
        front = smoothstep(-0.95, -1.25, point[:, 1])[:, None] * (point[:, 2] > 6.6)[:, None]
        pull = pull + BACK * 0.75 * front + out * 0.75 * front
        inward = -np.sign(point[:, :1]) * np.array([1.0, 0, 0]) * 0.30 * smoothstep(0.72, 1.0, np.array(share))
        loose = smoothstep(7.45, 7.15, point[:, 2:])
        return tangent(pull, normal) * (1 - loose) + pull * loose + inward

    def height(share: float) -> Array:
        return 0.018 + (0.03 + 0.15 * layer) * float(smoothstep(0.0, 0.25, np.array(share)))

    return grow(surface, roots, flow, lengths=np.maximum(lengths, 0.2), steps=steps, height=height)


def _fringe(surface: Surface, roots: Roots, rng: np.random.Generator) -> Array:
    target = 7.56 + 0.05 * (roots.rest[:, 0] / 0.5) ** 2 + rng.normal(0, 0.02, len(roots.rest))
    lengths = np.hypot(roots.rest[:, 2] - target, 0.9 * (roots.rest[:, 1] + 1.45)) * 1.06
    layer = rng.uniform(0.1, 1.0, len(roots.rest))

    def flow(point: Array, normal: Array, rest: Array, share: float) -> Array:
        pull = DOWN * 1.0 - BACK * 1.3 * smoothstep(0.35, 0.95, normal[:, 2])[:, None]
        spread = np.stack([0.10 * rest[:, 0], np.zeros(len(rest)), np.zeros(len(rest))], axis=1)
        return tangent(pull, normal) + spread

    return grow(
        surface, roots, flow, lengths=np.maximum(lengths, 0.1), steps=18,
        height=lambda s: 0.018 + (0.03 + 0.10 * layer) * float(smoothstep(0.0, 0.3, np.array(s))),
    )  # fmt: skip


def swept_back(surface: Surface, hair: Hair, rng: np.random.Generator) -> list[Array]:
    """Combed back over the head, with a knot on the crown and a few loose hairs."""
    roots = sample_roots(surface, hair_area(surface.rest, hair), count=hair.count, rng=rng)
    knot = np.array([0.0, 0.12, 8.44])
    middle = np.array([0.0, -0.2, 7.6])
    foot = knot - np.array([0.0, 0.0, 0.24])
    distance = np.linalg.norm(roots.points - foot, axis=1)
    layer = rng.uniform(0.1, 1.0, len(distance))

    def flow(point: Array, normal: Array, rest: Array, share: float) -> Array:
        to = unit(foot - point)
        return tangent(to, normal) + 0.3 * to * (1 if share > 0.8 else 0)

    strands = grow(
        surface, roots, flow, lengths=distance * 1.12, steps=22,
        height=lambda s: 0.018 + (0.02 + 0.07 * layer) * float(smoothstep(0.0, 0.3, np.array(s))),
    )  # fmt: skip
    strands = clump(strands, groups=hair.count // 30, strength=0.5, rng=rng)
    return [frizz(strands, amount=0.015, scale=2.5, seed=2), _knot(knot, 0.29, 2600, rng), _wisps(surface, middle, rng)]


def _knot(centre: Array, size: float, count: int, rng: np.random.Generator) -> Array:
    """A ball of hair wound around a tilted axis."""
    t = np.linspace(0, 1, 30)[None, :]
    start = rng.uniform(0, 2 * np.pi, (count, 1))
    lean = rng.normal(0, 0.5, (count, 1))
    angle = start + t * rng.uniform(2.0, 3.6, (count, 1))
    latitude = lean + 0.25 * np.sin(angle * 0.5 + start)
    radius = size * rng.uniform(0.80, 1.0, (count, 1))
    points = np.stack(
        [
            radius * np.cos(angle) * np.cos(latitude) * 1.12,
            radius * np.sin(angle) * np.cos(latitude),
            radius * 0.82 * np.sin(latitude),
        ],
        axis=2,
    )
    tilt = np.radians(28)
    turn = np.array([[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]])
    return centre + points @ turn.T


def _wisps(surface: Surface, middle: Array, rng: np.random.Generator) -> Array:
    """Short loose hairs along the hairline."""
    density = (
        scalp_mask(surface.rest, soft=0.10, sideburn=7.0)
        * (1 - scalp_mask(surface.rest, soft=0.02))
        * (surface.rest[:, 1] < -0.4)
    )
    roots = sample_roots(surface, density + 1e-9, count=500, rng=rng)

    def flow(point: Array, normal: Array, rest: Array, share: float) -> Array:
        return tangent(np.array([0.0, 0.8, 0.55]) + 0.3 * unit(rest - middle), normal) + 0.25 * normal

    strands = grow(
        surface, roots, flow, lengths=rng.uniform(0.08, 0.25, 500), steps=10, height=lambda s: 0.006 + 0.02 * s
    )
    return frizz(strands, amount=0.04, scale=6.0, seed=6)


def beard(surface: Surface, density: Array, rng: np.random.Generator, *, count: int, length: float) -> Array:
    """A full beard: strands that grow out of the jaw and turn downwards."""
    lip = (np.abs(surface.rest[:, 0]) < 0.44) & (np.abs(surface.rest[:, 2] - 6.83) < 0.06)
    roots = sample_roots(
        surface,
        density
        * (
            1
            + 1.2 * lip * smoothstep(0.02, 0.2, np.abs(surface.rest[:, 0]))
            - 0.4 * lip * (np.abs(surface.rest[:, 0]) < 0.06)
        ),
        count=count,
        rng=rng,
    )
    x, _, z = roots.rest.T
    chin = np.exp(-((x / 0.3) ** 2)) * smoothstep(6.6, 6.3, z)
    lengths = length * (0.55 + 0.6 * chin) * rng.uniform(0.75, 1.1, count) * (1 - 0.15 * smoothstep(6.72, 6.78, z))

    def flow(point: Array, normal: Array, rest: Array, share: float) -> Array:
        lip = smoothstep(6.74, 6.78, rest[:, 2])[:, None] * (np.abs(rest[:, :1]) < 0.4)
        aside = np.sign(rest[:, :1]) * np.array([1.0, 0.0, 0.0])
        down = tangent(DOWN + aside * (0.9 * lip), normal)
        return down * (0.8 + 0.5 * share) + normal * (0.6 - 0.55 * share) * (1 - 0.6 * lip)

    strands = grow(surface, roots, flow, lengths=lengths, steps=10, height=lambda s: 0.020 + 0.03 * s)
    strands = clump(strands, groups=count // 14, strength=0.5, rng=rng)
    return frizz(curl(strands, radius=0.008, turns=1.5, rng=rng), amount=0.03, scale=8.0, seed=9)


def _select(roots: Roots, chosen: NDArray[np.bool_]) -> Roots:
    return Roots(roots.points[chosen], roots.rest[chosen], roots.normals[chosen])


def locks(surface: Surface, hair: Hair, rng: np.random.Generator) -> list[Array]:
    """Few thick locks that lie on the head and end in a curl, as a sculptor would lay them."""
    density = hair_area(surface.rest, hair)
    roots = _spread(sample_roots(surface, density, count=hair.count * 6, rng=rng), hair.count, rng)
    lengths = hair.length * rng.uniform(0.75, 1.15, len(roots.rest))
    swirl = 2.2 * value_noise(roots.rest * 1.7, seed=21)

    def flow(point: Array, normal: Array, rest: Array, share: float) -> Array:
        outward = tangent(point - np.array([0.05, 0.25, 8.3]), normal)
        across = np.cross(normal, outward)
        turn = swirl[:, None] + 3.6 * np.sign(swirl)[:, None] * share**1.5
        return outward * np.cos(turn) + across * np.sin(turn) + normal * 0.25 * np.sin(np.pi * share)

    return [grow(surface, roots, flow, lengths=lengths, steps=20, height=lambda s: hair.radius * (0.2 + 0.9 * s))]


def _spread(roots: Roots, count: int, rng: np.random.Generator) -> Roots:
    """Keeps `count` roots that are far from each other, the farthest first."""
    chosen = [int(rng.integers(len(roots.points)))]
    nearest = np.full(len(roots.points), np.inf)
    while len(chosen) < count:
        nearest = np.minimum(nearest, ((roots.points - roots.points[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(nearest.argmax()))
    return Roots(roots.points[chosen], roots.rest[chosen], roots.normals[chosen])


def tangent(direction: Array, normal: Array) -> Array:
    """The part of a direction (3,) or (n, 3) that runs along the skin, as unit vectors (n, 3)."""
    along = direction - (direction * normal).sum(axis=1, keepdims=True) * normal
    return unit(along)


def unit(vectors: Array) -> Array:
    """Vectors (n, 3) at length one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


STYLES = {"crop": crop, "afro": afro, "bob": bob, "swept_back": swept_back, "locks": locks, "waves": waves}
