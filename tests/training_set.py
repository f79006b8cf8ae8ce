"""A training cache of drawn faces, so that the trainer can be tested without any footage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engines.training.cache import Cache, Span
from engines.training.config import Stage, TrainConfig

if TYPE_CHECKING:
    from pathlib import Path

TINY = {"segmenter": [8, 8, 8, 8, 8], "pyramid": [8, 8, 8, 8], "blocks": 1, "refiner": 8}


def drawn_cache(rng: np.random.Generator, *, clips: int = 2, frames: int = 4, portraits: int = 1) -> Cache:
    """Smooth random pictures with a random but face-like mesh each; 128 pixels."""
    count = clips * frames + portraits
    coarse = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    pictures = coarse.repeat(16, axis=1).repeat(16, axis=2)
    face = rng.uniform(-0.4, 0.4, (1, 470, 2)) + rng.normal(0, 0.02, (count, 470, 2))
    spans = [Span(f"clip{index}", index * frames, (index + 1) * frames) for index in range(clips)]
    stills = [Span(f"still{index}", clips * frames + index, clips * frames + index + 1) for index in range(portraits)]
    return Cache(pictures, face.astype(np.float32), np.ones(count, np.float32), tuple(spans), tuple(stills))


def tiny_config(**changes: object) -> TrainConfig:
    """A run of three steps with the smallest networks."""
    values: dict[str, object] = {"network": TINY, "stages": [Stage(steps=3, size=128, batch=2)], "warm_up": 1}
    return TrainConfig.model_validate({**values, **changes})


def write_cache(cache: Cache, folder: Path) -> None:
    """Write the cache as `engines.training.cache.build` would."""
    import json

    folder.mkdir(parents=True)
    np.save(folder / "frames.npy", cache.frames)
    np.save(folder / "points.npy", cache.points)
    np.save(folder / "scores.npy", cache.scores)
    spans = [vars(span) for span in (*cache.clips, *cache.portraits)]
    (folder / "index.json").write_text(json.dumps({"spans": spans}))
