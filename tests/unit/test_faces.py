"""Finding faces and their mesh, on drawn faces whose places are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn_face import DrawnFace

from engines.faces import LEFT_EYE_CORNER, RIGHT_EYE_CORNER, FaceFinder

NOSE_TIP, UPPER_LIP, LOWER_LIP = 1, 13, 14
CLOSE_PX = 6.0
"""The networks were not made for drawings: a few pixels of 256 are right enough."""


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture
def face() -> DrawnFace:
    return DrawnFace()


def eye_line(points: np.ndarray) -> np.ndarray:
    return points[LEFT_EYE_CORNER, :2] - points[RIGHT_EYE_CORNER, :2]


def test_one_drawn_face_is_found_where_it_was_drawn(finder, face):
    found = finder.find(face.draw())

    left, top, right, bottom = found[0].box
    assert len(found) == 1
    assert found[0].score > 0.7
    assert (left + right) / 2 == pytest.approx(face.x, abs=CLOSE_PX)
    assert top < 115 < 150 < bottom
    assert right - left < 2.4 * face.width


def test_key_points_are_the_eyes_nose_and_mouth(finder, face):
    right_eye, left_eye, nose, mouth = finder.find(face.draw())[0].key_points[:4]

    assert np.abs(right_eye - [103.6, 118]).max() < CLOSE_PX
    assert np.abs(left_eye - [152.4, 118]).max() < CLOSE_PX
    assert np.abs(nose - [128, 148]).max() < 2 * CLOSE_PX
    assert np.abs(mouth - [128, 172]).max() < CLOSE_PX


@pytest.mark.parametrize("shape", [(256, 256, 3), (64, 400, 3), (1, 1, 3)])
def test_no_face_is_found_in_a_plain_picture(finder, shape):
    assert finder.find(np.full(shape, 128, np.uint8)) == []


def test_no_face_is_found_in_noise(finder, rng):
    assert finder.find(rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize(("above", "left"), [(0, 256), (256, 0), (100, 30)])
def test_places_are_those_of_the_picture_when_it_is_not_square(finder, face, above, left):
    wide = cv2.copyMakeBorder(face.draw(), above, 0, left, 0, cv2.BORDER_REPLICATE)

    found = finder.find(wide)[0]
    mesh = finder.mesh(wide, found)

    assert mesh.points[NOSE_TIP, 0] == pytest.approx(left + 128, abs=CLOSE_PX)
    assert mesh.points[UPPER_LIP, 1] == pytest.approx(above + 172, abs=CLOSE_PX)


def test_two_faces_are_two_the_more_certain_first(finder):
    pair = np.concatenate([DrawnFace().draw(), DrawnFace(skin=(150, 105, 80), hair=(20, 18, 18)).draw()], axis=1)

    found = finder.find(pair)

    centres = sorted((face.box[0] + face.box[2]) / 2 for face in found)
    assert centres == pytest.approx([128, 384], abs=2 * CLOSE_PX)
    assert found[0].score >= found[1].score


def test_a_higher_threshold_keeps_fewer_faces(finder, face):
    assert finder.find(face.draw(), threshold=0.9999) == []


def test_mesh_grows_with_the_picture(finder, face):
    small, large = face.draw(), face.draw(side=512)

    small_mesh = finder.mesh(small, finder.find(small)[0])
    large_mesh = finder.mesh(large, finder.find(large)[0])

    assert np.abs(large_mesh.points / 2 - small_mesh.points).mean() < 2


@pytest.mark.parametrize("degrees", [-25, 15, 35])
def test_mesh_turns_with_the_head(finder, degrees):
    image = DrawnFace(roll=degrees).draw()

    line = eye_line(finder.mesh(image, finder.find(image)[0]).points)

    assert np.degrees(np.arctan2(line[1], line[0])) == pytest.approx(degrees, abs=3)


def test_mesh_sees_the_mouth_open(finder):
    gaps = []
    for mouth in (0, 6, 14):
        image = DrawnFace(mouth=mouth).draw()
        points = finder.mesh(image, finder.find(image)[0]).points
        gaps.append(points[LOWER_LIP, 1] - points[UPPER_LIP, 1])

    assert gaps[0] < gaps[1] - 2 < gaps[2] - 7


def test_mesh_is_certain_of_a_face_and_not_of_a_plain_picture(finder, face):
    image = face.draw()
    found = finder.find(image)[0]

    assert finder.mesh(image, found).score > 0.9
    assert finder.mesh(np.full_like(image, 128), found).score < 0.5


def test_tracking_follows_a_small_movement_as_the_detector_would(finder):
    first, second = DrawnFace().draw(), DrawnFace(x=134, y=124, roll=4).draw()
    start = finder.mesh(first, finder.find(first)[0])

    tracked = finder.track(second, start)
    found = finder.mesh(second, finder.find(second)[0])

    assert np.abs(tracked.points - found.points)[:, :2].mean() < 1.5
    assert eye_line(tracked.points)[1] > 2


def test_mesh_has_468_points_in_three_dimensions_with_the_nose_nearest(finder, face):
    image = face.draw()

    points = finder.mesh(image, finder.find(image)[0]).points

    assert points.shape == (468, 3)
    assert points.dtype == np.float32
    assert points[NOSE_TIP, 2] < points[[RIGHT_EYE_CORNER, LEFT_EYE_CORNER, 152, 10], 2].min()
