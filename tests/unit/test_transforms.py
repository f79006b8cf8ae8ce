"""Random transforms, equivariance losses and the pyramid give the numbers of the reference."""

from __future__ import annotations

import pytest
import torch

from engines.training.transforms import Pyramid, Transform, equivariance_affine, equivariance_shift
from tests.networks import reference, seeded_image, seeded_model

HALF = 5e-4
"""The reference keeps the transformed frame as float16."""


@pytest.fixture(scope="module")
def numbers() -> dict[str, torch.Tensor]:
    return reference("losses_small")


@pytest.fixture(scope="module")
def transform(numbers: dict[str, torch.Tensor]) -> Transform:
    return Transform(numbers["theta"], numbers["control_params"][:, 0], numbers["control_points"].reshape(-1, 2))


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    return torch.cat([seeded_image(2), seeded_image(4)])


def close(actual: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(actual, expected.to(actual.dtype), rtol=0, atol=tolerance)


def test_points_and_jacobians_are_the_references(numbers: dict[str, torch.Tensor], transform: Transform) -> None:
    close(transform.points_of(numbers["transformed_shift"]), numbers["warped_shift"])
    close(transform.jacobian(numbers["transformed_shift"]), numbers["jacobian_at_shift"])


def test_the_transformed_frame_is_the_references(
    numbers: dict[str, torch.Tensor], transform: Transform, frames: torch.Tensor
) -> None:
    close(transform.frame(frames), numbers["transformed_frame"].float(), HALF)


def test_both_losses_of_the_segmenter_are_the_references(
    numbers: dict[str, torch.Tensor], transform: Transform, frames: torch.Tensor
) -> None:
    model = seeded_model("mcs")
    motion, moved = model.segment(frames), model.segment(transform.frame(frames))

    close(motion.affine, numbers["target_affine"])
    close(moved.shift, numbers["transformed_shift"])
    close(equivariance_shift(motion.shift, moved.shift, transform), numbers["equivariance_shift"])
    loss = equivariance_affine(motion.affine, moved.shift, moved.affine, transform)
    close(loss, numbers["equivariance_affine"])


def test_the_pyramid_is_the_references(numbers: dict[str, torch.Tensor], frames: torch.Tensor) -> None:
    levels = Pyramid()(frames)

    close(levels[1.0], frames, 0)
    for scale in (0.5, 0.25, 0.125):
        close(levels[scale], numbers[f"pyramid_{scale}"])


def test_the_closed_form_jacobian_is_the_derivative() -> None:
    generator = torch.Generator().manual_seed(3)
    transform = Transform.random(2, generator=generator)
    points = torch.rand(2, 6, 2, generator=generator) * 2 - 1

    for batch in range(2):
        for index in range(6):

            def at(point: torch.Tensor, batch: int = batch) -> torch.Tensor:
                return transform.points_of(point.expand(2, 1, 2))[batch, 0]

            derivative = torch.autograd.functional.jacobian(at, points[batch, index])
            close(transform.jacobian(points)[batch, index], derivative, 1e-5)


def test_without_noise_the_transform_is_the_identity() -> None:
    transform = Transform.random(1, sigma_affine=0, sigma_tps=0)
    picture = seeded_image(1)

    close(transform.frame(picture), picture, 1e-4)  # grid_sample's own coordinates round
    eye = torch.eye(2).expand(1, 4, 2, 2)
    shift = torch.rand(1, 4, 2, generator=torch.Generator().manual_seed(1))
    close(equivariance_shift(shift, shift, transform), torch.tensor(0.0), 1e-6)
    close(equivariance_affine(eye * 0.3, shift, eye * 0.3, transform), torch.tensor(0.0), 1e-6)


def test_gradients_reach_shift_and_affine(transform: Transform) -> None:
    shift = torch.full((2, 4, 2), 0.1).requires_grad_()
    affine = (torch.eye(2).expand(2, 4, 2, 2) * 0.7).clone().requires_grad_()

    equivariance_affine(torch.eye(2).expand(2, 4, 2, 2), shift, affine, transform).backward()

    assert shift.grad is not None
    assert affine.grad is not None
    assert float(shift.grad.abs().sum()) > 0
    assert float(affine.grad.abs().sum()) > 0
