"""Inside the machine: the program with its window, on a screen that exists in memory only."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

from puppet import saved_settings, v4l2
from puppet.saved_settings import SavedSettings
from tests.vm.program import (
    CAPTURE,
    FPS,
    LOOPBACK,
    Program,
    arguments,
    load_loopback,
    plug_in,
    run,
    unload_loopback,
    unplug,
    wait,
)
from tests.vm.readers import Consumer

if TYPE_CHECKING:
    from pathlib import Path

SCREEN = ":47"
"""The host's /tmp is seen in the machine; it hardly has this one."""


class WindowChecks:
    """In the order in which they are run; the window lives through all of them."""

    def __init__(self, folder: Path) -> None:
        """Take the folder with the model and the avatar; pictures of the screen are put there too."""
        self._folder = folder
        self._program: Program
        self._screen: subprocess.Popen[bytes]

    def the_window_opens_and_says_that_there_is_no_virtual_camera(self) -> None:
        unload_loopback()
        self._screen = subprocess.Popen(["Xvfb", SCREEN, "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
        wait(lambda: os.path.exists(f"/tmp/.X11-unix/X{SCREEN[1:]}"), "the screen")
        settings = self._folder / "settings"
        # A later run: the first one shows a notice over the window.
        saved_settings.save(SavedSettings(has_agreed=True), settings / "puppet" / saved_settings.NAME)
        self._program = Program(
            *arguments(self._folder), "--virtual-camera", "--verbose",
            environment={"DISPLAY": SCREEN, "QT_QPA_PLATFORM": "xcb", "XDG_CONFIG_HOME": str(settings)},
        )  # fmt: skip
        self._program.says("there is no virtual camera on this system")
        self._program.says(f"vivid: {CAPTURE} at {FPS}")
        self._photograph("window-without")

    def a_virtual_camera_that_comes_later_is_fed_by_itself(self) -> None:
        load_loopback()
        self._program.says(f"virtual camera: Puppet ({LOOPBACK})")
        with Consumer() as consumer:
            consumer.sees(banner=False)
        self._photograph("window-running")

    def the_window_holds_the_picture_while_the_camera_is_away(self) -> None:
        with Consumer() as consumer:
            for time_number in (1, 2, 3):
                unplug()
                self._program.says("vivid was unplugged", times=time_number)
                consumer.sees(banner=True)
                if time_number == 1:
                    self._photograph("window-unplugged")
                plug_in()
                self._program.says("vivid is back", times=time_number)
                consumer.sees(banner=False)

    def the_window_ends_cleanly_on_a_signal(self) -> None:
        assert self._program.end(signal.SIGTERM) == 0
        assert v4l2.query(LOOPBACK).can_output
        self._screen.terminate()
        self._screen.wait()

    def _photograph(self, name: str) -> None:
        run(
            "ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "x11grab", "-i", SCREEN, "-frames:v", "1",
            str(self._folder / f"{name}.png"),
        )  # fmt: skip
