"""Coordinate algebra that the families share."""

from __future__ import annotations

import pytest
import torch

from engines import families
from engines.networks.layers import (
    AntiAliasDownsample,
    apply_2x2,
    blended_deformation,
    coordinate_grid,
    gaussian_kernel,
    heatmap_mean,
    inverse_2x2,
    part_deformations,
    product_2x2,
    spatial_softmax,
    warp,
)


@pytest.fixture
def matrices() -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.eye(2) + 0.3 * torch.randn(2, 7, 2, 2, generator=generator)


def test_the_inverse_and_the_product_are_those_of_linear_algebra(matrices: torch.Tensor) -> None:
    other = matrices.flip(1)

    torch.testing.assert_close(product_2x2(matrices, other), matrices @ other)
    torch.testing.assert_close(inverse_2x2(matrices), torch.linalg.inv(matrices), rtol=1e-4, atol=1e-5)
    point = torch.tensor([0.3, -0.8])
    torch.testing.assert_close(apply_2x2(matrices, point), matrices @ point)


def test_the_grid_runs_from_the_first_to_the_last_pixels_centre() -> None:
    grid = coordinate_grid(3, 5)

    assert grid.shape == (3, 5, 2)
    assert grid[0, :, 0].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert grid[:, 0, 1].tolist() == [-1, 0, 1]


@pytest.mark.parametrize("align_corners", [True, False])
def test_warping_along_the_identity_changes_nothing_only_with_aligned_corners(align_corners: bool) -> None:
    picture = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))

    warped = warp(picture, coordinate_grid(8, 8)[None], align_corners=align_corners)

    assert torch.allclose(warped, picture, atol=1e-5) == align_corners


def test_a_sharp_heatmap_has_its_mean_at_its_peak() -> None:
    logits = torch.zeros(1, 1, 5, 5)
    logits[0, 0, 1, 4] = 10

    heatmap = spatial_softmax(logits, temperature=0.1)

    torch.testing.assert_close(heatmap.sum(), torch.tensor(1.0))
    torch.testing.assert_close(heatmap_mean(heatmap), torch.tensor([[[1.0, -0.5]]]))


def test_a_part_is_looked_up_where_it_was_and_the_background_stays(matrices: torch.Tensor) -> None:
    shift = torch.tensor([[[0.25, -0.5]]])
    moved = shift + torch.tensor([0.25, 0.5])
    affine = matrices[:1, :1]

    maps = part_deformations(shift, affine, moved, affine, size=(9, 9))

    grid = coordinate_grid(9, 9)
    torch.testing.assert_close(maps[0, 0], grid)
    torch.testing.assert_close(maps[0, 1], grid - torch.tensor([0.25, 0.5]))
    masks = torch.tensor([0.5, 0.5]).view(1, 2, 1, 1).expand(-1, -1, 9, 9)
    torch.testing.assert_close(blended_deformation(maps, masks)[0], grid - torch.tensor([0.125, 0.25]))


@pytest.mark.parametrize(("scale", "side"), [(1.0, 1), (0.5, 5), (0.25, 13), (0.125, 29)])
def test_the_blur_grows_with_the_step_and_keeps_the_level(scale: float, side: int) -> None:
    assert gaussian_kernel(scale).shape == (1, 1, side, side)

    small = AntiAliasDownsample(3, scale)(torch.full((1, 3, 128, 128), 0.5))

    assert small.shape == (1, 3, 128 * scale, 128 * scale)
    torch.testing.assert_close(small[..., -2, -2], torch.full((1, 3), 0.5))


def test_a_scale_that_is_no_whole_step_is_refused() -> None:
    with pytest.raises(ValueError, match=r"scale is 0\.3"):
        AntiAliasDownsample(3, 0.3)


def test_an_unknown_family_is_refused_and_the_known_are_named() -> None:
    with pytest.raises(ValueError, match="no family 'gan'; there are mcs, fomm, compact"):
        families.build("gan", {})
