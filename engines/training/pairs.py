"""Batches of avatar and driving picture: two frames of one clip, framed and coloured at random.

A batch depends on nothing but seed, step and rank, so a run that was stopped goes on with the same pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engines.training.guidance import mirror_index

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engines.training.cache import Cache, Span
    from engines.training.config import Stage, TrainConfig

CANDIDATES = 10
"""Driving frames from which a hard pair takes the one that differs most in pose, mouth or eyes."""


SENT_FRAMES = 512


class Pairs(NamedTuple):
    """One batch."""

    source: Tensor
    """(batch, 3, size, size) in [0, 1]."""
    driving: Tensor
    """(batch, 3, size, size) in [0, 1]."""
    source_points: Tensor
    """(batch, 470, 2) in [-1, 1]."""
    driving_points: Tensor
    """(batch, 470, 2) in [-1, 1]."""
    known: Tensor
    """(batch,) bool, on the CPU, as it decides what is computed: both pictures have mesh points."""

    def to(self, device: torch.device) -> Pairs:
        """The same on another device."""
        return Pairs(*(value if value is self.known else value.to(device, non_blocking=True) for value in self))


class PairSampler:
    """Draws batches from a cache.

    Args:
        cache: of frames and meshes.
        config: of the run.
        device: where batches are made; one that is no CPU holds all frames, 200 kB each at 256 pixels.
    """

    def __init__(self, cache: Cache, config: TrainConfig, *, device: torch.device | None = None) -> None:
        self._cache = cache
        self._config = config
        self._device = device or torch.device("cpu")
        self._frames = None if self._device.type == "cpu" else _sent(cache.frames, self._device)
        self._mirror = mirror_index()
        self._opening = openings(cache.points)

    def draw(self, step: int, *, rank: int = 0) -> Pairs:
        """The batch of one step on one device."""
        rng = np.random.default_rng((self._config.seed, step, rank))
        stage = self._config.stage(step)
        rows = np.array([self._pair(rng) for _ in range(stage.batch)])
        sides = [self._load(rows[:, side]) for side in (0, 1)]
        still = rows[:, 0] == rows[:, 1]
        common = _affines(rng, stage.batch, turn=12.0, zoom=0.15, move=0.1)
        flipped = rng.random(stage.batch) < 0.5
        colour = _colours(rng, stage.batch).to(self._device)
        made = []
        for picture, points in sides:
            own = _affines(rng, stage.batch, turn=10.0, zoom=0.1, move=0.08)
            # Few pairs are moved as a whole: the background comes along, which it should not when a person moves.
            alone = still | (rng.random(stage.batch) < self._config.moved)
            own[~alone] = np.eye(2, 3, dtype=np.float32)
            made.append(self._augmented(picture, points, _composed(common, own), flipped=flipped, stage=stage))
        known = torch.from_numpy((self._cache.scores[rows] > 0.5).all(axis=1))
        (source, source_points), (driving, driving_points) = made
        pairs = Pairs(_coloured(source, colour), _coloured(driving, colour), source_points, driving_points, known)
        return pairs.to(self._device)

    def _pair(self, rng: np.random.Generator) -> tuple[int, int]:
        cache = self._cache
        if cache.portraits and (not cache.clips or rng.random() < self._config.stills):
            row = cache.portraits[rng.integers(len(cache.portraits))].start
            return row, row
        span: Span = cache.clips[rng.integers(len(cache.clips))]
        source = int(rng.integers(span.start, span.stop))
        count = CANDIDATES if rng.random() < self._config.hard_pairs else 1
        drivings = rng.integers(span.start, span.stop, count)
        kind = rng.integers(3)
        if kind == 0:
            distance = np.abs(cache.points[drivings] - cache.points[source]).mean(axis=(1, 2))
        else:
            distance = np.abs(self._opening[drivings, kind - 1] - self._opening[source, kind - 1])
        return source, int(drivings[distance.argmax()])

    def _load(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        if self._frames is None:
            frames = torch.from_numpy(np.stack([self._cache.frames[row] for row in rows]))
        else:
            frames = self._frames[torch.from_numpy(rows).to(self._device)]
        return frames.permute(0, 3, 1, 2).float() / 255, torch.from_numpy(self._cache.points[rows])

    def _augmented(
        self, picture: Tensor, points: Tensor, affine: NDArray[np.float32], *, flipped: NDArray[np.bool_], stage: Stage
    ) -> tuple[Tensor, Tensor]:
        """Move pictures and points by (batch, 2, 3) affines that send old coordinates to new ones, then mirror some."""
        factor = picture.shape[-1] // stage.size
        if factor > 1:
            picture = functional.avg_pool2d(picture, factor)
        matrix = torch.from_numpy(affine[:, :, :2])
        offset = torch.from_numpy(affine[:, :, 2])
        inverse = torch.linalg.inv(matrix)
        backward = torch.cat([inverse, -(inverse @ offset[:, :, None])], dim=2)
        flip = torch.from_numpy(np.where(flipped, -1.0, 1.0).astype(np.float32))
        # The mirror is the last step, so the first one on the way back.
        backward = backward * torch.stack([flip, torch.ones_like(flip), torch.ones_like(flip)], dim=1)[:, None]
        grid = functional.affine_grid(
            backward.to(self._device), [len(picture), 3, stage.size, stage.size], align_corners=True
        )
        picture = functional.grid_sample(picture, grid, padding_mode="border", align_corners=True)
        points = points @ matrix.transpose(1, 2) + offset[:, None]
        mirrored = points[:, self._mirror] * torch.tensor([-1.0, 1.0])
        points = torch.where(torch.from_numpy(flipped)[:, None, None], mirrored, points)
        return picture, points


def openings(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far mouth and eyes are open, in heights of the face.

    Args:
        points: (N, 470, 2).

    Returns:
        (N, 2): the gap between the lips, the mean gap between the lids.
    """

    def gap(one: int, other: int) -> NDArray[np.float32]:
        return np.asarray(np.linalg.norm(points[:, one] - points[:, other], axis=1), np.float32)

    height = np.maximum(gap(10, 152), 1e-3)
    return np.stack([gap(13, 14) / height, (gap(159, 145) + gap(386, 374)) / (2 * height)], axis=1)


