"""Losses on faces: the mesh network in torch is the one that OpenVINO runs, and it sees what a face does."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from engines.faces import MESH_SIDE, FaceFinder, Image, Mesh  # noqa: E402
from engines.training.expression import ExpressionLoss, crops, gaps  # noqa: E402
from engines.training.face_network import FaceNetwork  # noqa: E402

AVATARS = Path(__file__).parents[2] / "puppet" / "assets" / "avatars"
SIZE = 256


@pytest.fixture(scope="module")
def loss() -> ExpressionLoss:
    return ExpressionLoss()


@pytest.fixture(scope="module")
def portrait() -> Image:
    picture = cv2.imread(str(AVATARS / "elena.png"), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return np.asarray(cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)


def _mesh(image: Image) -> Mesh:
    finder = FaceFinder()
    return finder.mesh(image, finder.find(image)[0])


def _batch(image: Image) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255


def _points(mesh: Mesh) -> torch.Tensor:
    return torch.from_numpy(mesh.points[:, :2] * (2 / (SIZE - 1)) - 1)[None]


def _with_mouth_moved(image: Image, mesh: Mesh) -> Image:
    """The lower lip and what is below it, four pixels lower."""
    moved = image.copy()
    seam = int(mesh.points[14, 1])
    moved[seam + 4 :] = image[seam:-4]
    moved[seam : seam + 4] = 40
    return moved


def test_network_gives_the_points_that_openvino_gives() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.random((2, MESH_SIDE, MESH_SIDE, 3), np.float32)
    finder = FaceFinder()

    points, _ = FaceNetwork()(torch.from_numpy(pictures).permute(0, 3, 1, 2))

    for picture, found in zip(pictures, points.numpy(), strict=True):
        outputs = [np.asarray(value).reshape(-1) for value in finder._mesh(picture[None]).values()]
        expected = next(value for value in outputs if value.size == found.size).reshape(found.shape)
        np.testing.assert_allclose(found, expected, atol=5e-3)


def test_crops_hold_the_face_upright(portrait: Image) -> None:
    turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), 20, 1.0)
    turned = np.asarray(cv2.warpAffine(portrait, turn, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    mesh = _mesh(turned)

    grid = crops(_points(mesh), generator=torch.Generator().manual_seed(0))
    crop = torch.nn.functional.grid_sample(_batch(turned), grid, align_corners=True)
    points = FaceNetwork()(crop)[0][0]

    eyes = points[263] - points[33]
    assert abs(float(torch.atan2(eyes[1], eyes[0]))) < 0.15
    assert float(points[:, :2].min()) > 0
    assert float(points[:, :2].max()) < MESH_SIDE


def test_equal_pictures_are_at_no_distance(loss: ExpressionLoss, portrait: Image) -> None:
    picture, points = _batch(portrait), _points(_mesh(portrait))
    found = loss(picture, picture, points, torch.tensor([True]), generator=torch.Generator().manual_seed(1))
    assert {name: float(value) for name, value in found.items()} == {"mesh": 0.0, "gaps": 0.0, "features": 0.0}


def test_an_opened_mouth_shows_in_the_gaps_and_pulls_at_the_picture(loss: ExpressionLoss, portrait: Image) -> None:
    mesh = _mesh(portrait)
    result = _batch(portrait).requires_grad_(True)
    truth = _batch(_with_mouth_moved(portrait, mesh))

    found = loss(result, truth, _points(mesh), torch.tensor([True]), generator=torch.Generator().manual_seed(1))
    found["gaps"].backward()

    assert float(found["gaps"].detach()) > 0.0008
    assert result.grad is not None
    low, high = mesh.points[:, :2].min(axis=0).astype(int) - 8, mesh.points[:, :2].max(axis=0).astype(int) + 8
    pulled = result.grad.abs().sum(dim=(0, 1))
    assert float(pulled[low[1] : high[1], low[0] : high[0]].sum()) > 0.5 * float(pulled.sum()) > 0


def test_pictures_without_a_known_face_count_nothing(loss: ExpressionLoss, portrait: Image) -> None:
    picture = _batch(portrait).repeat(2, 1, 1, 1)
    points = _points(_mesh(portrait)).repeat(2, 1, 1)
    generator = torch.Generator().manual_seed(1)

    none = loss(picture, 1 - picture, points, torch.tensor([False, False]), generator=generator)
    one = loss(picture, 1 - picture, points, torch.tensor([True, False]), generator=generator)

    assert float(none["mesh"]) == 0.0
    assert float(one["features"]) > 0.0


def test_gaps_are_vectors_from_upper_to_lower() -> None:
    mesh = torch.zeros(1, 468, 3)
    mesh[0, 14] = torch.tensor([1.0, 5.0, 9.0])
    assert gaps(mesh)[0, 0].tolist() == [1.0, 5.0]
