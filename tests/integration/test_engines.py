"""Backends on a real model: they agree with torch, and bf16 moves nothing."""

from __future__ import annotations

import numpy as np
import pytest

from engines import backends
from engines.backends.base import BackendSettings
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame, Motion
from tests.data.seeded import image

EXACT = {"swap_feather": 0.0, "swap_colour": False}
"""The network's own picture, as it is."""
FP32 = BackendSettings(threads=1, precision="fp32")


def picture(seed: int) -> np.ndarray:
    """uint8 (256, 256, 3)."""
    return np.rint(255 * image(seed).transpose(1, 2, 0)).astype(np.uint8)


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    from tests.networks import reference

    return {name: values[0].numpy() if values.ndim else values for name, values in reference("mcs_small").items()}


@pytest.fixture(params=["tensorrt", "ovino", "onnxrt"])
def puppeteer(request, small_model):
    """On every backend; TensorRT's runs on a fake GPU, with ONNX Runtime's arithmetic."""
    if request.param == "tensorrt":
        from tests.engine_building import build_all

        request.getfixturevalue("fake_gpu")
        build_all(small_model)
    with Puppeteer(small_model, backend=request.param, engine_settings=FP32) as puppeteer:
        puppeteer.set_avatar(puppeteer.make_avatar(picture(1), name="source"))
        yield puppeteer


@pytest.mark.parametrize(("seed", "name"), [(1, "source"), (2, "driving")])
def test_the_motion_read_is_the_references(puppeteer, reference, seed, name):
    motion = puppeteer.read(picture(seed))

    np.testing.assert_allclose(motion.shift, reference[f"{name}.shift"], atol=1e-5)
    np.testing.assert_allclose(motion.affine, reference[f"{name}.affine"], atol=1e-5)
    np.testing.assert_allclose(motion.segmentation, reference[f"{name}.segmentation"], atol=1e-4)


@pytest.mark.parametrize(
    ("golden", "change"),
    [
        ("absolute.prediction", {"mode": "absolute"}),
        ("relative.prediction", {"adapt_scale": False, "adapt_tilt": False, "limits": False}),
        ("swap.soft_target.1_3", {"swap": (0, 2), **EXACT}),
        ("swap.hard_source.1_3", {"swap": (0, 2), "swap_hard": True, "swap_mask": "avatar", **EXACT}),
    ],
)
def test_the_picture_rendered_is_the_references(puppeteer, reference, golden, change):
    if "swap" in change:
        change = change | {"swap": tuple(puppeteer.part_names[part] for part in change["swap"])}
    puppeteer.calibrate(puppeteer.read(picture(3)))

    rendered = puppeteer.render(Frame(picture(2), 0, 0.0), LiveSettings(masks="driving", **change)).image

    expected = 255 * reference[golden].transpose(1, 2, 0)
    assert np.abs(rendered - expected).max() <= 0.5 + 255 * 1e-4  # rounding to levels, and 1e-4 of the networks


def bf16_difference(model) -> float:
    """Mean difference of a moved, finely striped picture between fp32 and bf16, levels of 255."""
    stripes = np.where(np.arange(256) // 4 % 2, 200, 50).astype(np.uint8)
    avatar_picture = np.stack(np.broadcast_arrays(stripes, stripes[:, None], stripes), axis=-1)
    pictures, avatar = [], None
    for precision in ("fp32", "bf16"):
        with Puppeteer(
            model, backend="ovino", engine_settings=BackendSettings(threads=1, precision=precision)
        ) as puppeteer:
            avatar = avatar or puppeteer.make_avatar(np.ascontiguousarray(avatar_picture), name="stripes")
            puppeteer.set_avatar(avatar)
            puppeteer.calibrate(avatar.motion)
            moved = Motion(avatar.motion.shift + np.float32([0.13, -0.07]), avatar.motion.affine)
            rendered = puppeteer.animate(moved, Frame(avatar.image, 0, 0.0), LiveSettings(adapt_scale=False))
            pictures.append(rendered.image.astype(np.int16))
    return float(np.abs(pictures[0] - pictures[1]).mean())


@pytest.fixture
def bf16():
    backend = backends.get("ovino")
    reason = backend.why_unavailable() or backend.why_unsuitable(None, BackendSettings(precision="bf16"))
    if reason:
        pytest.skip(reason)


@pytest.mark.parametrize("model", ["small_model", "bundled_model"])
def test_bf16_keeps_coordinates_in_float32(bf16, model, request, monkeypatch):
    model = request.getfixturevalue(model)
    kept = bf16_difference(model)
    monkeypatch.setattr("engines.backends.ovino.keep_coordinates", lambda graph: None)

    lost = bf16_difference(model)

    assert kept < 0.25  # weights and activations have 8 bits, which moves values, not places
    assert kept < 0.7 * lost
