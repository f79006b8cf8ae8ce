"""Clips and portraits are read once into frames with mesh points that lie on the faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from engines.errors import TrainingError
from engines.training.cache import Cache, build
from tests.drawn_face import DrawnFace
from tests.media import flat, write_video

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """A clip of a face that travels, with one frame of nothing in it, and a portrait."""
    folder = tmp_path / "footage"
    folder.mkdir()
    frames = [DrawnFace(x=110.0 + 6 * index).draw() for index in range(6)]
    frames[3] = flat(90, 90, 90, width=256, height=256)
    write_video(folder / "clip.mp4", frames)
    cv2.imwrite(str(folder / "portrait.png"), DrawnFace().draw(side=512)[..., ::-1])
    return folder


def test_a_cache_opens_as_it_was_built(footage: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []

    built = build([footage], tmp_path / "cache", progress=lambda done, total: steps.append((done, total)))
    opened = Cache.open(tmp_path / "cache")

    assert steps == [(1, 2), (2, 2)]
    assert opened.frames.shape == built.frames.shape == (6, 256, 256, 3)
    assert [span.name for span in (*opened.clips, *opened.portraits)] == ["clip.mp4", "portrait.png"]


def test_frames_without_a_face_are_left_out_of_clips_and_points_follow_the_face(footage: Path, tmp_path: Path) -> None:
    cache = build([footage], tmp_path / "cache")

    clip = cache.clips[0]
    centres = cache.points[clip.start : clip.stop, :, 0].mean(axis=1)

    assert clip.stop - clip.start == 5
    assert (np.diff(centres) > 0.02).all()


def test_long_clips_are_thinned_evenly(footage: Path, tmp_path: Path) -> None:
    cache = build([footage], tmp_path / "cache", most_frames=3)

    assert cache.clips[0].stop - cache.clips[0].start == 3


def test_a_cache_without_irises_is_refused(footage: Path, tmp_path: Path) -> None:
    build([footage], tmp_path / "cache", most_frames=3)
    points = np.load(tmp_path / "cache" / "points.npy")
    np.save(tmp_path / "cache" / "points.npy", points[:, :468])

    with pytest.raises(TrainingError, match="build it anew with --rebuild-cache"):
        Cache.open(tmp_path / "cache")


def test_an_unfinished_cache_is_refused(footage: Path, tmp_path: Path) -> None:
    build([footage], tmp_path / "cache")
    (tmp_path / "cache" / "index.json").unlink()

    with pytest.raises(TrainingError, match="rebuild-cache"):
        Cache.open(tmp_path / "cache")


def test_nothing_to_read_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="name a folder that holds some"):
        build([tmp_path], tmp_path / "cache")
