"""The program as a process: exit codes, one sentence a failure, Ctrl-C, start-up cost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from puppet import app, config, images, v4l2
from tests.media import flat, stream_info, write_video

if TYPE_CHECKING:
    from engines.model_folder import ModelFolder

ROOT = Path(__file__).resolve().parents[2]
FAIL_AFTER_S = 120


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    images.write_picture(tmp_path / "avatar.png", flat(100, 60, 20))
    write_video(tmp_path / "driving.mp4", [flat(20 + 4 * index, 60, 60) for index in range(20)])
    return tmp_path


def command(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "main.py"), *words]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=FAIL_AFTER_S, check=False)


def render_words(tiny: ModelFolder, **changes: str) -> list[str]:
    flags = {"avatar": "avatar.png", "driving": "driving.mp4", "output": "out.mp4", "crop": "none", "threads": "1"}
    flags |= {"model": str(tiny.path), **changes}
    return ["render", *(word for name, value in flags.items() for word in (f"--{name}", value))]


def test_result_is_named_on_stdout_and_nothing_else(folder: Path, tiny_model: ModelFolder) -> None:
    done = run(*render_words(tiny_model))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("done: out.mp4 (20 frames, ")
    assert sorted(path.name for path in folder.iterdir()) == ["avatar.png", "driving.mp4", "out.mp4"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_leaves_a_playable_file(folder: Path, tiny_model: ModelFolder, number: signal.Signals) -> None:
    words = command("--verbose", *render_words(tiny_model, driving="scripted:300"))
    with subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("the first frame is rendered" in line for line in process.stderr)
        os.kill(process.pid, number)
        output, _ = process.communicate(timeout=FAIL_AFTER_S)

    assert process.returncode == 128 + number
    assert output.startswith("interrupted; what was rendered is in out.mp4")
    assert len(stream_info(folder / "out.mp4")["times"]) >= 1
    assert sorted(path.name for path in folder.iterdir()) == ["avatar.png", "driving.mp4", "out.mp4"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"avatar": "none.png"}, "there is no picture at none.png"),
        ({"avatar": "none.mp4"}, "there is no video at none.mp4"),
        ({"driving": "none.mp4"}, "there is no video at none.mp4"),
        ({"driving": "avatar.png"}, "avatar.png is not a video"),
        ({"driving": "scripted:x"}, "is not a number of seconds"),
        ({"model": "nowhere"}, "no model folder at nowhere"),
        ({"backend": "abacus"}, "no backend 'abacus'"),
        ({"crop": "1,2"}, "--crop '1,2'"),
        ({"reference": "last"}, "--reference 'last'"),
        ({"strength": "9"}, "--strength 9"),
        ({"strength": "much"}, "--strength"),
        ({"swap": "beard"}, "'beard': the model has no such part"),
        ({"mode": "sideways"}, "--mode"),
        ({"output": "out.gif"}, "end it in one of .mp4, .mov, .mkv"),
        ({"output": "avatar.png/out.mp4"}, "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    folder: Path, tiny_model: ModelFolder, capsys: pytest.CaptureFixture[str], changes: dict[str, str], words: str
) -> None:
    try:
        code = app.main(render_words(tiny_model, **changes))
    except SystemExit as stop:  # argparse's own refusals
        code = int(stop.code or 0)

    error = capsys.readouterr().err
    assert code == 2
    assert words in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == ["avatar.png", "driving.mp4"]


def test_unforeseen_failure_is_one_sentence_without_a_traceback(
    folder: Path, tiny_model: ModelFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("puppet.render.render", fail)

    assert app.main(render_words(tiny_model)) == 1
    assert capsys.readouterr().err.startswith("error: ZeroDivisionError: on purpose; this is a fault of the program")


def test_verbose_shows_the_traceback(folder: Path, tiny_model: ModelFolder) -> None:
    done = run("--verbose", *render_words(tiny_model, avatar="none.png"))

    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "there is no picture at none.png" in done.stderr


def test_no_command_renders_a_demonstration(
    folder: Path, tiny_model: ModelFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    for name in ("amara", "elena"):
        images.write_picture(folder / f"{name}.png", flat(100, 60, 20))
    monkeypatch.setattr(config, "AVATARS", folder)
    monkeypatch.setattr(config, "DEFAULT_MODEL", tiny_model.path)
    monkeypatch.setattr(config, "has_screen", lambda: False)

    assert app.main([]) == 0

    assert capsys.readouterr().out.startswith("done: out/elena.mp4 (200 frames")
    assert len(stream_info(folder / "out" / "elena.mp4")["times"]) == 200


def test_doctor_lists_packages_backends_and_model(tiny_model: ModelFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["doctor", "--model", str(tiny_model.path)]) == 0

    rows = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert rows["backend ovino"].strip().startswith("usable: OpenVINO ")
    assert rows["backend onnxrt"].strip().startswith("usable: ONNX Runtime ")
    assert "tiny, family mcs, 2 parts, 32 pixels" in rows["model"]
    assert rows["package av"].strip()


def test_doctor_names_cameras_and_what_stands_in_their_way(
    tiny_model: ModelFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = v4l2.Device(Path("/dev/video0"), "Webcam", "usb-1", "uvcvideo", can_capture=True, can_output=False)
    monkeypatch.setattr(v4l2, "devices", lambda: [there])
    monkeypatch.setattr(v4l2, "why_not", lambda path: "is in use by another program")
    monkeypatch.setattr("sys.platform", "linux")

    app.main(["doctor", "--model", str(tiny_model.path)])

    rows = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert rows["camera"].strip() == "Webcam (/dev/video0): is in use by another program"
    assert "modprobe v4l2loopback" in rows["virtual camera"]


def test_doctor_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["doctor", "--model", str(tmp_path)]) == 1

    assert "has no model.json" in capsys.readouterr().out


def test_starting_loads_nothing_heavy() -> None:
    program = (
        "import sys; from puppet import app\n"
        "try: app.main(['render', '--help'])\n"
        "except SystemExit: print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=FAIL_AFTER_S, check=True
    )

    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"torch", "onnx", "onnxruntime", "openvino", "PyQt6", "av", "rich"}
