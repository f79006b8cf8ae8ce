"""Inside the machine: the program under test as a process, and the devices it stands between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CAMERA = Path("/dev/video0")
LOOPBACK = Path("/dev/video10")
VIVID = Path("/sys/bus/platform/drivers/vivid")
CAPTURE = "320x180"
"""The smallest that the camera's driver has: every pixel costs time here."""
WIDTH, HEIGHT, FPS = 320, 240, 5
AVATAR, BACKGROUND = (180, 90, 40), (10, 60, 120)
"""Colours that nothing else in the picture has."""
TIME_FACTOR = "PUPPET_VM_TIME_FACTOR"
"""Variable that gives a busy host more time."""
PATIENCE_S = 300.0 * float(os.environ.get(TIME_FACTOR, "1"))
"""For anything; emulation is slow."""


def log(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class SlowError(Exception):
    """Something did not happen in time, or not often enough, which on a busy host may be the host's fault."""


def wait(is_so: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > end:
            raise SlowError(f"waited in vain for {what}")
        time.sleep(0.1)


def run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=PATIENCE_S)


def load_loopback() -> None:
    run("modprobe", "v4l2loopback", "devices=1", "video_nr=10", "card_label=Puppet", "exclusive_caps=1")
    wait(LOOPBACK.exists, str(LOOPBACK))


def unload_loopback() -> None:
    run("modprobe", "--remove", "v4l2loopback")


def unplug() -> None:
    (VIVID / "unbind").write_text("vivid.0")


def plug_in() -> None:
    (VIVID / "bind").write_text("vivid.0")


def show(**controls: int) -> None:
    """Set the camera driver's controls, such as its test pattern."""
    run("v4l2-ctl", "-d", str(CAMERA), "-c", ",".join(f"{name}={value}" for name, value in controls.items()))


def arguments(folder: Path) -> list[str]:
    """Of `live`, with a model that gives the avatar as it is, so that every pixel can be foretold."""
    return [
        "live", "--camera", "vivid", "--avatar", str(folder / "avatar.png"), "--model", str(folder / "model"),
        "--backend", "onnxrt", "--precision", "fp32", "--threads", "1", "--capture", f"{CAPTURE}@{FPS}",
        "--canvas", f"{WIDTH}x{HEIGHT}@{FPS}", "--background", ",".join(map(str, BACKGROUND)), "--strength", "0",
        "--crop", "none", "--no-badge",
    ]  # fmt: skip


class Program:
    """`main.py` as a process of its own, with what it says line by line."""

    def __init__(self, *command: str, environment: Mapping[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "main.py", *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        for line in self._process.stdout:
            self.lines.append(line.strip())
            log(f"program: {line.strip()}")

    def says(self, words: str, *, times: int = 1) -> None:
        """Wait until lines with these words came so often."""
        wait(lambda: self.count(words) >= times, f"{times} lines with {words!r}")

    def count(self, words: str) -> int:
        """How often lines with these words came so far."""
        return sum(words in line for line in self.lines)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; returns the exit code."""
        self._process.send_signal(number)
        code = self._process.wait(PATIENCE_S)
        self._listener.join()
        return code
