"""Inside the machine: the program without a window, between the camera and whoever reads the virtual camera."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from puppet import app, v4l2
from puppet.sinks.base import OutputMode
from puppet.sinks.virtual_camera import VirtualCamera
from puppet.sources.base import SourceLostError
from puppet.sources.camera import Camera
from puppet.sources.cameras import find_camera, list_cameras
from tests.vm import browser, readers
from tests.vm.program import (
    CAMERA,
    CAPTURE,
    FPS,
    HEIGHT,
    LOOPBACK,
    WIDTH,
    Program,
    SlowError,
    arguments,
    load_loopback,
    log,
    plug_in,
    show,
    unplug,
)
from tests.vm.readers import Consumer, has_banner

if TYPE_CHECKING:
    from pathlib import Path

TRIES = 6
"""At a rate; a busy host spoils some."""
NOBODY = 65534
COLOUR_BARS, BLACK = 0, 5
"""Test patterns of the camera's driver."""
ALL_TEXT, NO_TEXT = 0, 2
"""Whether the driver writes a clock over them, without which they never change."""


class HeadlessChecks:
    """In the order in which they are run; the program lives through several."""

    def __init__(self, folder: Path) -> None:
        """Take the folder with the model and the avatar."""
        self._folder = folder
        self._program: Program

    def _start(self) -> Program:
        self._program = Program(*arguments(self._folder), "--no-window", "--virtual-camera")
        self._program.says("fps  latency")
        return self._program

    def camera_is_listed_by_name(self) -> None:
        assert [(camera.name, camera.address) for camera in list_cameras()] == [("vivid", str(CAMERA))]

    def without_the_module_it_says_how_to_load_it(self) -> None:
        code, said = _say(*arguments(self._folder), "--no-window", "--virtual-camera")
        assert code == 2, said
        assert "there is no virtual camera on this system" in said, said
        assert "modprobe v4l2loopback" in said, said
        assert "exclusive_caps=1" in said, said

    def a_user_without_permission_is_told(self) -> None:
        os.chmod(CAMERA, 0o660)
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
        try:
            _assert_refused(Camera(find_camera("vivid", list_cameras())), "permission denied); run: sudo usermod")
        finally:
            os.seteuid(0)
            os.setegid(0)

    def the_program_starts_and_feeds_the_virtual_camera(self) -> None:
        load_loopback()
        program = self._start()
        program.says("running: tiny")
        program.says(f"vivid {CAPTURE} at {FPS}")
        program.says(f"Puppet ({LOOPBACK})")

    def opencv_reads_right_colours_and_size(self) -> None:
        with Consumer() as consumer:
            for _ in range(10):
                readers.assert_right(consumer.read())

    def ffmpeg_reads_right_colours_and_size(self) -> None:
        for picture in readers.read_by_ffmpeg():
            readers.assert_right(picture)

    def a_reader_that_asks_for_another_size_and_rate_changes_neither(self) -> None:
        for picture in readers.read_by_ffmpeg("-video_size", "640x480", "-framerate", "5"):
            readers.assert_right(picture)

    def a_browser_reads_right_colours_and_size(self) -> None:
        seen = browser.call()
        log(f"the browser: {seen}")
        assert "Puppet" in seen["labels"], seen
        assert (seen["width"], seen["height"]) == (WIDTH, HEIGHT), seen
        for colour, (_, expected) in zip(seen["colours"], readers.PLACES, strict=True):
            readers.assert_colour(colour, expected)

    def the_rate_is_constant(self) -> None:
        rates = []
        with Consumer() as consumer:
            for _ in range(TRIES):
                consumer.read()
                started = time.monotonic()
                for _ in range(5 * FPS):
                    consumer.read()
                rates.append(5 * FPS / (time.monotonic() - started))
                log(f"{rates[-1]:.2f} pictures a second")
                if abs(rates[-1] - FPS) < 0.1 * FPS:
                    return
        raise SlowError(f"{rates} pictures a second instead of {FPS}")

    def a_consumer_comes_and_goes_three_times(self) -> None:
        for _ in range(3):
            with Consumer() as consumer:
                readers.assert_right(consumer.read())

    def a_second_program_is_told_that_the_camera_is_busy(self) -> None:
        code, said = _say(*arguments(self._folder), "--no-window", "--seconds", "1")
        assert code == 2, said
        assert "vivid is in use by another program" in said, said

    def the_camera_is_unplugged_and_back_three_times(self) -> None:
        with Consumer() as consumer:
            for time_number in (1, 2, 3):
                unplug()
                consumer.sees(banner=True)
                self._program.says("source: vivid was unplugged", times=time_number)
                plug_in()
                consumer.sees(banner=False)
                self._program.says("source: all is well again", times=time_number)

    def a_black_and_a_stuck_picture_are_told_apart(self) -> None:
        show(test_pattern=BLACK, osd_text_mode=NO_TEXT)
        self._program.says("source: vivid shows only black; open its cover")
        show(test_pattern=COLOUR_BARS)
        self._program.says("source: vivid is frozen: it gives the same picture again and again")
        well = self._program.count("source: all is well again")
        show(osd_text_mode=ALL_TEXT)
        self._program.says("source: all is well again", times=well + 1)

    def it_ends_cleanly_on_a_termination_while_a_consumer_still_reads(self) -> None:
        with Consumer() as consumer:
            readers.assert_right(consumer.read())
            assert self._program.end(signal.SIGTERM) == 0
        assert self._program.lines[-1].startswith("done: "), self._program.lines[-3:]
        assert v4l2.query(LOOPBACK).can_output

    def it_starts_again_after_it_was_killed_and_ends_cleanly_on_ctrl_c(self) -> None:
        self._start().end(signal.SIGKILL)
        program = self._start()
        with Consumer() as consumer:
            assert not has_banner(consumer.read())
        assert program.end(signal.SIGINT) == 0

    def a_frozen_camera_is_told_from_an_unplugged_one(self) -> None:
        with _Feeder() as feeder:
            camera = Camera(find_camera("Puppet", list_cameras()), width=WIDTH, height=HEIGHT, fps=FPS)
            camera.open()
            assert camera.read(threading.Event()) is not None
            feeder.pause()
            _assert_lost(camera, "Puppet is frozen: no picture for")
        camera.close()

    def a_virtual_camera_that_another_program_feeds_is_told(self) -> None:
        with _Feeder():
            code, said = _say(*arguments(self._folder), "--no-window", "--virtual-camera")
        assert code == 2, said
        assert f"every virtual camera is fed by another program (Puppet ({LOOPBACK}))" in said, said


