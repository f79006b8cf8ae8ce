"""The dear perceptual loss looks at squares near the face, and says what it needs."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from engines.errors import TrainingError  # noqa: E402
from engines.training import texture  # noqa: E402
from engines.training.perceptual_metric import Trunk, unit, why_unavailable  # noqa: E402
from engines.training.texture import SIDE, TextureLoss  # noqa: E402

WIDTHS = (64, 128, 256, 512, 512)


@pytest.fixture
def loss(monkeypatch: pytest.MonkeyPatch) -> TextureLoss:
    """With seeded weights: the published ones are not needed to know where it looks."""

    def seeded() -> Trunk:
        torch.manual_seed(0)
        return Trunk().eval()

    monkeypatch.setattr(texture, "why_unavailable", lambda: None)
    monkeypatch.setattr(texture, "read_trunk", seeded)
    monkeypatch.setattr(texture, "read_heads", lambda: [torch.ones(1, width, 1, 1) for width in WIDTHS])
    return TextureLoss()


def test_gradient_stays_inside_one_square_near_the_face(loss: TextureLoss) -> None:
    torch.manual_seed(1)
    result, truth = torch.rand(1, 3, 256, 256, requires_grad=True), torch.rand(1, 3, 256, 256)
    points = torch.full((1, 470, 2), -0.4)

    loss.square(result, truth, points, generator=torch.Generator().manual_seed(2)).backward()

    assert result.grad is not None
    rows, columns = (result.grad.abs().sum(dim=axes)[0].nonzero() for axes in ((1, 3), (1, 2)))
    for touched in (rows, columns):
        assert touched.numel() == SIDE
        assert int(touched.max() - touched.min()) == SIDE - 1


def test_equal_pictures_are_at_no_distance(loss: TextureLoss) -> None:
    picture = torch.rand(2, 3, 64, 64)
    points = torch.zeros(2, 470, 2)
    assert float(loss.square(picture, picture, points, generator=torch.Generator().manual_seed(0))) == 0.0
    assert float(loss.whole(picture, picture)) == 0.0


def test_heads_count_beside_plain_distance(loss: TextureLoss, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    result, truth = torch.rand(2, 1, 3, 64, 64)

    both = loss.distance(result, truth)
    monkeypatch.setattr(texture, "HEADED", 0.0)

    features = [[unit(value) for value in loss.trunk(picture)] for picture in (result, truth)]
    headed = sum((one - other).square().sum(dim=1).mean() for one, other in zip(*features, strict=True))
    torch.testing.assert_close(both - loss.distance(result, truth), 10 * headed, rtol=1e-3, atol=1e-4)


def test_whole_pictures_are_compared_at_half_size(loss: TextureLoss) -> None:
    truth = torch.full((1, 3, 128, 128), 0.5)
    chequered = truth + 0.2 * (torch.arange(128).add(torch.arange(128)[:, None]) % 2 - 0.5)

    assert float(loss.whole(chequered, truth)) < 1e-5
    assert float(loss.whole(truth + 0.2, truth)) > 1e-3


def test_details_look_at_mouth_and_eyes_alone(loss: TextureLoss) -> None:
    torch.manual_seed(1)
    result, truth = torch.rand(1, 3, 256, 256, requires_grad=True), torch.rand(1, 3, 256, 256)
    points = torch.zeros(1, 470, 2)
    points[0, [33, 133], 0] = torch.tensor([-0.4, -0.2])
    points[0, [362, 263], 0] = torch.tensor([0.2, 0.4])
    points[0, [61, 291, 0, 17], 1] = 0.5

    loss.details(result, truth, points, torch.tensor([True])).backward()

    assert result.grad is not None
    seen = result.grad[0].abs().sum(dim=0) > 0
    assert all(bool(seen[row, column]) for row, column in ((128, 89), (128, 166), (191, 128)))
    assert not bool(seen[128, 128])
    assert not bool(seen[:98].any())
    assert float(loss.details(result, truth, points, torch.tensor([False]))) == 0.0


def test_details_mind_the_colour_of_a_mouth(loss: TextureLoss, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = torch.full((1, 3, 64, 64), 0.2) + torch.tensor([0.3, 0, 0]).view(1, 3, 1, 1)
    grey = truth.mean(dim=1, keepdim=True).expand_as(truth)
    points = torch.zeros(1, 470, 2)
    points[0, 263, 0] = 0.5

    minding = loss.details(grey, truth, points, torch.tensor([True]))
    monkeypatch.setattr(texture, "COLOUR", 0.0)
    apart = minding - loss.details(grey, truth, points, torch.tensor([True]))

    off = float((grey - truth).abs().mean() / truth.mean())
    assert float(apart) == pytest.approx(10 * off, rel=1e-3)


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texture, "why_unavailable", lambda: "perceptual distance is left out: install h5py")
    with pytest.raises(TrainingError, match=r"install h5py, or set its weight to 0"):
        TextureLoss()


@pytest.mark.skipif(why_unavailable() is not None, reason=why_unavailable() or "")
def test_published_trunk_tells_blur_from_grain() -> None:
    published = TextureLoss()
    torch.manual_seed(0)
    truth = torch.nn.functional.interpolate(torch.rand(1, 3, 64, 64), size=(128, 128), mode="bilinear")
    blurred = torch.nn.functional.avg_pool2d(truth, 9, 1, 4)
    points = torch.zeros(1, 470, 2)

    distances = [
        float(published.square(picture, truth, points, generator=torch.Generator().manual_seed(0)))
        for picture in (truth + 0.01 * torch.randn_like(truth), blurred)
    ]

    assert 0 < distances[0] < 0.5 * distances[1]
