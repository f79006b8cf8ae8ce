"""The compact family's irises: where they look, and what stays where it is."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from engines.networks import compact_motion as motions  # noqa: E402
from engines.networks.layers import coordinate_grid, warp  # noqa: E402

EYES = torch.tensor([[[-0.3, -0.1], [0.3, -0.1]]])
SIZE = 1.5
"""Of the face, over the mean one."""


def eyes(gaze: tuple[float, ...], *, turn: float = 0.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of a face turned in the picture, which looks somewhere: shift, affine, irises."""
    cosine, sine = torch.cos(torch.tensor(turn)), torch.sin(torch.tensor(turn))
    affine = SIZE * torch.stack([torch.stack([cosine, -sine]), torch.stack([sine, cosine])]).expand(1, 2, 2, 2)
    return EYES, affine, EYES + (affine * torch.tensor(gaze)).sum(dim=-1)


def still(side: int = 64) -> torch.Tensor:
    return coordinate_grid(side, side)[None]


def read_at(deformation: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """(1, eyes, 2): what a deformation reads at places."""
    return warp(deformation.permute(0, 3, 1, 2), places[:, None], align_corners=True)[:, :, 0].permute(0, 2, 1)


def test_who_looks_as_the_avatar_does_moves_nothing() -> None:
    fine = motions.move_irises(still(), eyes((0.03, 0.01)), eyes((0.03, 0.01), turn=0.4))

    torch.testing.assert_close(fine, still(motions.FINE_SIDE), atol=1e-6, rtol=0)


@pytest.mark.parametrize("turn", [0.0, 0.5])
def test_irises_are_read_where_the_avatar_has_them(turn: float) -> None:
    rest, wanted = torch.tensor([-0.015, 0.01]), torch.tensor([0.03, -0.005])
    source = eyes(tuple(rest.tolist()), turn=turn)
    fine = motions.move_irises(still(), source, eyes(tuple(wanted.tolist()), turn=turn))

    squared = (wanted - rest).square().sum()
    shown = rest + squared / (squared + motions.TREMBLING**2) * (wanted - rest)
    assert (shown - wanted).norm() < 0.1 * (wanted - rest).norm()
    torch.testing.assert_close(read_at(fine, eyes(tuple(shown.tolist()), turn=turn)[2]), source[2], atol=2e-3, rtol=0)


def test_eyes_that_tremble_rest() -> None:
    small = motions.TREMBLING / 4
    fine = motions.move_irises(still(), eyes((0.0, 0.0)), eyes((small, 0.0)))

    assert (fine - still(motions.FINE_SIDE)).norm(dim=-1).max() < SIZE * small / 10


def test_corners_lids_and_all_else_stay() -> None:
    fine = motions.move_irises(still(), eyes((0.0, 0.0)), eyes((0.04, 0.0)))

    way = (fine - still(motions.FINE_SIDE)).norm(dim=-1)
    assert way.max() > 0.05
    for place in ((0.115, 0.0), (-0.115, 0.0), (0.0, 0.09), (0.0, -0.09)):
        assert read_at(fine, eyes(place)[2]).sub(eyes(place)[2]).norm(dim=-1).max() < 4e-3
    grid = still(motions.FINE_SIDE)
    far = ((grid[:, None] - EYES[:, :, None, None]).abs() > 0.3).any(dim=-1).all(dim=1)
    assert way[far].max() < 1e-6


def test_lids_are_not_drawn_along_up_and_down() -> None:
    fine = motions.move_irises(still(), eyes((0.0, 0.0), turn=0.5), eyes((0.0, 0.03), turn=0.5))

    for place in ((0.0, 0.06), (0.0, -0.06)):
        lid = eyes(place, turn=0.5)[2]
        assert (read_at(fine, lid) - lid).norm(dim=-1).max() < 4e-3


def test_irises_stay_in_their_eyes() -> None:
    far, farther = (motions.move_irises(still(), eyes((0.0, 0.0)), eyes((x, -x))) for x in (0.2, 5.0))

    torch.testing.assert_close(far, farther)
    way = (far - still(motions.FINE_SIDE)).abs().flatten(0, 2).max(dim=0).values
    assert way[0] <= SIZE * motions.FARTHEST_GAZE[0] + 1e-5
    assert way[1] <= SIZE * motions.FARTHEST_GAZE[1] + 1e-5
