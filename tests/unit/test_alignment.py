"""Optical flow says where a deformation should have looked."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from torch.nn import functional  # noqa: E402

from engines.networks.compact_motion import warp  # noqa: E402
from engines.networks.layers import coordinate_grid  # noqa: E402
from engines.training.alignment import AlignmentLoss  # noqa: E402

OFF = 6 * 2 / 127
"""Six pixels of 128."""


def _picture() -> torch.Tensor:
    """(1, 3, 128, 128): soft random spots."""
    noise = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return functional.interpolate(noise, size=(128, 128), mode="bicubic", align_corners=True).clamp(0, 1)


def _maps(off: float) -> torch.Tensor:
    """(1, 64, 64, 2): everything is looked up to the right of where it is."""
    return coordinate_grid(64, 64, device=torch.device("cpu"))[None] + torch.tensor([off, 0.0])


def test_flow_takes_back_what_a_deformation_is_off_by() -> None:
    truth = _picture()
    wanted, is_better = AlignmentLoss().wanted(_maps(OFF), warp(truth, _maps(OFF)), truth)

    inside = (slice(None), slice(8, -8), slice(8, -8))
    assert float((wanted - _maps(0)).abs()[inside].mean()) < 0.15 * OFF
    assert float(is_better[inside].mean()) > 0.9


def test_every_deformation_is_drawn_there_and_nothing_else_is() -> None:
    truth = _picture()
    fine, coarse = _maps(OFF).requires_grad_(), _maps(2 * OFF).requires_grad_()
    warped = warp(truth, fine)
    warped.retain_grad()

    AlignmentLoss()([fine, coarse], warped, truth).backward()

    for deformation in (fine, coarse):
        assert deformation.grad is not None
        assert float(deformation.grad[:, 8:-8, 8:-8, 0].mean()) > 0
    assert warped.grad is None


def test_a_deformation_that_is_right_stays() -> None:
    truth = _picture()
    assert float(AlignmentLoss()([_maps(0)], truth, truth)) < 0.02 * OFF


def test_flow_between_unlike_pictures_is_not_believed() -> None:
    generator = torch.Generator().manual_seed(1)
    truth, warped = (torch.rand(1, 3, 128, 128, generator=generator) for _ in range(2))
    flat = torch.full_like(truth, 0.5)

    assert float(AlignmentLoss().wanted(_maps(0), flat, truth)[1].mean()) < 0.05
    _, is_better = AlignmentLoss().wanted(_maps(0), warped, truth)
    assert float(is_better.mean()) < 0.75
