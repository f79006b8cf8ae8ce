"""Both sides of the adversarial loss learn from one backward pass, each from its own terms alone."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from engines.training.adversarial import AdversarialLoss  # noqa: E402


@pytest.fixture
def loss() -> AdversarialLoss:
    torch.manual_seed(0)
    return AdversarialLoss()


def _face(count: int = 2) -> torch.Tensor:
    """Eyes at the left and right, mouth below: (count, 470, 2)."""
    points = torch.zeros(count, 470, 2)
    points[:, [33, 133], 0] = torch.tensor([-0.4, -0.2])
    points[:, [362, 263], 0] = torch.tensor([0.2, 0.4])
    points[:, [61, 291, 0, 17], 1] = 0.5
    return points


def test_the_discriminator_does_not_teach_the_model_to_be_found_out(loss: AdversarialLoss) -> None:
    result, truth = torch.rand(2, 3, 64, 64, requires_grad=True), torch.rand(2, 3, 64, 64)

    loss(result, truth, _face(), torch.ones(2, dtype=torch.bool))["discriminator"].backward()

    assert result.grad is None
    assert all(weight.grad is not None and bool(weight.grad.any()) for weight in loss.discriminator.stages.parameters())


@pytest.mark.parametrize("term", ["adversarial", "matching"])
def test_the_models_terms_leave_the_discriminator_alone(loss: AdversarialLoss, term: str) -> None:
    result, truth = torch.rand(2, 3, 64, 64, requires_grad=True), torch.rand(2, 3, 64, 64)

    loss(result, truth, _face(), torch.ones(2, dtype=torch.bool))[term].backward()

    assert result.grad is not None
    assert bool(result.grad.any())
    assert all(weight.grad is None for weight in loss.parameters())


def test_a_few_steps_tell_noise_from_a_smooth_picture(loss: AdversarialLoss) -> None:
    truth = torch.linspace(0, 1, 64).expand(2, 3, 64, 64)
    result = truth + 0.2 * torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    optimiser = torch.optim.Adam(loss.parameters(), lr=1e-3)
    known = torch.ones(2, dtype=torch.bool)
    with torch.no_grad():
        before = loss(result, truth, _face(), known)
    for _ in range(30):
        optimiser.zero_grad()
        loss(result, truth, _face(), known)["discriminator"].backward()
        optimiser.step()
    with torch.no_grad():
        after = loss(result, truth, _face(), known)

    assert float(after["discriminator"]) < 0.8 * float(before["discriminator"])
    assert float(after["adversarial"]) > float(before["adversarial"])


def test_pairs_without_a_face_count_for_nothing_but_keep_every_weight_in_the_graph(loss: AdversarialLoss) -> None:
    result, truth = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)

    terms = loss(result, truth, torch.zeros(2, 470, 2), torch.zeros(2, dtype=torch.bool))
    terms["discriminator"].backward()

    assert all(float(term.detach()) == 0 for term in terms.values())
    assert all(weight.grad is not None for weight in loss.parameters())