def _affines(rng: np.random.Generator, count: int, *, turn: float, zoom: float, move: float) -> NDArray[np.float32]:
    """(count, 2, 3) rotations up to `turn` degrees, scales within 1 +- zoom, moves up to `move` of half the side."""
    angle = np.deg2rad(rng.uniform(-turn, turn, count))
    scale = np.exp(rng.uniform(-zoom, zoom, count))
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    shift = rng.uniform(-move, move, (2, count))
    rows = [[cosine, -sine, shift[0]], [sine, cosine, shift[1]]]
    return np.array(rows, np.float32).transpose(2, 0, 1)


def _composed(second: NDArray[np.float32], first: NDArray[np.float32]) -> NDArray[np.float32]:
    """(count, 2, 3): first one affine, then the other."""
    matrix = second[:, :, :2] @ first
    matrix[:, :, 2] += second[:, :, 2]
    return matrix


def _colours(rng: np.random.Generator, count: int) -> Tensor:
    """(count, 3) brightness, contrast, saturation."""
    spread = rng.uniform([-0.08, 0.8, 0.7], [0.08, 1.2, 1.3], (count, 3))
    return torch.from_numpy(spread.astype(np.float32))


def _coloured(picture: Tensor, colour: Tensor) -> Tensor:
    brightness, contrast, saturation = (colour[:, index, None, None, None] for index in range(3))
    grey = picture.mean(dim=1, keepdim=True)
    picture = grey + saturation * (picture - grey)
    return ((picture - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)


def _sent(frames: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Frames on a device, sent in pieces: they are mapped from a file, and may be more than memory holds."""
    sent = torch.empty(frames.shape, dtype=torch.uint8, device=device)
    for start in range(0, len(frames), SENT_FRAMES):
        sent[start : start + SENT_FRAMES] = torch.from_numpy(np.array(frames[start : start + SENT_FRAMES]))
    return sent
