"""The avatar pictures that ship, and the parts of their making that need no renderer."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from avatars import moving, noise, oil, strands  # noqa: E402
from avatars.catalogue import CATALOGUE  # noqa: E402
from avatars.head import both, macro, parse_obj, parse_target  # noqa: E402

CUBE_FACE = "v 0 1 2\nv 1 1 2\nv 1 2 2\nv 0 2 2\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\ng body\nf 1/1 2/2 3/3 4/4\n"


class Floor:
    """A level skin at z = 0 for strands to grow on."""

    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    rest = points
    normals = np.tile([0.0, 0, 1], (4, 1))
    faces = np.array([[0, 1, 2, 3]])

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return points * [1, 1, 0], np.tile([0.0, 0, 1], (len(points), 1))


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_avatar_ships_as_a_small_square_colour_png(name: str) -> None:
    path = ROOT / "puppet" / "assets" / "avatars" / f"{name}.png"
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape == (512, 512, 3)
    assert picture.dtype == np.uint8
    assert path.stat().st_size < 400_000
    assert picture.std() > 20


def test_no_picture_ships_without_being_made_by_the_script() -> None:
    shipped = {path.stem for path in (ROOT / "puppet" / "assets" / "avatars").iterdir()}
    assert shipped == set(CATALOGUE)


def test_every_avatar_is_named_in_the_readme_of_the_assets() -> None:
    text = (ROOT / "puppet" / "assets" / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}.png`" in text for name in CATALOGUE)


def test_the_driving_clip_ships_as_six_seconds_of_small_h264() -> None:
    path = ROOT / "puppet" / "assets" / "demo" / "driving.mp4"
    assert path.stat().st_size < 400_000
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height, stream.average_rate) == (256, 256, moving.FPS)
        assert sum(1 for _ in container.decode(stream)) == round(moving.SECONDS * moving.FPS)


def test_an_unknown_avatar_is_refused_with_the_list_of_names(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("make_avatars", ROOT / "tools" / "make_avatars.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.main(["--only", "nobody"]) == 2
    assert "nora" in capsys.readouterr().err


def test_a_mesh_is_read_with_z_up_and_the_face_along_minus_y() -> None:
    mesh = parse_obj(CUBE_FACE)
    np.testing.assert_array_equal(mesh.rest[0], [0, -2, 1])
    np.testing.assert_array_equal(mesh.faces["body"], [[0, 1, 2, 3]])
    np.testing.assert_array_equal(mesh.uv["body"][0, 2], [1, 1])


def test_a_target_gives_vertex_numbers_and_offsets_and_skips_comments() -> None:
    index, offset = parse_target("# made by hand\n7 0.1 0.2 0.3\n9 0 0 1\n")
    np.testing.assert_array_equal(index, [7, 9])
    np.testing.assert_allclose(offset, [[0.1, -0.3, 0.2], [0, -1, 0]])


def test_shares_of_age_and_people_sum_to_those_of_one_person() -> None:
    weights = macro("female", "old:0.25", {"asian": 0.4, "african": 0.6})
    assert sum(w for name, w in weights.items() if "universal" in name) == pytest.approx(1)
    assert sum(w for name, w in weights.items() if "universal" not in name) == pytest.approx(1)
    assert both("eyes/eye-scale-incr", 0.5) == {"eyes/l-eye-scale-incr": 0.5, "eyes/r-eye-scale-incr": 0.5}


def test_noise_is_the_same_for_a_seed_and_continuous() -> None:
    points = np.random.default_rng(0).uniform(-5, 5, (500, 3))
    first = noise.fractal(points, seed=3)
    np.testing.assert_array_equal(first, noise.fractal(points, seed=3))
    assert np.abs(first - noise.fractal(points, seed=4)).max() > 0.1
    assert np.abs(first - noise.fractal(points + 1e-6, seed=3)).max() < 1e-3
    assert np.abs(first).max() <= 1


def test_strands_stay_above_the_skin_and_have_their_length() -> None:
    rng = np.random.default_rng(1)
    roots = strands.sample_roots(Floor(), np.ones(4), count=50, rng=rng)
    grown = strands.grow(
        Floor(),
        roots,
        lambda point, normal, rest, share: np.tile([1.0, 0.0, -0.5], (50, 1)),
        lengths=np.full(50, 0.8),
        steps=9,
        height=lambda share: 0.05,
    )
    assert grown.shape == (50, 9, 3)
    assert grown[:, 1:, 2].min() >= 0.05 - 1e-9
    np.testing.assert_allclose(grown[:, -1, 0] - grown[:, 0, 0], 0.8 * 2 / np.sqrt(5), rtol=1e-6)


def test_trimmed_strands_end_at_their_level() -> None:
    straight = np.zeros((2, 11, 3))
    straight[:, :, 2] = np.linspace(1, 0, 11)
    cut = strands.trim(straight, np.array([0.33, -1.0]))
    assert cut[0, -1, 2] == pytest.approx(0.33)
    assert cut[1, -1, 2] == pytest.approx(0.0)
    np.testing.assert_allclose(np.diff(cut[0, :, 2]), -0.067, atol=1e-9)


def test_a_painting_is_repeatable_and_near_its_model() -> None:
    y, x = np.mgrid[0:64, 0:64]
    model = np.stack([x * 3 + 30, y * 3 + 30, np.full_like(x, 90)], axis=2).astype(np.uint8)
    painted = oil.paint_over(model, np.zeros((64, 64)), seed=2)
    np.testing.assert_array_equal(painted, oil.paint_over(model, np.zeros((64, 64)), seed=2))
    assert np.abs(painted.astype(int) - model).mean() < 16


def test_the_driving_clip_begins_and_ends_neutral_and_moves_between() -> None:
    for seconds in (0.0, moving.SECONDS):
        pose = moving.pose_at(seconds)
        assert (pose.yaw, pose.pitch, pose.roll, pose.gaze) == (0, 0, 0, 0)
        assert not any(pose.units.values())
    frames = [moving.pose_at(number / moving.FPS) for number in range(round(moving.SECONDS * moving.FPS))]
    assert max(pose.yaw for pose in frames) > 10 > -10 > min(pose.yaw for pose in frames)
    assert max(pose.units["eyeBlinkLeft"] for pose in frames) > 0.9
    assert max(pose.units["jawOpen"] for pose in frames) > 0.5


def test_the_nearer_of_two_points_is_seen() -> None:
    canvas, distance = np.zeros((4, 4, 3)), np.full((4, 4), np.inf)
    camera = moving.Camera(place=(0.0, -10.0, 0.0), width=4.0, side=4)
    points = np.array([[0.1, 1.0, 0.1], [0.1, 0.0, 0.1]])
    moving.splat(canvas, distance, camera.project(points, 0.0), np.array([[1.0, 0, 0], [0, 1.0, 0]]))
    np.testing.assert_array_equal(canvas[1, 2], [0, 1, 0])
    assert distance[1, 2] == 10
