"""The live program without a window, as a user starts it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from puppet import app, images, live, v4l2
from puppet.sources.video_file import VideoFile
from puppet.state import LiveState
from tests.media import brightening, flat, stream_info, write_video

if TYPE_CHECKING:
    from engines.model_folder import ModelFolder

PLAIN = ("--no-window", "--crop", "none", "--background", "10,20,30", "--no-badge", "--canvas", "320x180@25")


@pytest.fixture
def avatar(tmp_path) -> Path:
    images.write_picture(tmp_path / "avatar.png", flat(100, 60, 20))
    return tmp_path / "avatar.png"


@pytest.fixture
def command(avatar, tiny_model: ModelFolder) -> list[str]:
    return ["live", *PLAIN, "--avatar", str(avatar), "--model", str(tiny_model.path), "--backend", "onnxrt"]


def test_a_video_drives_the_avatar_into_a_recording(command, tmp_path, capsys):
    clip = write_video(tmp_path / "clip.mp4", brightening(10, width=64, height=64), rate=25)
    output = tmp_path / "out.mp4"

    assert app.main([*command, "--camera", str(clip), "--record", str(output), "--seconds", "2"]) == 0
    info = stream_info(output)
    assert info["size"] == (320, 180)
    assert 5 <= len(info["times"]) <= 80  # few on a busy machine
    picture = list(VideoFile(output).frames())[-1].image
    np.testing.assert_allclose(picture[90, 20], (10, 20, 30), atol=3)
    assert picture[90, 160, 0] > 50  # the avatar (100), brighter or darker by its motion
    assert f"recorded in {output}" in capsys.readouterr().out


def test_parts_of_the_avatar_come_into_the_drivers_picture(command, tmp_path):
    clip = write_video(tmp_path / "clip.mp4", [flat(100, 60, 20, width=64, height=64)] * 10, rate=25)
    output = tmp_path / "out.mp4"
    swap = ("--swap", "left", "--swap-feather", "0", "--no-swap-colour")

    assert app.main([*command, *swap, "--camera", str(clip), "--record", str(output), "--seconds", "1"]) == 0

    # The tiny swapper adds 20 to the driver's picture for the left part.
    assert list(VideoFile(output).frames())[-1].image[90, 160, 0] == pytest.approx(120, abs=4)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(command, tmp_path, number):
    output = tmp_path / "out.mp4"
    process = subprocess.Popen(
        [sys.executable, "main.py", *command, "--camera", "scripted", "--record", str(output)],
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        status = process.stdout.readline()
        process.send_signal(number)
        rest, errors = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "running: tiny" in errors
    assert re.search(r"fps  latency p50 [\d.]+ p99 [\d.]+ ms .* dropped \d+ .*scripted performance", status)
    assert rest.startswith("done: ")
    assert len(stream_info(output)["times"]) > 25


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--camera", "none.mp4"], "there is no video at none.mp4"),
        (["--camera", "Nobody's"], 'there is no camera "Nobody\'s"; no camera is there'),
        ([], "no camera is there; plug one in, or use a video file or scripted instead"),
        (["--camera", "scripted", "--virtual-camera"], "sudo modprobe v4l2loopback"),
        (["--camera", "scripted", "--record", "out.txt"], "out.txt is not a name for a video"),
        (["--camera", "scripted", "--canvas", "320"], "--canvas '320': write it as 1280x720@30"),
        (["--camera", "scripted", "--canvas", "321x180"], "sides are even"),
        (["--camera", "scripted", "--background", "1,2,300"], "--background 300"),
        (["--camera", "scripted", "--background", "none.png"], "--background 'none.png'"),
        (["--camera", "scripted", "--strength", "3"], "--strength 3.0"),
        (["--camera", "scripted", "--avatar", "none.png"], "no picture at none.png"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(command, flags, sentence, capsys, monkeypatch):
    monkeypatch.setattr(v4l2, "devices", list)
    monkeypatch.setattr("sys.platform", "linux")

    assert app.main([*command, *flags]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.splitlines()[-1].startswith("error: ")


def test_a_virtual_camera_is_not_taken_for_the_driver_unasked(command, monkeypatch, capsys):
    ours = v4l2.Device(Path("/dev/video10"), "Puppet", "", v4l2.LOOPBACK_DRIVER, can_capture=True, can_output=False)
    monkeypatch.setattr(v4l2, "devices", lambda: [ours])
    monkeypatch.setattr("sys.platform", "linux")

    assert app.main(command) == 2
    assert "no camera is there; plug one in" in (said := capsys.readouterr().err)
    assert "there is Puppet (/dev/video10): name it if you want it" in said


def test_an_unusable_avatar_ends_it_with_its_sentence(command, avatar, capsys):
    avatar.write_bytes(b"no picture at all")

    assert app.main([*command, "--camera", "scripted"]) == 2
    assert "is not a picture that can be read" in capsys.readouterr().err


def test_a_backend_that_gives_way_is_said(command, fake_gpu, tiny_model, capsys, caplog):
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train, tensorrt or tensorrt-rtx)")
    from tests.engine_building import build_all
    from tests.fake_cudart import LOST

    build_all(tiny_model)
    fake_gpu.cudart.faults["cudaGraphLaunch"] = LOST

    assert app.main([*command[:-1], "tensorrt", "--camera", "scripted", "--seconds", "1"]) == 0

    assert capsys.readouterr().err.count("is used from now on") == 1


def test_what_was_logged_when_it_happened_is_not_said_again(capsys):
    live._Reporter().look(LiveState(notice="the GPU failed; ovino is used from now on", notices=1), 0.0)

    assert not capsys.readouterr().err


def test_without_cameras_the_list_says_so(monkeypatch, capsys):
    monkeypatch.setattr(v4l2, "devices", list)

    assert app.main(["live", "--list-cameras"]) == 0
    assert "no camera is there" in capsys.readouterr().err


def test_the_pipeline_can_be_measured(tiny_model: ModelFolder, capsys):
    command = ["bench", "--pipeline", "--model", str(tiny_model.path), "--backend", "onnxrt", "--seconds", "2"]

    assert app.main(command) == 0
    shown = capsys.readouterr().out
    assert "end to end" in shown
    assert "targets: p50 under 3 ms" in shown
