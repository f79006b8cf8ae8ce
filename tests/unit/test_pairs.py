"""Batches depend on seed, step and rank alone, and points stay on the pictures they belong to."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from engines.training.pairs import PairSampler  # noqa: E402
from tests.training_set import drawn_cache, tiny_config  # noqa: E402


def test_the_same_step_gives_the_same_batch(rng: np.random.Generator) -> None:
    cache = drawn_cache(rng)

    first, again = (PairSampler(cache, tiny_config()).draw(5) for _ in range(2))

    for one, other in zip(first, again, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize(("step", "rank"), [(6, 0), (5, 1)])
def test_another_step_or_process_gives_another_batch(rng: np.random.Generator, step: int, rank: int) -> None:
    sampler = PairSampler(drawn_cache(rng), tiny_config())

    assert not torch.equal(sampler.draw(5).source, sampler.draw(step, rank=rank).source)


def test_points_move_with_the_picture(rng: np.random.Generator) -> None:
    cache = drawn_cache(rng, clips=1, portraits=0)
    # A white spot under one mesh point that has no mirror twin, on black, in every frame.
    frames = np.zeros_like(cache.frames)
    cache.points[:] = 0
    cache.points[:, 1] = (0.3, -0.2)
    column, row = (cache.points[0, 1] + 1) * 127 / 2
    frames[:, round(row) - 2 : round(row) + 3, round(column) - 2 : round(column) + 3] = 255
    object.__setattr__(cache, "frames", frames)

    batch = PairSampler(cache, tiny_config()).draw(0)

    for picture, points in ((batch.source, batch.source_points), (batch.driving, batch.driving_points)):
        for one, found in zip(picture, points[:, 1], strict=True):
            rows, columns = torch.nonzero(one[1] > one[1].max() / 2, as_tuple=True)
            spot = torch.stack([columns.float().mean(), rows.float().mean()]) * 2 / 127 - 1
            torch.testing.assert_close(spot, found, atol=0.03, rtol=0)


def test_stills_make_pairs_of_one_portrait(rng: np.random.Generator) -> None:
    cache = drawn_cache(rng)

    batch = PairSampler(cache, tiny_config(stills=1.0)).draw(0)

    assert not torch.equal(batch.source, batch.driving)
    assert batch.known.all()
