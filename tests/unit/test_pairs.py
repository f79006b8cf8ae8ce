"""Batches depend on seed, step and rank alone, and points stay on the pictures they belong to."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from engines.training import pairs  # noqa: E402
from engines.training.pairs import PairSampler  # noqa: E402
from engines.training.selecting import at, rows_with_face  # noqa: E402
from tests.training_set import drawn_cache, tiny_config  # noqa: E402


def test_the_same_step_gives_the_same_batch(rng: np.random.Generator) -> None:
    cache = drawn_cache(rng)

    first, again = (PairSampler(cache, tiny_config()).draw(5) for _ in range(2))

    for one, other in zip(first, again, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_frames_that_a_device_holds_give_the_same_batch(rng: np.random.Generator, monkeypatch) -> None:
    monkeypatch.setattr(pairs, "SENT_FRAMES", 5)
    cache = drawn_cache(rng)
    mapped, held = (PairSampler(cache, tiny_config()) for _ in range(2))
    held._frames = pairs._sent(cache.frames, torch.device("cpu"))

    torch.testing.assert_close(held.draw(5).driving, mapped.draw(5).driving, rtol=0, atol=0)


def test_rows_with_a_face_fill_the_batch() -> None:
    rows = rows_with_face(torch.tensor([False, True, False, True, False]))

    assert rows is not None
    assert rows.tolist() == [1, 3, 1, 3, 1]
    assert rows_with_face(torch.tensor([False, False])) is None


def test_points_are_picked_by_their_indices() -> None:
    points = torch.rand(2, 9, 2)

    torch.testing.assert_close(at(points, (7, 0, 7)), points[:, [7, 0, 7]])


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
