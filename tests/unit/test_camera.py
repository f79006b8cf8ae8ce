"""Cameras: listed, chosen, opened, and what is said when they fail. No device is needed."""

from __future__ import annotations

import errno
import re
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from puppet import v4l2
from puppet.errors import SourceError
from puppet.sources import camera as camera_module
from puppet.sources import cameras
from puppet.sources.base import SourceLostError, SourceMode
from puppet.sources.camera import STUCK_S, Camera, Watch, to_rgb
from puppet.sources.cameras import CameraInfo, find_again, find_camera, first_real

NEVER = threading.Event()
HD = CameraInfo("HD Webcam C525", "/dev/video0", 200, "usb-0000:00:14.0-1")
TWIN = replace(HD, address="/dev/video2", place="usb-0000:00:14.0-2")
CHIP = CameraInfo("Integrated Camera", "/dev/video4", 200, "usb-0000:00:14.0-5")


class FakeCapture:
    """What OpenCV's VideoCapture is to the camera."""

    def __init__(self, *, opens: bool = True, pictures: list[np.ndarray] | None = None) -> None:
        self.opens, self.pictures = opens, pictures if pictures is not None else [picture(80)] * 3
        self.asked: dict[int, float] = {}
        self.address: tuple | None = None
        self.is_released = False

    def __call__(self, *address):
        self.address = address
        return self

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return self.opens

    def set(self, what: int, value: float) -> bool:
        self.asked[what] = value
        return True

    def get(self, what: int) -> float:
        return {cv2.CAP_PROP_FRAME_WIDTH: 640.0, cv2.CAP_PROP_FRAME_HEIGHT: 480.0, cv2.CAP_PROP_FPS: 15.0}.get(
            what, self.asked.get(what, 0.0)
        )

    def read(self):
        return (True, self.pictures.pop(0)) if self.pictures else (False, None)

    def release(self) -> None:
        self.is_released = True


def picture(blue: int, green: int = 10, red: int = 200) -> np.ndarray:
    return np.full((480, 640, 3), (blue, green, red), np.uint8)


@pytest.fixture
def plugged(monkeypatch):
    """A camera on a capture of our own; the list says what is plugged in."""
    capture, there = FakeCapture(), [HD]
    monkeypatch.setattr(camera_module.cv2, "VideoCapture", capture)
    monkeypatch.setattr(v4l2, "why_not", lambda path: None)
    return capture, there, Camera(HD, lister=lambda: there)


def test_it_is_opened_by_the_interface_that_listed_it_asked_for_mjpg_and_says_what_it_settled_for(plugged):
    capture, _, camera = plugged

    assert camera.open() == SourceMode(640, 480, 15.0, "MJPG")
    assert capture.address == ("/dev/video0", 200)
    assert capture.asked[cv2.CAP_PROP_FRAME_WIDTH] == 1280


def test_frames_are_numbered_timed_and_rgb(plugged):
    _, _, camera = plugged
    camera.open()
    first, second = camera.read(NEVER), camera.read(NEVER)

    assert (first.index, second.index) == (0, 1)
    assert second.captured_at > first.captured_at
    assert tuple(first.image[0, 0]) == (200, 10, 80)


@pytest.mark.parametrize("kind", ["busy", "silent", "missing"])
def test_a_failed_opening_leaves_nothing_open_and_can_be_tried_again(plugged, monkeypatch, kind):
    capture, there, camera = plugged
    monkeypatch.setattr(v4l2, "why_not", lambda path: "is in use by another program; close that program")
    pictures = capture.pictures
    capture.opens, capture.pictures = kind != "busy", [] if kind == "silent" else pictures
    there[:] = [] if kind == "missing" else [HD]

    with pytest.raises(SourceLostError, match="not there" if kind == "missing" else "in use by another"):
        camera.open()
    assert capture.is_released is (kind != "missing")
    capture.opens, capture.pictures, there[:] = True, pictures, [HD]
    camera.open()
    assert camera.read(NEVER) is not None


def test_unplugged_and_dead_are_told_apart(plugged):
    capture, there, camera = plugged
    camera.open()
    capture.pictures = []
    with pytest.raises(SourceLostError, match="gives no pictures; close other programs"):
        camera.read(NEVER)

    there.clear()
    for attempt in (lambda: camera.read(NEVER), camera.open):
        with pytest.raises(SourceLostError, match="was unplugged; plug it in again and it goes on by itself"):
            attempt()


def test_frozen_is_told_by_the_long_wait(plugged, monkeypatch):
    capture, _, camera = plugged
    camera.open()
    capture.pictures = []
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(camera_module.time, "perf_counter", lambda: next(clock))

    with pytest.raises(SourceLostError, match="is frozen: no picture for 2 s"):
        camera.read(NEVER)


def test_it_is_found_again_under_another_address(plugged):
    capture, there, camera = plugged
    there[:] = [CHIP, replace(HD, address="/dev/video7")]
    camera.open()

    assert capture.address == ("/dev/video7", 200)


