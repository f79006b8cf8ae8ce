"""Seeded noise over points in space, for skin, cloth and hair; NumPy only, the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def value_noise(points: Array, *, seed: int = 0) -> Array:
    """Smooth noise in [-1, 1] with one random value per unit cell corner.

    Args:
        points: (n, 3); multiply by a frequency for finer noise.
        seed: another pattern for another number.
    """
    cell = np.floor(points).astype(np.int64)
    inside = points - cell
    blend = inside * inside * inside * (inside * (inside * 6 - 15) + 10)
    total = np.zeros(len(points))
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(np.array(corner) == 1, blend, 1 - blend), axis=1)
        total += weight * _lattice(cell + np.array(corner), seed)
    return total


def fractal(points: Array, *, octaves: int = 4, seed: int = 0) -> Array:
    """Sum of `octaves` value noises, each twice as fine and half as strong, in about [-1, 1]."""
    total = np.zeros(len(points))
    for octave in range(octaves):
        total += value_noise(points * 2.0**octave + 17.3 * octave, seed=seed + octave) * 0.5**octave
    return total / (2 - 0.5 ** (octaves - 1))


def smoothstep(low: float, high: float, x: Array) -> Array:
    """0 below `low`, 1 above `high`, an S-curve between; `low` may be the larger one."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _lattice(cell: NDArray[np.int64], seed: int) -> Array:
    """A random value in [-1, 1] for each integer point: a 64-bit mix, wrapping on overflow."""
    mixed = cell.astype(np.uint64) * np.array(
        [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64
    )
    value = mixed[:, 0] ^ mixed[:, 1] ^ mixed[:, 2] ^ np.uint64(seed * 0x2545F4914F6CDD1D & 0xFFFFFFFFFFFFFFFF)
    value = (value ^ (value >> np.uint64(31))) * np.uint64(0xD6E8FEB86659FD93)
    value = value ^ (value >> np.uint64(32))
    return (value >> np.uint64(11)).astype(np.float64) / 2.0**52 - 1
