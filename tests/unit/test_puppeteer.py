"""The puppeteer on a model whose answers can be foretold (tests/tiny_model.py), with every backend."""

from __future__ import annotations

import numpy as np
import pytest

from engines import backends
from engines.backends.base import BackendSettings
from engines.model_folder import ModelFolder
from puppet.errors import AvatarError, PuppetError
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame, Motion

SIZE = 32
PLAIN = LiveSettings(adapt_scale=False)
EXACT = {"swap_feather": 0.0, "swap_colour": False}


@pytest.fixture
def puppeteer(backend_name, tiny_model):
    settings = BackendSettings(threads=1, precision="fp32")
    with Puppeteer(tiny_model, backend=backend_name, engine_settings=settings) as puppeteer:
        yield puppeteer


@pytest.fixture
def posed(puppeteer):
    """With a grey avatar in place."""
    puppeteer.set_avatar(puppeteer.make_avatar(picture(100), name="grey"))
    return puppeteer


def picture(red: int, green: int = 128, *, size: int = SIZE) -> np.ndarray:
    """One colour; the tiny segmenter finds both parts at x = 2 red / 255 - 1."""
    return np.full((size, size, 3), (red, green, 0), np.uint8)


def frame(red: int, **kind) -> Frame:
    return Frame(picture(red, **kind), 0, 0.0)


def test_it_says_what_it_runs(puppeteer):
    assert (puppeteer.size, puppeteer.parts, puppeteer.part_names) == (SIZE, 2, ("left", "right"))
    assert puppeteer.family == "mcs"
    assert puppeteer.description.startswith(("tiny on O", "tiny on TensorRT"))


def test_an_avatar_has_its_picture_motion_and_features(puppeteer):
    avatar = puppeteer.make_avatar(picture(204, size=57), name="red")

    assert avatar.name == "red"
    assert avatar.image.shape == (SIZE, SIZE, 3)
    np.testing.assert_allclose(avatar.motion.shift[:, 0], 0.6, atol=1e-5)
    assert avatar.motion.segmentation.shape == (3, 8, 8)
    np.testing.assert_array_equal(avatar.features["features"], avatar.image[None].astype(np.float32))


def test_the_first_frame_leaves_the_avatar_as_it_is_and_the_next_moves_it(posed):
    first, second = posed.render(frame(128), PLAIN), posed.render(frame(179), PLAIN)

    np.testing.assert_array_equal(first.image, posed.avatar.image)
    assert second.image[0, 0, 0] == 140  # 51 redder is 0.4 to the right, which is 40 brighter
    assert second.target.shift[0, 0] == pytest.approx(posed.avatar.motion.shift[0, 0] + 0.4, abs=1e-5)
    assert second.driving.shift[0, 0] == pytest.approx(2 * 179 / 255 - 1, abs=1e-5)
    assert not second.held


def test_a_rendered_picture_outlives_the_next(posed):
    posed.render(frame(128), PLAIN)
    rendered = posed.render(frame(179), PLAIN)
    image, shift = rendered.image.copy(), rendered.driving.shift.copy()

    posed.render(frame(10), PLAIN)

    np.testing.assert_array_equal(rendered.image, image)
    np.testing.assert_array_equal(rendered.driving.shift, shift)


def test_stage_times_are_those_of_the_roles(posed):
    seconds = posed.render(frame(128), PLAIN).seconds

    assert list(seconds) == ["segmenter", "motion", "generator"]
    assert all(value > 0 for value in seconds.values())


def test_frames_of_other_sizes_are_fitted(posed):
    assert posed.render(frame(128, size=70), PLAIN).image.shape == (SIZE, SIZE, 3)


def test_strength_reaches_the_motion(posed):
    posed.render(frame(128), PLAIN)

    assert posed.render(frame(179), LiveSettings(adapt_scale=False, strength=0.5)).image[0, 0, 0] == 120


def test_calibrating_on_a_given_motion_replaces_the_first_frame(posed):
    posed.calibrate(posed.read(picture(179)))

    assert posed.render(frame(128), PLAIN).image[0, 0, 0] == 60


def test_calibrating_on_nothing_lets_the_next_frame_be_the_first(posed):
    posed.render(frame(128), PLAIN)
    posed.calibrate(None)

    np.testing.assert_array_equal(posed.render(frame(250), PLAIN).image, posed.avatar.image)


def test_a_new_avatar_keeps_the_calibration(posed):
    posed.render(frame(128), PLAIN)
    posed.set_avatar(posed.make_avatar(picture(50), name="dark"))

    assert posed.render(frame(179), PLAIN).image[0, 0, 0] == 90


def test_motion_can_be_given_without_a_driving_picture(posed):
    avatar = posed.avatar.motion
    posed.calibrate(Motion(avatar.shift, avatar.affine))

    moved = posed.animate(Motion(avatar.shift + np.float32([0.2, 0]), avatar.affine), frame(0), PLAIN)

    assert moved.image[0, 0, 0] == 120
    assert list(moved.seconds) == ["motion", "generator"]


def unusable(motion: Motion) -> Motion:
    return Motion(np.full_like(motion.shift, np.nan), motion.affine, motion.segmentation)


def test_an_unusable_motion_holds_the_picture_and_is_counted(posed):
    posed.render(frame(128), PLAIN)
    before = posed.render(frame(179), PLAIN)

    held = posed.animate(unusable(before.driving), frame(179), PLAIN)

    assert held.held
    assert posed.held == 1
    np.testing.assert_array_equal(held.image, before.image)


