"""File mode from end to end, with a model whose pictures can be foretold (see tests/tiny_model.py)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pytest

from puppet import app, images, provenance
from puppet.sources.video_file import VideoFile
from tests.media import cut, flat, stream_info, write_video

if TYPE_CHECKING:
    from pathlib import Path

    from engines.model_folder import ModelFolder

AVATAR = (100, 60, 20)
SIDE = 32


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where an avatar and a driving video lie; the video becomes redder, so the tiny model's avatar brightens."""
    monkeypatch.chdir(tmp_path)
    images.write_picture(tmp_path / "avatar.png", flat(*AVATAR))
    write_video(tmp_path / "driving.mp4", [flat(20 + 4 * index, 60, 60) for index in range(20)], sound="aac")
    return tmp_path


def render(model: ModelFolder, *flags: str, driving: str = "driving.mp4", output: str = "out.mp4") -> int:
    return app.main(
        ["render", "--avatar", "avatar.png", "--driving", driving, "--output", output, "--model", str(model.path),
         "--threads", "1", "--crop", "none", *flags]
    )  # fmt: skip


def levels(path: Path, *, panel: int = 0) -> np.ndarray:
    """Mean red level of every frame, of one panel."""
    frames = [frame.image[:, panel * SIDE : (panel + 1) * SIDE, 0] for frame in VideoFile(path).frames()]
    return np.array([image.mean() for image in frames])


def test_every_frame_moves_the_avatar_and_sound_is_kept(
    folder: Path, tiny_model: ModelFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(tiny_model) == 0

    info = stream_info(folder / "out.mp4")
    assert info["size"] == (SIDE, SIDE)
    np.testing.assert_allclose(info["times"], np.arange(20) / 25, atol=1e-3)
    assert info["sound_seconds"] == pytest.approx(0.8, abs=0.06)
    # 4 levels more red are 8 / 255 more shift, which the generator shows as 100 times as many levels.
    np.testing.assert_allclose(levels(folder / "out.mp4"), AVATAR[0] + 800 / 255 * np.arange(20), atol=4)
    assert capsys.readouterr().out.startswith("done: out.mp4 (20 frames, ")


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ([], "trainedAlgorithmicMedia"),
        (["--side-by-side"], "compositeWithTrainedAlgorithmicMedia"),
        (["--swap", "left"], "compositeWithTrainedAlgorithmicMedia"),
    ],
)
def test_the_file_says_that_it_was_made_by_ai(
    folder: Path, tiny_model: ModelFolder, flags: list[str], kind: str
) -> None:
    assert render(tiny_model, *flags) == 0

    assert provenance.read((folder / "out.mp4").read_bytes()) == kind


def test_strength_halves_the_movement(folder: Path, tiny_model: ModelFolder) -> None:
    assert render(tiny_model, "--strength", "0.5") == 0

    np.testing.assert_allclose(levels(folder / "out.mp4"), AVATAR[0] + 400 / 255 * np.arange(20), atol=4)


@pytest.mark.parametrize(("flags", "is_calm"), [([], False), (["--smoothing", "1"], True)])
def test_smoothing_calms_trembling_if_it_is_asked_for(
    folder: Path, tiny_model: ModelFolder, flags: list[str], is_calm: bool
) -> None:
    write_video(folder / "driving.mp4", [flat(60 + 4 * (index % 2), 60, 60) for index in range(20)])

    assert render(tiny_model, "--strength", "2", *flags) == 0

    trembling = levels(folder / "out.mp4")[4:].std()
    assert (trembling < 1) == is_calm


# To the tiny model all poses are alike, so the first that is held for seven frames is the best.
@pytest.mark.parametrize(("reference", "still"), [("first", 0), ("7", 7), ("best", 3)])
def test_avatar_shows_its_own_pose_at_the_reference_frame(
    folder: Path, tiny_model: ModelFolder, reference: str, still: int
) -> None:
    assert render(tiny_model, "--reference", reference) == 0

    assert levels(folder / "out.mp4")[still] == pytest.approx(AVATAR[0], abs=4)


