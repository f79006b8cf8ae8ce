"""A small model grown into a larger one."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from engines.errors import TrainingError  # noqa: E402
from engines.families.compact import Compact, CompactConfig, build  # noqa: E402
from engines.model_folder import BUNDLED  # noqa: E402
from engines.training.growth import begin_with, grow  # noqa: E402
from engines.training.weights import FILE  # noqa: E402

SMALL = CompactConfig(size=128, segmenter=(8, 12, 16), pyramid=(8, 12, 16, 20), blocks=1, refiner=8)
LARGE = CompactConfig(size=128, segmenter=(12, 16, 20), pyramid=(12, 18, 20, 28), blocks=2, refiner=12)


def _trained(config: CompactConfig) -> Compact:
    """Weights and statistics that no fresh model has."""
    torch.manual_seed(0)
    model = Compact(config)
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.add_(0.1 * (torch.rand(value.shape) - 0.5))
    return model.eval()


@torch.no_grad()
def _pictures(model: Compact) -> dict[str, torch.Tensor]:
    noise = torch.Generator().manual_seed(1)
    avatar, driving = torch.rand(2, 1, 3, 128, 128, generator=noise)
    return model.generate(model.encode(avatar), model.segment(avatar), model.segment(driving))


def test_a_grown_model_gives_the_same_pictures() -> None:
    small, large = _trained(SMALL), Compact(LARGE).eval()
    before = _pictures(small)

    grow(small, large)

    for name, value in _pictures(large).items():
        torch.testing.assert_close(value, before[name], rtol=1e-4, atol=1e-5)


def test_new_channels_are_learnt_from_the_first_step_on() -> None:
    large = Compact(LARGE)
    grow(_trained(SMALL), large)
    picture = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(2))
    motion = large.segment(picture)

    large.generate(large.encode(picture), motion, motion)["image"].square().mean().backward()

    new = large.decoder.at_half[0].weight.grad
    assert new is not None
    assert new[:8, 8:12].abs().max() > 0


def test_weights_in_a_model_folder_grow_into_wider_networks() -> None:
    wider = {"pyramid": (24, 48, 96, 144), "blocks": 5}
    small, large = Compact(), build(wider)

    for model in (small, large):
        begin_with(model, BUNDLED / FILE)

    picture = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(3))
    before, after = (model.eval().encode(picture) for model in (small, large))
    torch.testing.assert_close(after["eighth"][:, :128], before["eighth"], rtol=1e-4, atol=1e-5)
    assert after["eighth"].shape[1] == 144


def test_a_model_does_not_shrink() -> None:
    with pytest.raises(TrainingError, match="cannot shrink"):
        grow(Compact(LARGE), Compact(SMALL.model_copy(update={"blocks": 2})))
    with pytest.raises(TrainingError, match="as many blocks"):
        grow(Compact(SMALL.model_copy(update={"blocks": 2})), Compact(SMALL))