def test_an_unusable_first_motion_shows_the_avatar_and_does_not_calibrate(posed):
    held = posed.animate(unusable(posed.avatar.motion), frame(0), PLAIN)

    assert held.held
    assert posed.held == 1
    assert posed.first is None
    np.testing.assert_array_equal(held.image, posed.avatar.image)


def test_held_frames_are_counted_across_avatars_and_calibrations(posed):
    posed.render(frame(128), PLAIN)
    posed.animate(unusable(posed.first), frame(0), PLAIN)
    posed.set_avatar(posed.avatar)
    posed.calibrate(posed.read(picture(10)))
    posed.animate(unusable(posed.first), frame(0), PLAIN)

    assert posed.held == 2


@pytest.mark.parametrize(
    ("change", "brighter"),
    [
        ({"swap": ("left",)}, 20),
        ({"swap": ("background", "right")}, 50),
        ({"swap": ("left",), "swap_hard": True}, 23),
        ({"swap": ("left",), "swap_mask": "avatar"}, 25),
    ],
)
def test_part_swap_lays_the_named_parts_over_the_driving_picture(posed, change, brighter):
    rendered = posed.render(frame(128), LiveSettings(**change, **EXACT))

    assert rendered.image[0, 0, 0] == 128 + brighter
    assert list(rendered.seconds) == ["segmenter", "motion", "swapper", "laying over"]
    np.testing.assert_array_equal(rendered.target.shift, rendered.driving.shift)


def test_swap_and_plain_driving_take_turns_and_share_the_avatar(posed):
    posed.render(frame(128), LiveSettings(swap=("left",), **EXACT))
    posed.set_avatar(posed.make_avatar(picture(50), name="dark"))

    assert posed.render(frame(179), PLAIN).image[0, 0, 0] == 90
    assert posed.render(frame(179), LiveSettings(swap=("left",), **EXACT)).image[0, 0, 0] == 199


def test_an_unknown_part_is_answered_with_the_known_ones(posed):
    with pytest.raises(PuppetError, match="no part 'beard'; it has background, left, right"):
        posed.render(frame(128), LiveSettings(swap=("left", "beard")))


@pytest.fixture
def without_swapper(tiny_model):
    roles = {role: entry for role, entry in tiny_model.spec.roles.items() if role != "swapper"}
    return ModelFolder(tiny_model.path, tiny_model.spec.model_copy(update={"roles": roles}))


def test_without_a_graph_of_its_own_the_moved_avatar_is_laid_over(without_swapper):
    with Puppeteer(without_swapper) as puppeteer:
        puppeteer.set_avatar(puppeteer.make_avatar(picture(100), name="grey"))
        rendered = puppeteer.render(frame(151), LiveSettings(swap=("left",), **EXACT))

    moved = 100 + 100 * 2 * (151 - 100) / 255
    assert abs(rendered.image[0, 0, 0] - (moved / 3 + 151 * 2 / 3)) <= 1  # the tiny masks are a third everywhere


def test_a_model_without_masks_cannot_swap(tiny_model):
    segmenter = tiny_model.spec.roles["segmenter"]
    bare = segmenter.model_copy(update={"outputs": segmenter.outputs[:2]})
    roles = {**tiny_model.spec.roles, "segmenter": bare}
    model = ModelFolder(tiny_model.path, tiny_model.spec.model_copy(update={"roles": roles}))

    with Puppeteer(model) as puppeteer:
        puppeteer.set_avatar(puppeteer.make_avatar(picture(100), name="grey"))
        with pytest.raises(PuppetError, match="tiny cannot swap parts"):
            puppeteer.render(frame(128), LiveSettings(swap=("left",)))


def test_without_an_avatar_it_says_what_to_do(puppeteer):
    with pytest.raises(PuppetError, match="no avatar is set"):
        puppeteer.render(frame(128), PLAIN)


@pytest.mark.parametrize("shape", [(32, 40, 3), (32, 32), (32, 32, 4)])
def test_a_picture_that_is_not_square_rgb_is_refused(puppeteer, shape):
    with pytest.raises(PuppetError, match="cropped to a square"):
        puppeteer.read(np.zeros(shape, np.uint8))


def test_a_picture_without_usable_motion_makes_no_avatar(puppeteer, monkeypatch):
    monkeypatch.setattr(puppeteer, "read", lambda image: Motion(np.full((2, 2), np.nan), np.zeros((2, 2, 2))))

    with pytest.raises(AvatarError, match="night: the model reads no usable motion"):
        puppeteer.make_avatar(picture(0), name="night")


def test_calibrating_on_an_unusable_motion_is_refused(posed):
    with pytest.raises(ValueError, match="not a usable motion of 2 parts"):
        posed.calibrate(unusable(posed.avatar.motion))


def test_a_puppeteer_that_cannot_load_all_engines_closes_the_rest(tiny_model, monkeypatch):
    closed = []
    backend = backends.get("onnxrt")
    load = backend.load
    monkeypatch.setattr("engines.backends.onnxrt.OnnxRuntimeEngine.close", lambda engine: closed.append(engine))

    def failing(model, role, settings):
        if role == "generator":
            raise RuntimeError("out of memory")
        return load(model, role, settings)

    monkeypatch.setattr(backend, "load", failing)
    monkeypatch.setattr(backends, "suitable", lambda *_: [backend])
    with pytest.raises(RuntimeError, match="out of memory"):
        Puppeteer(tiny_model)

    assert len(closed) == 2