class _Feeder:
    """Another program that feeds the virtual camera, and may stop doing so without letting go of it."""

    def __enter__(self) -> _Feeder:
        self._camera = VirtualCamera(str(LOOPBACK))
        self._camera.open(OutputMode(WIDTH, HEIGHT, FPS))
        self._ended, self._fed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._feed)
        self._thread.start()
        assert self._fed.wait(60)
        return self

    def _feed(self) -> None:
        while not self._ended.wait(0.05):
            self._camera.show(np.zeros((HEIGHT, WIDTH, 3), np.uint8), time.perf_counter())
            self._fed.set()

    def pause(self) -> None:
        self._ended.set()
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        self.pause()
        self._camera.close()


def _say(*command: str) -> tuple[int, str]:
    """Run the program in this process; its exit code and what it said on stderr."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        code = app.main(list(command))
    return code, said.getvalue()


def _assert_refused(camera: Camera, sentence: str) -> None:
    said = ""
    try:
        camera.open()
    except SourceLostError as error:
        said = str(error)
    assert sentence in said, said


def _assert_lost(camera: Camera, sentence: str) -> None:
    """Frames that were waiting may still come first."""
    said = ""
    for _ in range(20):
        try:
            camera.read(threading.Event())
        except SourceLostError as error:
            said = str(error)
            break
    assert sentence in said, said
