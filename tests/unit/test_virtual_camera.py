"""The virtual camera behind a stand-in for pyvirtualcam; the real device is tested in tests/vm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from puppet import v4l2
from puppet.sinks.base import OutputMode, SinkLostError
from puppet.sinks.virtual_camera import VirtualCamera, choose_loopback, how_to_get_one

MODE = OutputMode(320, 240, 30.0)


def device(number: int, *, name: str = "Puppet", driver: str = "v4l2 loopback", is_free: bool = True) -> v4l2.Device:
    return v4l2.Device(
        Path(f"/dev/video{number}"), name, "platform", driver, can_capture=not is_free, can_output=is_free
    )


class FakeCamera:
    """What pyvirtualcam.Camera is to the sink."""

    def __init__(self) -> None:
        self.asked: tuple | None = None
        self.sent: list[np.ndarray] = []
        self.closed = 0
        self.failure: Exception | None = None

    def __call__(self, width, height, fps, *, device):
        if self.failure is not None:
            raise self.failure
        self.asked, self.device = (width, height, fps, device), device
        return self

    def send(self, picture) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append(picture)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def linux(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(v4l2, "devices", lambda: [device(10)])
    monkeypatch.setattr(v4l2, "query", lambda path: device(10))
    monkeypatch.setattr(VirtualCamera, "_wanted_is_gone", lambda self: False)
    return FakeCamera()


def test_it_feeds_the_first_free_device_at_the_size_asked_and_says_which(linux):
    sink = VirtualCamera(opener=linux)
    sink.open(MODE)
    picture = np.zeros((240, 320, 3), np.uint8)
    sink.show(picture, 0.0)
    sink.close()
    sink.close()

    assert linux.asked == (320, 240, 30.0, "/dev/video10")
    assert sink.name == "Puppet (/dev/video10)"
    assert linux.sent[0] is picture
    assert linux.closed == 1


def test_a_device_that_goes_away_is_lost_and_can_be_opened_again(linux):
    sink = VirtualCamera(opener=linux)
    sink.open(MODE)
    linux.failure = OSError("No such device")
    with pytest.raises(SinkLostError, match="has gone"):
        sink.show(np.zeros((240, 320, 3), np.uint8), 0.0)
    linux.failure = None
    sink.open(MODE)

    assert linux.closed == 1


@pytest.mark.parametrize("failure", [RuntimeError("device or resource busy"), OSError("busy")])
def test_a_device_that_another_program_feeds_is_said(linux, failure):
    linux.failure = failure

    with pytest.raises(SinkLostError, match=r"cannot be fed .*busy.*close other programs"):
        VirtualCamera(opener=linux).open(MODE)


def test_without_pyvirtualcam_it_says_what_to_install(linux):
    linux.failure = ImportError("no module")

    with pytest.raises(SinkLostError, match="pip install pyvirtualcam"):
        VirtualCamera(opener=linux).open(MODE)


@pytest.mark.parametrize(
    ("wanted", "devices", "sentence"),
    [
        (None, [], "no virtual camera on this system; .*modprobe v4l2loopback .*exclusive_caps=1"),
        (None, [device(0, driver="uvcvideo", is_free=False)], "no virtual camera on this system"),
        (None, [device(9, is_free=False)], r"every virtual camera is fed .*Puppet \(/dev/video9\)"),
        (None, [device(1, driver="")], "may not be opened by this user; run: sudo usermod"),
        ("/dev/video0", [device(0, driver="uvcvideo", is_free=False)], "is not a virtual camera but a real one"),
        ("/dev/video5", [device(10)], r"no virtual camera /dev/video5; there is Puppet \(/dev/video10\)"),
    ],
)
def test_what_is_missing_is_said_with_the_way_to_get_it(wanted, devices, sentence):
    with pytest.raises(SinkLostError, match=sentence):
        choose_loopback(wanted, devices)


@pytest.mark.parametrize("wanted", [None, "/dev/video10", "Puppet"])
def test_a_device_is_chosen_by_path_or_name(wanted):
    busy = device(9, name="OBS", is_free=False)

    assert choose_loopback(wanted, [busy, device(10)]) == "/dev/video10"


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_elsewhere_obs_gives_the_camera(monkeypatch, platform):
    monkeypatch.setattr("sys.platform", platform)
    camera = FakeCamera()
    camera.failure = RuntimeError("'obs' backend: virtual camera output could not be started")

    assert "Start Virtual Camera" in how_to_get_one()
    with pytest.raises(SinkLostError, match="install OBS Studio"):
        VirtualCamera(opener=camera).open(MODE)


def test_a_device_that_was_left_without_a_word_is_made_to_offer_itself_again(linux, monkeypatch):
    dead = v4l2.Device(Path("/dev/video10"), "Puppet", "", "v4l2 loopback", can_capture=False, can_output=False)
    there, offered = [dead], []

    def offer(path: Path) -> None:
        offered.append(path)
        there[0] = device(10)

    monkeypatch.setattr(v4l2, "devices", lambda: list(there))
    monkeypatch.setattr(v4l2, "query", lambda path: there[0])
    monkeypatch.setattr(v4l2, "offer_output", offer)
    sink = VirtualCamera(opener=linux)
    sink.open(MODE)
    there[0] = dead
    sink.close()

    assert offered == [Path("/dev/video10")] * 2
