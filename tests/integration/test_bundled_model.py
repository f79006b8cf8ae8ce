"""The model that ships moves our own avatar as it is told, and leaves alone what should stay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engines.faces import FaceFinder
from puppet import avatar_pictures, framing, images
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.sources.head import Head
from puppet.sources.scripted import BLINKS, CLOSE, HOLD, pose_at
from puppet.sources.video_file import VideoFile
from puppet.types import Frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engines.model_folder import ModelFolder
    from puppet.avatar import Avatar
    from puppet.types import Image, Rendered

AVATAR = Path(__file__).parents[2] / "puppet" / "assets" / "avatars" / "nora.png"
CLIP = Path(__file__).parents[2] / "puppet" / "assets" / "demo" / "driving.mp4"
REST, TURNED = 0.0, (1.7, 2.95)
"""Seconds of the scripted performance: at rest, turned to either side."""


@pytest.fixture(scope="module")
def puppeteer(bundled_model: ModelFolder) -> Iterator[Puppeteer]:
    with Puppeteer(bundled_model) as made:
        yield made


@pytest.fixture(scope="module")
def avatar(puppeteer: Puppeteer) -> Avatar:
    made = puppeteer.make_avatar(images.read_picture(AVATAR), name="nora")
    puppeteer.set_avatar(made)
    return made


def _at(puppeteer: Puppeteer, avatar: Avatar, seconds: float) -> Rendered:
    driving = Head(avatar.motion, puppeteer.part_names).posed(pose_at(seconds))
    puppeteer.calibrate(avatar.motion)
    frame = Frame(avatar.image, index=0, captured_at=seconds)
    return puppeteer.animate(driving, frame, LiveSettings())


def _eye_opening(image: Image) -> float:
    """Gap between the lids over the width of the eyes, mean of both."""
    finder = FaceFinder()
    points = finder.mesh(image, finder.find(image)[0]).points[:, :2]
    gaps = [np.linalg.norm(points[up] - points[low]) for up, low in ((159, 145), (386, 374))]
    widths = [np.linalg.norm(points[one] - points[other]) for one, other in ((33, 133), (362, 263))]
    return float(np.mean(gaps) / np.mean(widths))


def test_at_rest_the_avatar_looks_like_itself(puppeteer: Puppeteer, avatar: Avatar) -> None:
    rendered = _at(puppeteer, avatar, REST)

    assert np.abs(rendered.image.astype(int) - avatar.image).mean() < 5


@pytest.mark.parametrize("seconds", TURNED)
def test_the_face_goes_where_it_is_sent(puppeteer: Puppeteer, avatar: Avatar, seconds: float) -> None:
    rendered = _at(puppeteer, avatar, seconds)
    face = [puppeteer.part_names.index(name) for name in ("nose", "right_eye", "left_eye", "upper_lip", "chin")]

    seen = puppeteer.read(rendered.image).shift[face]
    asked, rest = rendered.target.shift[face], avatar.motion.shift[face]

    # Less than half as far from where it should be as if nothing had moved.
    assert np.abs(seen - asked).mean() < 0.5 * np.abs(rest - asked).mean()


@pytest.mark.parametrize("seconds", TURNED)
def test_the_background_stays(puppeteer: Puppeteer, avatar: Avatar, seconds: float) -> None:
    image = _at(puppeteer, avatar, seconds).image.astype(int)

    corners = (slice(0, 24), slice(-24, None))
    for columns in corners:
        assert np.abs(image[:24, columns] - avatar.image[:24, columns]).mean() < 8


def test_lids_close_in_a_blink(puppeteer: Puppeteer, avatar: Avatar) -> None:
    opened = _eye_opening(_at(puppeteer, avatar, REST).image)
    closed = _eye_opening(_at(puppeteer, avatar, BLINKS[0] + CLOSE + HOLD / 2).image)

    assert closed < 0.7 * opened


def test_an_avatar_of_several_views_comes_nearer_to_the_truth_than_one_picture(puppeteer: Puppeteer) -> None:
    views = avatar_pictures.read_views(CLIP, None, FaceFinder(), read=puppeteer.read)
    frames = [frame for frame in VideoFile(CLIP).frames() if frame.index % 15 == 7]
    one, several = (puppeteer.make_avatar(*views[:count], name="face") for count in (1, None))
    square = framing.frame_clip(VideoFile(CLIP).sample(), FaceFinder(), name="face")
    settings = LiveSettings(mode="absolute")

    wrong = []
    for avatar in (one, several):
        puppeteer.set_avatar(avatar)
        for frame in frames:
            truth = images.crop(frame.image, square, size=puppeteer.size)
            rendered = puppeteer.render(Frame(truth, frame.index, frame.captured_at), settings)
            wrong.append(np.abs(rendered.image.astype(int) - truth).mean())

    assert len(views) > 3
    assert np.mean(wrong[len(frames) :]) < 0.85 * np.mean(wrong[: len(frames)])