@pytest.mark.parametrize(
    ("pictures", "finding"),
    [
        ([np.zeros((64, 64, 3), np.uint8)], "shows only black"),
        ([np.full((64, 64, 3), 100, np.uint8)], "the same picture again and again"),
        ([np.full((64, 64, 3), 100, np.uint8), np.full((64, 64, 3), 101, np.uint8)], None),
    ],
)
def test_black_and_stuck_pictures_are_noticed_after_a_while(pictures, finding):
    watch = Watch()
    for index in range(round(STUCK_S * 10) + 1):
        assert watch.finding is None
        watch.look(pictures[index % len(pictures)], 5 + index / 10)

    assert (watch.finding or "").count(finding or "") >= 1
    assert (watch.finding is None) is (finding is None)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1)])
def test_grey_cameras_become_rgb(shape):
    assert to_rgb(np.full(shape, 7, np.uint8)).shape == (4, 4, 3)


@pytest.mark.parametrize("wanted", ["Integrated Camera", "/dev/video4", "integ", "camera", "2"])
def test_a_camera_is_chosen_by_name_part_of_it_path_or_number(wanted):
    assert find_camera(wanted, [HD, TWIN, CHIP]) == CHIP


@pytest.mark.parametrize(
    ("wanted", "there", "sentence"),
    [
        ("C525", [HD, TWIN], r"several cameras .* HD Webcam C525 \(/dev/video2\)"),
        ("Logi", [CHIP], r"no camera 'Logi'; there is Integrated Camera \(/dev/video4\)"),
        ("Logi", [], "no camera is there; plug one in"),
        ("5", [CHIP], "no camera '5'"),
        ("/dev/null", [], "/dev/null is not a camera"),
    ],
)
def test_what_cannot_be_chosen_is_said_with_what_there_is(wanted, there, sentence):
    with pytest.raises(SourceError, match=sentence):
        find_camera(wanted, there)


def test_of_twins_the_one_in_the_same_socket_is_found_again():
    assert find_again(TWIN, [HD, TWIN]) == TWIN
    assert find_again(TWIN, [HD]) == HD
    assert find_again(TWIN, [CHIP]) is None


def test_virtual_cameras_come_last_and_are_taken_only_when_asked_for(monkeypatch):
    names = {"Puppet": v4l2.LOOPBACK_DRIVER, "C525": "uvcvideo"}
    devices = [
        v4l2.Device(Path(f"/dev/video{number}"), name, "", driver, can_capture=True, can_output=False)
        for number, (name, driver) in enumerate(names.items())
    ]
    monkeypatch.setattr(v4l2, "devices", lambda: devices)
    monkeypatch.setattr("sys.platform", "linux")
    listed = cameras.list_cameras()

    assert [camera.name for camera in listed] == ["C525", "Puppet"]
    assert first_real(listed).name == "C525"
    assert first_real(listed[1:]) is None
    assert find_camera("Puppet", listed).is_virtual


def test_linux_lists_what_captures_and_what_it_may_not_ask(monkeypatch, tmp_path):
    for name, text in (("video10", "Puppet"), ("video2", "Metadata"), ("video0", "Cam"), ("video1", "Locked")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(f"{text}\n")

    def query(path: Path) -> v4l2.Device:
        if path.name == "video1":
            raise PermissionError(errno.EACCES, "Permission denied")
        return v4l2.Device(path, path.name, "usb-1", "uvc", can_capture=path.name == "video0", can_output=False)

    monkeypatch.setattr(v4l2, "query", query)
    devices = v4l2.devices(tmp_path)
    monkeypatch.setattr(v4l2, "devices", lambda: devices)

    assert [device.path.name for device in devices] == ["video0", "video1", "video2", "video10"]
    assert [camera.name for camera in cameras._linux()] == ["video0", "Locked"]


@pytest.mark.parametrize(("platform", "api"), [("win32", cv2.CAP_DSHOW), ("darwin", cv2.CAP_AVFOUNDATION)])
def test_elsewhere_a_package_lists_them_for_the_interface_that_opens_them(monkeypatch, platform, api):
    def enumerate_cameras(wanted: int) -> list[SimpleNamespace]:
        obs = SimpleNamespace(name="OBS Virtual Camera", index=0, path=None)
        return [obs, SimpleNamespace(name="C525", index=wanted, path="x")]

    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", SimpleNamespace(enumerate_cameras=enumerate_cameras))
    monkeypatch.setattr("sys.platform", platform)

    there = [CameraInfo("C525", api, api, "x"), CameraInfo("OBS Virtual Camera", 0, api, is_virtual=True)]
    assert cameras.list_cameras() == there
    assert cameras.list_cameras()[0].why_not() is None


def test_elsewhere_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", None)
    monkeypatch.setattr("sys.platform", "win32")

    with pytest.raises(SourceError, match="pip install cv2-enumerate-cameras"):
        cameras.list_cameras()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "permission denied.*usermod -aG video"),
        (errno.EBUSY, "in use by another program"),
        (errno.ENODEV, "not there any more"),
        (errno.ENOTTY, "is not a camera"),
        (errno.EIO, "cannot be used"),
    ],
)
def test_every_reason_has_its_sentence(monkeypatch, tmp_path, number, sentence):
    def fail(path: Path) -> v4l2.Device:
        raise OSError(number, "as the kernel says")

    monkeypatch.setattr(v4l2, "query", fail)
    (tmp_path / "video0").touch()

    assert re.search(sentence, v4l2.why_not(tmp_path / "video0"))
    assert "plug it in" in v4l2.why_not(tmp_path / "video9")
