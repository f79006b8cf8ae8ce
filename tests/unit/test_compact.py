"""The compact family's networks: what belongs to irises, and what they move."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from engines.families.compact import EYES, MASKED, PART_NAMES, Compact, build  # noqa: E402
from tests.training_set import TINY  # noqa: E402


@pytest.fixture
def model() -> Compact:
    torch.manual_seed(0)
    return build(TINY).eval()


def test_irises_have_no_mask_and_are_stretched_as_their_eyes(model: Compact) -> None:
    read = model.segment(torch.rand(2, 3, model.size, model.size))

    assert read.shift.shape == (2, len(PART_NAMES), 2)
    assert [PART_NAMES[eye] for eye in EYES] == ["right_eye", "left_eye"]
    torch.testing.assert_close(read.affine[:, len(MASKED) :], read.affine[:, list(EYES)])
    assert read.segmentation is not None
    assert (read.segmentation[:, len(MASKED) + 1 :] == 0).all()
    torch.testing.assert_close(read.segmentation.sum(dim=1), torch.ones(2, 64, 64))


def test_a_moved_iris_changes_the_picture_at_its_eye_alone(model: Compact) -> None:
    avatar = torch.rand(1, 3, model.size, model.size)
    with torch.no_grad():
        features, read = model.encode(avatar), model.segment(avatar)
        shift = read.shift.clone()
        shift[:, EYES[0]] = torch.tensor([-0.4, 0.0])
        shift[:, EYES[1]] = torch.tensor([0.4, 0.0])
        shift[:, len(MASKED) :] = shift[:, list(EYES)]
        source = read._replace(shift=shift)
        moved = shift.clone()
        moved[:, len(MASKED)] += torch.tensor([0.04, 0.0])
        made = [model.generate(features, source, source._replace(shift=to)) for to in (shift, moved)]

    change = (made[1]["deformation"] - made[0]["deformation"]).norm(dim=-1)[0]
    side = change.shape[0]
    assert change[side // 2, round(side * 0.3)] > 0.03
    assert change[:, side // 2 :].max() < 1e-6
