"""The page about a clip's motion, on the bundled model and its first avatar."""

from __future__ import annotations

import re

import numpy as np
import pytest

from puppet import config, images
from tests.media import write_video
from tools.inspect_motion import main

pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra: dev)")
FRAMES = 15


@pytest.fixture
def clip(tmp_path):
    """The first avatar, drifting to the right."""
    picture = images.resize(images.read_picture(config.default_avatar()), width=256, height=256)
    frames = [np.roll(picture, 3 * number, axis=1) for number in range(FRAMES)]
    return write_video(tmp_path / "clip.mp4", frames, rate=25)


def test_the_page_shows_frames_and_plots_and_loads_nothing(clip, tmp_path, capsys):
    output = tmp_path / "deep" / "page.html"

    assert main([str(clip), "--output", str(output)]) == 0

    text = output.read_text()
    assert text.count("data:image/svg+xml") == 6
    assert text.count("data:image/jpeg") >= 12
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    assert "Stretch either way" in text
    assert f"frames: {FRAMES}" in capsys.readouterr().out
    assert [path.name for path in output.parent.iterdir()] == ["page.html"]


def test_a_page_that_is_there_is_kept_without_force(clip, tmp_path, capsys):
    output = tmp_path / "page.html"
    output.write_text("mine")

    assert main([str(clip), "--output", str(output)]) == 2
    assert output.read_text() == "mine"
    assert "--force" in capsys.readouterr().err


def test_bad_input_is_one_sentence(tmp_path, capsys):
    (tmp_path / "clip.mp4").write_bytes(b"no video")

    assert main([str(tmp_path / "clip.mp4"), "--output", str(tmp_path / "page.html")]) == 2
    assert main(["none.mp4", "--output", str(tmp_path / "page.html")]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2
    assert not (tmp_path / "page.html").exists()
