"""The Python API: its documented example, on the bundled model and on a small one."""

from __future__ import annotations

import inspect
import subprocess
import sys
import textwrap

import cv2
import numpy as np
import pytest

import puppet
from engines.errors import BackendError, ModelFolderError
from puppet.errors import AvatarError, PuppetError
from tests.data.seeded import image


@pytest.fixture(params=["small_model", "bundled_model"])
def model(request):
    return request.getfixturevalue(request.param).path


@pytest.fixture
def animator(model):
    with puppet.load(model, threads=1) as animator:
        yield animator


def picture(seed: int, *, size: int = 256) -> np.ndarray:
    return np.rint(255 * image(seed, size).transpose(1, 2, 0)).astype(np.uint8)


def test_the_documented_example_runs(bundled_model, tmp_path, monkeypatch):
    cv2.imwrite(str(tmp_path / "portrait.png"), picture(1))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("puppet.framing.frame_picture", lambda *_, **__: puppet.framing.centre_square(256, 256))
    example = textwrap.dedent(inspect.getdoc(puppet).split("Example:\n")[1])
    names = {"frame": picture(2)}

    exec(example, names)

    assert names["picture"].shape == (bundled_model.spec.size, bundled_model.spec.size, 3)
    assert names["picture"].dtype == np.uint8


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, puppet; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert not {"numpy", "cv2", "openvino", "onnxruntime", "torch", "PyQt6"} & set(loaded)


def test_the_avatar_moves_with_the_frames_after_the_first(animator):
    animator.set_avatar(picture(1))

    first, second = animator.render(picture(2)), animator.render(picture(3))

    assert first.shape == second.shape == (256, 256, 3)
    assert np.abs(first.astype(np.int16) - second).mean() > 0.1


def test_recalibrating_starts_again_from_the_avatars_pose(animator):
    animator.set_avatar(picture(1))
    first = animator.render(picture(2))
    animator.render(picture(3))

    animator.recalibrate()

    np.testing.assert_allclose(animator.render(picture(3)), first, atol=4)  # masks and affines differ by rounding


def test_settings_are_taken_from_the_next_frame_on(animator):
    animator.set_avatar(picture(1))
    first = animator.render(picture(2))
    animator.settings = type(animator.settings)(strength=0)

    np.testing.assert_allclose(animator.render(picture(3)), first, atol=4)  # as above


def test_frames_that_are_not_square_are_cropped_to_the_face_once(animator, monkeypatch):
    seen = []

    def find(image, finder, *, name):
        seen.append(name)
        return puppet.framing.centre_square(image.shape[1], image.shape[0])

    monkeypatch.setattr("puppet.framing.frame_picture", find)
    animator.set_avatar(picture(1))
    wide = np.concatenate([picture(2), picture(4)[:, :100]], axis=1)

    pictures = [animator.render(np.ascontiguousarray(wide)) for _ in range(3)]

    assert seen == ["the first frame"]
    assert pictures[0].shape == (256, 256, 3)


def test_without_an_avatar_rendering_says_what_to_do(animator):
    with pytest.raises(PuppetError, match="no avatar is set"):
        animator.render(picture(2))


def test_an_avatar_file_that_is_not_there_is_named(animator, tmp_path):
    with pytest.raises(AvatarError, match=r"no picture at .*nobody\.png"):
        animator.set_avatar(tmp_path / "nobody.png")


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelFolderError, match=r"no model\.json"):
        puppet.load(tmp_path)


def test_an_unknown_backend_is_refused_before_anything_is_loaded(model):
    with pytest.raises(BackendError, match="no backend 'cuda'"):
        puppet.load(model, backend="cuda")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as Linux and macOS do")
def test_ctrl_c_after_the_model_was_closed_is_no_crash():
    program = (
        "import gc, os, signal, numpy, puppet\n"
        "from puppet import config\n"
        "signal.signal(signal.SIGINT, lambda *_: print('noted'))\n"
        "with puppet.load(threads=1) as animator:\n"
        "    animator.set_avatar(config.default_avatar())\n"
        "    animator.render(numpy.full((256, 256, 3), 90, numpy.uint8))\n"
        "del animator; gc.collect()\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "noted\n"), done.stderr