def test_reference_beyond_the_end_is_refused(
    folder: Path, tiny_model: ModelFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(tiny_model, "--reference", "20") == 2

    assert "--reference 20: driving.mp4 has 20 frames, counted from 0" in capsys.readouterr().err
    assert not (folder / "out.mp4").exists()


def test_absolute_mode_takes_the_drivers_place(folder: Path, tiny_model: ModelFolder) -> None:
    assert render(tiny_model, "--mode", "absolute") == 0

    way = 2 / 255 * (20 + 4 * np.arange(20) - AVATAR[0])
    np.testing.assert_allclose(levels(folder / "out.mp4"), np.clip(AVATAR[0] + 100 * way, 0, 255), atol=5)


def test_side_by_side_shows_driving_avatar_and_result(folder: Path, tiny_model: ModelFolder) -> None:
    assert render(tiny_model, "--side-by-side") == 0

    panels = [levels(folder / "out.mp4", panel=panel)[10] for panel in range(3)]
    np.testing.assert_allclose(panels, [60, 100, 100 + 8000 / 255], atol=6)


def test_overlay_tints_the_result(folder: Path, tiny_model: ModelFolder) -> None:
    assert render(tiny_model, "--overlay", "parts") == 0
    assert render(tiny_model, output="plain.mp4") == 0

    painted, plain = (VideoFile(folder / name).frames() for name in ("out.mp4", "plain.mp4"))
    for one, other in zip(painted, plain, strict=True):
        assert np.abs(one.image.astype(int) - other.image).mean() > 5


def test_swap_keeps_the_driving_picture_but_for_the_part(folder: Path, tiny_model: ModelFolder) -> None:
    assert render(tiny_model, "--swap", "left,right", "--swap-feather", "0", "--no-swap-colour") == 0

    # The tiny swapper adds 20 for the left part and 40 for the right one.
    np.testing.assert_allclose(levels(folder / "out.mp4"), 20 + 4 * np.arange(20) + 60, atol=4)


def test_scripted_needs_no_video(folder: Path, tiny_model: ModelFolder) -> None:
    assert render(tiny_model, "--side-by-side", driving="scripted:2") == 0

    info = stream_info(folder / "out.mp4")
    assert (info["size"], len(info["times"]), info["rate"], info["sound"]) == ((2 * SIDE, SIDE), 50, 25, None)


def test_variable_frame_rate_and_odd_size_come_through(folder: Path, tiny_model: ModelFolder) -> None:
    times = [0.0, 0.05, 0.3, 0.32, 0.7]
    pictures = [flat(20 + 10 * index, 60, 60, width=71, height=53) for index in range(5)]
    write_video(folder / "phone.mkv", pictures, times=times, pix_fmt="yuv444p10le", turned=0)

    assert render(tiny_model, driving="phone.mkv") == 0

    np.testing.assert_allclose(stream_info(folder / "out.mp4")["times"], times, atol=2e-3)


def test_cut_off_driving_video_renders_what_it_holds(
    folder: Path, tiny_model: ModelFolder, rng: np.random.Generator, capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    noise = [rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(60)]
    cut(write_video(folder / "half.mp4", noise, options={"movflags": "+faststart"}), 0.5)

    with caplog.at_level(logging.WARNING):
        assert render(tiny_model, driving="half.mp4") == 0

    assert "half.mp4 is cut off" in caplog.text
    assert 10 < len(stream_info(folder / "out.mp4")["times"]) < 50


def test_no_face_is_said_and_the_centre_used(
    folder: Path, tiny_model: ModelFolder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert render(tiny_model, "--crop", "auto") == 0

    warned = [record.getMessage() for record in caplog.records]
    assert [text.split(",")[0] for text in warned] == [
        "no face was found in avatar.png", "no face was found in driving.mp4",
    ]  # fmt: skip


def test_crop_of_the_driving_video_is_used(folder: Path, tiny_model: ModelFolder) -> None:
    pictures = [flat(20, 60, 60) for _ in range(5)]
    for index, picture in enumerate(pictures):
        picture[:32, :32, 0] = 20 + 10 * index
    write_video(folder / "corner.mp4", pictures)

    for crop, output in (("4,4,24,24", "out.mp4"), ("36,36,24,24", "still.mp4")):
        assert render(tiny_model, "--crop", crop, "--avatar-crop", "none", driving="corner.mp4", output=output) == 0

    assert np.ptp(levels(folder / "out.mp4")) > 25
    assert np.ptp(levels(folder / "still.mp4")) < 4


def test_crop_of_the_avatar_is_used(folder: Path, tiny_model: ModelFolder) -> None:
    picture = flat(*AVATAR, width=200, height=100)
    picture[20:60, 120:160] = (30, 60, 20)
    images.write_picture(folder / "avatar.png", picture)

    assert render(tiny_model, "--avatar-crop", "120,20,40,40") == 0

    assert levels(folder / "out.mp4")[0] == pytest.approx(30, abs=4)


def test_two_runs_give_the_same_pictures(folder: Path, tiny_model: ModelFolder) -> None:
    for name in ("one.mp4", "two.mp4"):
        assert render(tiny_model, output=name) == 0

    np.testing.assert_array_equal(levels(folder / "one.mp4"), levels(folder / "two.mp4"))


def test_existing_result_is_replaced_only_by_force(
    folder: Path, tiny_model: ModelFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out.mp4").write_bytes(b"precious")

    assert render(tiny_model) == 2
    assert (folder / "out.mp4").read_bytes() == b"precious"
    assert "--force" in capsys.readouterr().err
    assert render(tiny_model, "--force") == 0
    assert len(stream_info(folder / "out.mp4")["times"]) == 20
