"""Targets of the guided parts follow from mesh points as they should."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from engines.families.compact import PART_NAMES  # noqa: E402
from engines.training import guidance  # noqa: E402


@pytest.fixture
def face(rng: np.random.Generator) -> np.ndarray:
    """A left-right symmetric random mesh, (470, 2)."""
    points = rng.uniform(-0.5, 0.5, (470, 2)).astype(np.float32)
    return guidance.template(points[None])


def test_mirroring_twice_changes_nothing() -> None:
    mirror = guidance.mirror_index()

    assert (mirror[mirror] == np.arange(470)).all()
    assert mirror[33] == 263


def test_every_part_but_the_body_has_a_place_to_begin_at() -> None:
    assert sorted((*guidance.GROUPS, *guidance.IRISES, *guidance.OUTER)) == sorted(set(PART_NAMES) - {"body"})
    assert set(guidance.RIGID) <= set(guidance.OUTER)


@pytest.mark.parametrize(("height", "share"), [(0.4, 1), (0.13, 0.5), (0.02, 0)])
def test_irises_count_as_far_as_they_can_be_seen(height: float, share: float) -> None:
    points = torch.zeros(1, 470, 2)
    for index, place in ((33, (-0.1, 0)), (133, (0.1, 0)), (159, (0, -0.1 * height)), (145, (0, 0.1 * height))):
        points[0, index] = torch.tensor(place, dtype=torch.float32)
    middle = guidance.at(points, guidance.GROUPS["right_eye"]).mean(dim=1)
    points[0, guidance.RIGHT_IRIS] = middle[0] + torch.tensor([0.05, 0.01])

    place = guidance.iris_place(points, "right_iris")

    torch.testing.assert_close(place - middle, share * torch.tensor([[0.05, 0.01]]), atol=1e-6, rtol=1e-4)


def test_irises_are_guided_beside_their_eyes_and_are_stretched_like_them(face: np.ndarray) -> None:
    mean = torch.from_numpy(face)
    looking = mean.clone()
    looking[[guidance.RIGHT_IRIS, guidance.LEFT_IRIS]] += torch.tensor([0.05, 0.0])

    still, aside = (guidance.targets(points[None], mean) for points in (mean, looking))

    names = [PART_NAMES[index] for index in guidance.GUIDED]
    irises, eyes = ([names.index(f"{side}_{what}") for side in ("right", "left")] for what in ("iris", "eye"))
    moved = (aside.shift - still.shift)[0]
    assert (moved[irises, 0] > 0).all()
    assert moved[eyes].abs().max() < 1e-6
    torch.testing.assert_close(aside.affine[:, irises], aside.affine[:, eyes])


def test_parts_beyond_the_mesh_lie_about_the_face() -> None:
    points = torch.zeros(1, 470, 2)
    for index, place in ((10, (0, -0.5)), (152, (0, 0.5)), (234, (-0.4, 0)), (454, (0.4, 0))):
        points[0, index] = torch.tensor(place)

    place = {name: guidance.outer_place(points, name)[0].tolist() for name in guidance.OUTER}

    assert place["hair"] == pytest.approx((0, -0.85))
    assert place["right_hair"][0] < -0.4 < 0.4 < place["left_hair"][0]
    assert place["neck"][1] > 0.5
    assert place["right_shoulder"][1] > place["neck"][1]


def test_the_mean_face_itself_has_identity_affines(face: np.ndarray) -> None:
    mean = torch.from_numpy(face)

    wanted = guidance.targets(mean[None], mean)

    torch.testing.assert_close(wanted.affine, torch.eye(2).expand_as(wanted.affine), atol=1e-4, rtol=0)


def test_a_moved_face_moves_every_shift_and_turns_every_affine(face: np.ndarray) -> None:
    mean = torch.from_numpy(face)
    matrix = torch.tensor([[0.9, -0.2], [0.3, 1.1]])
    offset = torch.tensor([0.1, -0.2])
    moved = mean @ matrix.T + offset

    still, wanted = (guidance.targets(points[None], mean) for points in (mean, moved))

    torch.testing.assert_close(wanted.shift, still.shift @ matrix.T + offset)
    torch.testing.assert_close(wanted.affine, matrix.expand_as(wanted.affine), atol=2e-3, rtol=0)


def test_prior_masks_sum_to_one_and_peak_at_their_part(face: np.ndarray) -> None:
    mean = torch.from_numpy(face)[None]

    masks = guidance.mask_prior(mean, side=64)

    torch.testing.assert_close(masks.sum(dim=1), torch.ones(1, 64, 64))
    assert masks.shape == (1, len(PART_NAMES) + 1, 64, 64)


def test_attention_is_one_where_no_mesh_is_known(face: np.ndarray) -> None:
    points = torch.from_numpy(face)[None].repeat(2, 1, 1)

    weight = guidance.attention(points, torch.tensor([True, False]), side=32, most=5.0)

    assert weight[0].max() > 3
    torch.testing.assert_close(weight[1], torch.ones(1, 32, 32))


def test_openings_and_gazes_are_told_apart() -> None:
    names = [PART_NAMES[index] for index in guidance.GUIDED]

    pairs = {(names[one], names[other]) for one, other in guidance.OPENINGS}
    assert pairs == {("upper_lip", "lower_lip"), ("right_lid", "right_eye"), ("left_lid", "left_eye")}
    gazes = [(names[one], names[other]) for one, other in guidance.GAZES]
    assert gazes == [("right_iris", "right_eye"), ("left_iris", "left_eye")]
