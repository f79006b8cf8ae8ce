"""A clip becomes the views of an avatar: cut alike, the ordinary pose first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from puppet.avatar_pictures import READ_SIDE, SAMPLED, read_views
from puppet.errors import AvatarError
from puppet.framing import Square
from puppet.types import Motion
from tests.media import flat, write_video

if TYPE_CHECKING:
    from pathlib import Path

    from puppet.types import Image

REST = np.array([[-0.3, -0.2], [0.3, -0.2], [0.0, 0.1], [0.0, 0.4]], np.float32)
WHOLE = Square(0, 0, 64)


def read(image: Image) -> Motion:
    """The brighter, the wider open; black is nobody."""
    assert image.shape == (READ_SIDE, READ_SIDE, 3)
    shift = REST.copy()
    shift[3, 1] += float(image.mean()) / 255
    if image.mean() < 10:
        shift[:] = np.nan
    return Motion(shift, np.stack([np.eye(2, dtype=np.float32)] * 4))


def clip(path: Path, levels: list[int]) -> Path:
    return write_video(path, [flat(level, level, level) for level in levels])


def test_the_ordinary_pose_comes_first_and_then_what_differs(tmp_path: Path) -> None:
    path = clip(tmp_path / "face.mp4", [200, *[60] * 12, 0, 130])

    views = read_views(path, WHOLE, None, read=read)

    assert [round(float(view.mean()) / 10) for view in views] == [6, 20, 13]
    assert all(view.shape == (64, 64, 3) for view in views)


def test_long_clips_are_sampled(tmp_path: Path) -> None:
    seen: list[float] = []

    def count(image: Image) -> Motion:
        seen.append(float(image.mean()))
        return read(image)

    read_views(clip(tmp_path / "long.mp4", [60 + index % 50 for index in range(400)]), WHOLE, None, read=count)

    assert SAMPLED / 2 <= len(seen) <= SAMPLED


def test_a_clip_of_nobody_is_told(tmp_path: Path) -> None:
    path = clip(tmp_path / "night.mp4", [0] * 5)

    with pytest.raises(AvatarError, match=r"night\.mp4: the model reads no usable motion"):
        read_views(path, None, None, read=read)
