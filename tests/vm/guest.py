"""Runs inside the machine: the real program between the kernel's webcam driver and a real virtual camera.

Every check leaves a line in the report, so that one boot serves them all: python -m tests.vm.guest FOLDER
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from puppet import app, v4l2
from puppet.sources.base import SourceLostError
from puppet.sources.camera import Camera
from puppet.sources.cameras import find_camera, list_cameras

if TYPE_CHECKING:
    from collections.abc import Callable

VIVID = Path("/sys/bus/platform/drivers/vivid")
WIDTH, HEIGHT, FPS = 320, 240, 10
AVATAR, BACKGROUND = (180, 90, 40), (10, 60, 120)
PATIENCE_S = 240.0
"""For anything; emulation is slow, and the host may be busy."""
LEVELS = 3
LOOPBACK = "/dev/video10"


class Program:
    """`main.py live` as a process of its own, with what it says line by line."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "main.py", *arguments(folder), "--virtual-camera"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        for line in self._process.stdout:
            self.lines.append(line.strip())
            log(f"program: {line.strip()}")

    def says(self, words: str, *, times: int = 1) -> None:
        """Wait until lines with these words came so often."""
        wait(lambda: sum(words in line for line in self.lines) >= times, f"{times} lines with {words!r}")

    def end(self, number: int = signal.SIGTERM) -> int:
        self._process.send_signal(number)
        code = self._process.wait(PATIENCE_S)
        self._listener.join()
        return code


def arguments(folder: Path) -> list[str]:
    return [
        "live", "--no-window", "--camera", "vivid", "--avatar", str(folder / "avatar.png"), "--model",
        str(folder / "model"), "--backend", "onnxrt", "--threads", "1", "--capture", "640x480@10", "--crop", "none",
        "--canvas", f"{WIDTH}x{HEIGHT}@{FPS}", "--background", ",".join(map(str, BACKGROUND)), "--strength", "0",
        "--no-badge",
    ]  # fmt: skip


