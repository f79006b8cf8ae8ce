"""Part swap on made-up faces: what is laid over, where, and in which colours."""

from __future__ import annotations

import numpy as np
import pytest

from puppet.avatar import Avatar
from puppet.colour_transfer import GAIN, Look, SteadyLook, from_lab, linear_map, read_look, recolour, to_lab
from puppet.errors import PuppetError
from puppet.settings import LiveSettings
from puppet.swap import PartSwap, carry_picture, chosen
from puppet.types import Frame, Motion

SIDE, MAP = 64, 16
NAMES = ("hair", "face")


def face(skin: tuple[int, int, int], hair: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Hair above, skin below, with a little noise, uint8 (SIDE, SIDE, 3)."""
    picture = np.empty((SIDE, SIDE, 3))
    picture[: SIDE // 2], picture[SIDE // 2 :] = hair, skin
    return np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def motion() -> Motion:
    masks = np.zeros((3, MAP, MAP), np.float32)
    masks[1, : MAP // 2] = masks[2, MAP // 2 :] = 1
    eye = np.broadcast_to(np.eye(2, dtype=np.float32), (2, 2, 2)).copy()
    return Motion(np.float32([[0, -0.5], [0, 0.5]]), eye, masks)


@pytest.fixture
def faces(rng) -> tuple[np.ndarray, np.ndarray]:
    """Avatar and driver."""
    return face((90, 60, 45), (20, 30, 120), rng), face((220, 175, 150), (120, 70, 30), rng)


def swapped(faces, motion, **changes) -> np.ndarray:
    avatar = Avatar("avatar", faces[0], motion, {})
    settings = LiveSettings(**changes)
    swap = PartSwap(NAMES, blends_features=False)
    return swap.compose(faces[0], Frame(faces[1], 0, 0.0), (motion, motion), avatar=avatar, settings=settings)


def test_the_chosen_part_is_the_avatars_and_the_rest_the_drivers(faces, motion):
    picture = swapped(faces, motion, swap=("hair",), swap_feather=0.0, swap_colour=False)

    np.testing.assert_array_equal(picture[: SIDE // 2 - 4], faces[0][: SIDE // 2 - 4])
    np.testing.assert_array_equal(picture[SIDE // 2 + 4 :], faces[1][SIDE // 2 + 4 :])


def test_the_other_way_round_the_rest_is_the_avatars(faces, motion):
    picture = swapped(faces, motion, swap=("hair",), swap_inverse=True, swap_feather=0.0, swap_colour=False)

    np.testing.assert_array_equal(picture[SIDE // 2 + 4 :], faces[0][SIDE // 2 + 4 :])
    assert np.abs(picture[: SIDE // 2 - 4].astype(int) - faces[1][: SIDE // 2 - 4]).max() <= 1


def test_feathering_softens_the_edge(faces, motion):
    edges = []
    for feather in (0.1, 1.0):
        picture = swapped(faces, motion, swap=("hair",), swap_feather=feather, swap_colour=False).astype(float)
        edges.append(np.abs(np.diff(picture.mean(axis=(1, 2)))).max())

    assert edges[1] < 0.75 * edges[0]


def test_a_soft_edge_shows_no_rim_of_the_avatars_background(motion, rng):
    person = np.zeros((MAP, MAP), np.float32)
    person[:, 4:12] = 1
    masks = np.stack([1 - person, person * motion.segmentation[1], person * motion.segmentation[2]])
    motion = Motion(motion.shift, motion.affine, masks)
    avatar, driver = face((90, 60, 45), (20, 30, 120), rng), np.full((SIDE, SIDE, 3), 100, np.uint8)
    avatar[:, :16], avatar[:, 48:] = (0, 230, 0), (0, 230, 0)

    picture = swapped((avatar, driver), motion, swap=("hair",), swap_colour=False).astype(int)

    assert (picture[16, 20:44, 2] > 110).all(), "the hair is there"
    assert (picture[..., 1] - np.maximum(picture[..., 0], picture[..., 2])).max() < 20


def test_swapped_skin_takes_the_drivers_tone(faces, motion):
    picture = swapped(faces, motion, swap=("face",))

    below = slice(SIDE // 2 + 8, None)
    np.testing.assert_allclose(picture[below].mean(axis=(0, 1)), faces[1][below].mean(axis=(0, 1)), atol=6)


def test_swapped_hair_keeps_its_own_colour(faces, motion):
    picture = swapped(faces, motion, swap=("hair",))

    above = slice(None, SIDE // 2 - 8)
    np.testing.assert_allclose(picture[above].mean(axis=(0, 1)), faces[0][above].mean(axis=(0, 1)), atol=12)


def test_black_hair_over_dark_skin_stays_black_on_a_pale_driver(motion, rng):
    dark, pale = face((95, 55, 35), (18, 14, 14), rng), face((235, 195, 175), (200, 170, 120), rng)
    shade = np.linspace(0.35, 1.25, SIDE)[None, :, None]
    dark[SIDE // 2 :] = np.clip(dark[SIDE // 2 :] * shade, 0, 255)  # shadows on one side, light on the other

    picture = swapped((dark, pale), motion, swap=("hair", "face"))

    assert picture[: SIDE // 2 - 8].mean() < 50
    assert picture[SIDE // 2 + 8 :, 24:].mean() > 150


def test_a_fringe_and_an_outline_over_the_face_are_not_taken_for_skin(faces, motion):
    drawn = faces[1].copy()
    drawn[SIDE // 2 :, : SIDE // 3] = (30, 60, 150)

    look = read_look(drawn, motion.segmentation, NAMES)

    plain = read_look(faces[1], motion.segmentation, NAMES)
    np.testing.assert_allclose(look.mean, plain.mean, atol=3)


def test_a_small_part_that_shares_all_its_pixels_is_swapped_all_the_same(faces, motion):
    masks = motion.segmentation.copy()
    masks[1] *= 0.4
    masks[2] = 1 - masks[1]
    shared = Motion(motion.shift, motion.affine, masks)

    picture = swapped(faces, shared, swap=("hair",), swap_feather=0.1, swap_colour=False)

    assert np.abs(picture[: SIDE // 4].astype(int) - faces[0][: SIDE // 4]).max() <= 1


def test_equal_looks_change_no_colour(faces, motion):
    look = read_look(faces[1], motion.segmentation, NAMES)

    same = recolour(faces[1], motion.segmentation, source=look, goal=look)

    assert np.abs(same.astype(int) - faces[1]).max() <= 2


def test_colours_come_back_from_lab(rng):
    image = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)

    assert np.abs(from_lab(to_lab(image)).astype(int) - image).max() <= 1


def test_the_linear_map_turns_one_covariance_into_the_other(rng):
    base = np.eye(3) * 30 + 4
    source = base.astype(np.float32)
    goal = (1.3 * base).astype(np.float32)

    matrix = linear_map(source, goal)

    np.testing.assert_allclose(matrix @ source @ matrix.T, goal, rtol=1e-3)
    assert np.linalg.eigvalsh(linear_map(source, 100 * goal)).max() <= GAIN[1] + 1e-5


def test_a_steady_look_trembles_less_and_arrives(rng):
    steady, seen = SteadyLook(), []
    for number in range(90):
        noise = rng.normal(0, 2, 3).astype(np.float32)
        look = Look(noise, np.eye(3, dtype=np.float32), *np.zeros((2, 3, 3), np.float32))
        seen.append(steady.follow(look, number / 30).mean)

    assert np.std(seen[30:]) < 0.5
    jump = Look(np.full(3, 50, np.float32), np.eye(3, dtype=np.float32), *np.zeros((2, 3, 3), np.float32))
    for number in range(90, 180):
        found = steady.follow(jump, number / 30)
    np.testing.assert_allclose(found.mean, 50, atol=1)


def test_a_look_stays_fresh_for_a_tenth_of_a_second():
    steady, look = SteadyLook(), Look(np.zeros(3), np.eye(3), *np.zeros((2, 3, 3)))
    assert steady.fresh(0.0, parts=2) is None
    steady.follow(look, 5.0)

    assert steady.fresh(5.05, parts=2) is look
    for now, parts in ((5.2, 2), (4.9, 2), (5.05, 3)):
        assert steady.fresh(now, parts=parts) is None


def test_a_carried_picture_follows_its_part(faces, motion):
    moved = Motion(motion.shift + np.float32([2 * 8 / (SIDE - 1), 0]), motion.affine, motion.segmentation)
    striped = np.repeat((np.arange(SIDE) * 3).astype(np.uint8)[None], SIDE, axis=0)[..., None].repeat(3, axis=2)

    carried = carry_picture(striped, motion.segmentation, motion, moved)

    assert np.abs(carried[:, 12:52].astype(int) - striped[:, 4:44]).max() <= 1


def test_an_unknown_part_is_named():
    with pytest.raises(PuppetError, match="no part 'beard'"):
        chosen(LiveSettings(swap=("beard",)), NAMES)
