"""Grain: what repeats with every other pixel."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from torch.nn import functional  # noqa: E402

from engines.training.grain import grain, grain_loss  # noqa: E402

DOTS = 0.05


def _photograph() -> torch.Tensor:
    """(1, 3, 64, 64): rough spots of all sizes, without a pattern."""
    noise = torch.Generator().manual_seed(0)
    planes = [torch.rand(1, 3, side, side, generator=noise) for side in (8, 16, 32, 64)]
    large = [functional.interpolate(plane, size=(64, 64), mode="bicubic", align_corners=True) for plane in planes]
    return torch.stack(large).mean(dim=0)


def _dotted(picture: torch.Tensor) -> torch.Tensor:
    dotted = picture.clone()
    dotted[:, :, ::2, ::2] += DOTS
    return dotted


def test_dots_that_repeat_cost_more_than_detail_that_is_missing() -> None:
    truth = _photograph()
    soft = functional.avg_pool2d(truth, 3, 1, 1, count_include_pad=False)

    dotted = float(grain_loss(_dotted(truth), truth))

    assert dotted == pytest.approx(DOTS * 6 / 16, rel=1e-3)  # 3/4 off at one pixel of four, 1/4 at the others
    assert float(grain_loss(soft, truth)) < 0.6 * dotted
    assert (soft - truth).abs().mean() > DOTS


def test_an_even_slope_and_a_truth_of_its_own_grain_cost_nothing() -> None:
    assert float(grain_loss(_dotted(_photograph()), _dotted(_photograph()))) == 0
    assert grain(torch.full((1, 3, 16, 16), 0.7)).abs().max() < 1e-6


def test_the_loss_takes_dots_away() -> None:
    truth = _photograph()
    picture = _dotted(truth).requires_grad_()

    grain_loss(picture, truth).backward()

    assert picture.grad is not None
    assert float(picture.grad[:, :, ::2, ::2].mean()) > 0 > float(picture.grad[:, :, 1::2, 1::2].mean())