def log(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def wait(is_so: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.1)


class Consumer:
    """Another program that reads the virtual camera, such as a video call."""

    def __init__(self) -> None:
        self._capture = cv2.VideoCapture(LOOPBACK, cv2.CAP_V4L2)
        assert self._capture.isOpened(), f"{LOOPBACK} cannot be read"

    def read(self) -> np.ndarray:
        is_good, picture = self._capture.read()
        assert is_good, "no picture from the virtual camera"
        return picture[..., ::-1]

    def __enter__(self) -> Consumer:
        return self

    def __exit__(self, *_: object) -> None:
        self._capture.release()


def assert_right(picture: np.ndarray, *, has_banner: bool = False) -> None:
    """Size, the avatar's colour in the middle, the background's beside it, and a banner or none."""
    assert picture.shape == (HEIGHT, WIDTH, 3), picture.shape
    for place, colour in (((100, 160), AVATAR), ((100, 12), BACKGROUND), ((60, 306), BACKGROUND)):
        distance = np.abs(picture[place].astype(int) - colour).max()
        assert distance <= LEVELS, f"{picture[place]} at {place}, expected {colour}"
    row = picture[round(0.9 * HEIGHT), 4].astype(int)
    assert bool(np.abs(row - BACKGROUND).max() > LEVELS) is has_banner, f"{row} where the banner would be"


def say(*arguments: str) -> tuple[int, str]:
    """Run the program in this process; its exit code and what it said on stderr."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = app.main(list(arguments))
    return code, said.getvalue()


def assert_is_lost(camera: Camera, sentence: str) -> None:
    """Frames that were waiting may still come first."""
    said = ""
    for _ in range(20):
        try:
            camera.read(threading.Event())
        except SourceLostError as error:
            said = str(error)
            break
    assert sentence in said, said


class Checks:
    """In the order in which they are run."""

    def __init__(self, folder: Path) -> None:
        """Take the folder with the model and the avatar."""
        self._folder = folder
        self._program: Program

    def camera_is_listed_by_name(self) -> None:
        assert [(camera.name, camera.address) for camera in list_cameras()] == [("vivid", "/dev/video0")]

    def without_the_module_it_says_how_to_load_it(self) -> None:
        code, said = say(*arguments(self._folder), "--virtual-camera")
        assert code == 2, said
        assert "there is no virtual camera on this system" in said, said
        assert "modprobe v4l2loopback" in said, said
        assert "exclusive_caps=1" in said, said

    def a_user_without_permission_is_told(self) -> None:
        os.chmod("/dev/video0", 0o660)
        os.setegid(65534)
        os.seteuid(65534)
        try:
            reason = v4l2.why_not(Path("/dev/video0"))
        finally:
            os.seteuid(0)
            os.setegid(0)
        assert reason is not None
        assert "permission denied" in reason, reason

    def the_program_starts_and_feeds_the_virtual_camera(self) -> None:
        run("modprobe", "v4l2loopback", "devices=1", "video_nr=10", "card_label=Puppet", "exclusive_caps=1")
        self._program = program = Program(self._folder)
        program.says("running: tiny")
        program.says("Puppet (/dev/video10)")

    def colours_and_size_are_right(self) -> None:
        with Consumer() as consumer:
            for _ in range(10):
                assert_right(consumer.read())

    def the_rate_is_constant(self) -> None:
        with Consumer() as consumer:
            consumer.read()
            started = time.monotonic()
            for _ in range(50):
                consumer.read()
            rate = 50 / (time.monotonic() - started)
        log(f"{rate:.2f} pictures a second")
        assert abs(rate - FPS) < 0.15 * FPS, rate

    def a_consumer_comes_and_goes_three_times(self) -> None:
        for _ in range(3):
            with Consumer() as consumer:
                assert_right(consumer.read())

    def a_second_program_is_told_that_the_camera_is_busy(self) -> None:
        code, said = say(*arguments(self._folder), "--seconds", "1")
        assert code == 2, said
        assert "vivid is in use by another program" in said, said

    def the_camera_is_unplugged_and_back_three_times(self) -> None:
        with Consumer() as consumer:
            for time_number in (1, 2, 3):
                (VIVID / "unbind").write_text("vivid.0")
                self._program.says("source: vivid was unplugged", times=time_number)
                held = [consumer.read() for _ in range(2 * FPS)]
                assert_right(held[-1], has_banner=True)
                (VIVID / "bind").write_text("vivid.0")
                self._program.says("source: all is well again", times=time_number)
                again = [consumer.read() for _ in range(2 * FPS)]
                assert_right(again[-1])

    def it_ends_cleanly_on_a_signal(self) -> None:
        program = self._program
        assert program.end() == 0
        assert program.lines[-1].startswith("done: "), program.lines[-3:]

    def it_starts_again_and_leaves_while_a_consumer_still_reads(self) -> None:
        self._program = Program(self._folder)
        self._program.says("fps  latency")
        with Consumer() as consumer:
            assert_right(consumer.read())
            assert self._program.end() == 0
            assert v4l2.query(Path(LOOPBACK)).can_output

    def it_starts_again_after_it_was_killed(self) -> None:
        for number in (signal.SIGKILL, signal.SIGINT):
            self._program = Program(self._folder)
            self._program.says("fps  latency")
            code = self._program.end(number)
        assert code == 0

    def a_frozen_camera_is_told_from_an_unplugged_one(self) -> None:
        import pyvirtualcam

        with pyvirtualcam.Camera(WIDTH, HEIGHT, FPS, device=LOOPBACK) as feeder:
            stopping, fed = threading.Event(), threading.Event()

            def feed() -> None:
                while not stopping.wait(0.05):
                    feeder.send(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
                    fed.set()

            thread = threading.Thread(target=feed)
            thread.start()
            fed.wait(PATIENCE_S)
            camera = Camera(find_camera("Puppet", list_cameras()), width=WIDTH, height=HEIGHT, fps=FPS)
            try:
                camera.open()
                assert camera.read(threading.Event()) is not None
            finally:
                stopping.set()
                thread.join()
            assert_is_lost(camera, "Puppet is frozen: no picture for")
        camera.close()


CHECKS = tuple(name for name in vars(Checks) if not name.startswith("_"))


def run(*command: str) -> None:
    subprocess.run(command, check=True)


def main(folder: Path) -> int:
    """Run all checks in order; returns how many failed."""
    run("modprobe", "vivid", "n_devs=1", "node_types=0x1")
    wait(lambda: Path("/dev/video0").exists(), "/dev/video0")
    report: dict[str, str] = {}
    checks = Checks(folder)
    for name in CHECKS:
        started = time.monotonic()
        try:
            getattr(checks, name)()
            report[name] = ""
        except Exception:  # noqa: BLE001 - reported, and the next check is run
            report[name] = traceback.format_exc()
        log(f"{name}: {'failed' if report[name] else 'passed'} ({time.monotonic() - started:.0f} s)\n{report[name]}")
        (folder / "report.json").write_text(json.dumps(report))
    return sum(bool(failure) for failure in report.values())


if __name__ == "__main__":
    # The program's thread that listens may still wait if the program never started properly.
    sys.stdout.flush()
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(code)
