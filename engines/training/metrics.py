"""The figures by which models are compared; all pictures are square and 256 pixels wide."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engines.training.gestures import GESTURES, Gesture
from engines.training.landmarks68 import EYES, MOUTH, landmarks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engines.faces import Image, Mesh

LEAST_SPREAD = {"mouth": 0.008, "eyes": 0.012, "gaze": 0.03, "yaw": 0.7, "pitch": 1.0, "roll": 0.5}
"""Standard deviation over time below which a driver's gesture is lost in the mesh's own noise."""
REPEATED = 6e-4
"""Mean difference in [0, 1] below which two frames are the same one, repeated."""
STILL_PX = 0.3
"""Mean movement of the 68 landmarks, pixels at 256, below which a face is still."""


class KeyPointDistance(NamedTuple):
    """Average key point distance (AKD), pixels."""

    all: float
    mouth: float
    eyes: float


@dataclass(frozen=True)
class Agreement:
    """How a gesture of the result follows the driver's over time."""

    correlation: float
    """Pearson's, in [-1, 1]; 0 where the result does not move at all."""
    gain: float
    """Slope of the result over the driver: 1 moves as far, 0.2 a fifth as far."""


def l1(first: Image, second: Image) -> float:
    """Mean absolute difference of two pictures, uint8 of one shape, in [0, 1]."""
    return float(np.abs(first.astype(np.int16) - second).mean()) / 255


def key_point_distance(first: Mesh, second: Mesh) -> KeyPointDistance:
    """Mean distance of the 68 landmarks of two faces, and of those of mouth and eyes (Siarohin et al., 2019)."""
    apart = np.linalg.norm(landmarks(first) - landmarks(second), axis=1)
    return KeyPointDistance(float(apart.mean()), float(apart[MOUTH].mean()), float(apart[EYES].mean()))


def agreement(driver: Sequence[Gesture], result: Sequence[Gesture]) -> dict[str, Agreement | None]:
    """Correlation and gain of each gesture; None where the driver hardly makes it.

    Args:
        driver: one gesture a frame.
        result: of the same frames.

    Raises:
        ValueError: the two have different lengths.
    """
    if len(driver) != len(result):
        raise ValueError(f"{len(driver)} frames of the driver, {len(result)} of the result")
    agreements: dict[str, Agreement | None] = {}
    for name in GESTURES:
        wanted = np.array([getattr(gesture, name) for gesture in driver])
        got = np.array([getattr(gesture, name) for gesture in result])
        agreements[name] = _agreement(wanted, got) if len(wanted) > 2 and wanted.std() >= LEAST_SPREAD[name] else None
    return agreements


def still_pairs(frames: Sequence[Image], mesh_of: Callable[[Image], Mesh | None], *, limit: int = 4) -> list[int]:
    """Frames after which the face does not move: candidates by difference, confirmed by landmarks.

    Repeated frames (a slow video stored at a higher rate) say nothing and are passed over.

    Args:
        frames: uint8 (256, 256, 3) each, in order.
        mesh_of: finds the mesh of a picture.
        limit: no more than this many.

    Returns:
        Indices t, in order; the still pair is t and t + 1.
    """
    differences = np.array([l1(first, second) for first, second in itertools.pairwise(frames)])
    candidates = [int(t) for t in np.argsort(differences, kind="stable") if differences[t] > REPEATED][: 3 * limit]
    found: list[int] = []
    for t in candidates:
        if len(found) == limit:
            break
        first, second = mesh_of(frames[t]), mesh_of(frames[t + 1])
        if first is not None and second is not None and key_point_distance(first, second).all < STILL_PX:
            found.append(t)
    return sorted(found)


def mean(values: Sequence[float | None]) -> float | None:
    """Mean of those that are there, None if none is."""
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if there else None


def ratio(value: float | None, baseline: float | None) -> float | None:
    """Value over baseline; None where either is missing or the baseline is 0."""
    return value / baseline if value is not None and baseline else None


def _agreement(wanted: NDArray[np.float64], got: NDArray[np.float64]) -> Agreement:
    wanted, got = wanted - wanted.mean(), got - got.mean()
    spread = float(got.std())
    gain = float(np.mean(wanted * got) / np.mean(wanted**2))
    correlation = gain * float(wanted.std()) / spread if spread > 1e-9 else 0.0
    return Agreement(float(np.clip(correlation, -1, 1)), gain)
