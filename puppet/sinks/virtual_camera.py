"""A virtual camera: other programs see the pictures as a webcam's. pyvirtualcam is used here and nowhere else."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from puppet import v4l2
from puppet.sinks.base import OutputMode, SinkLostError

if TYPE_CHECKING:
    from puppet.types import Image

log = logging.getLogger(__name__)

LINUX_HELP = (
    "sudo apt install v4l2loopback-dkms, then: "
    'sudo modprobe v4l2loopback devices=1 video_nr=10 card_label="Puppet" exclusive_caps=1'
)
OBS_HELP = "install OBS Studio, press its button 'Start Virtual Camera' once, then 'Stop Virtual Camera', and close OBS"

Opener = Callable[..., Any]


class VirtualCamera:
    """One virtual camera. Use it from one thread."""

    def __init__(self, device: str | None = None, *, opener: Opener | None = None) -> None:
        """Choose it; nothing is opened yet.

        Args:
            device: a path on Linux, a name elsewhere; None takes the first that is free.
            opener: makes the camera as `pyvirtualcam.Camera` does.
        """
        self.name = device or "virtual camera"
        self._wanted = device
        self._opener = opener or _pyvirtualcam
        self._camera: Any = None

    def open(self, mode: OutputMode) -> None:
        """Take the device; from now on other programs see a camera of this size and rate.

        Raises:
            SinkLostError: there is none, or another program feeds it; the sentence says how to get one.
        """
        self.close()
        device = self._wanted
        if sys.platform.startswith("linux"):
            device = choose_loopback(device, _devices())
        try:
            self._camera = self._opener(mode.width, mode.height, mode.fps, device=device)
        except ImportError as error:
            raise SinkLostError("pyvirtualcam is not installed; run: pip install pyvirtualcam") from error
        except (RuntimeError, OSError, ValueError) as error:
            raise SinkLostError(_why_not(device, error)) from error
        self.name = _label(str(self._camera.device))
        log.info("virtual camera: %s, %s", self.name, mode)

    def show(self, picture: Image, at: float) -> None:
        """Send one picture, uint8 (H, W, 3) RGB.

        Raises:
            SinkLostError: the device has gone.
        """
        try:
            self._camera.send(picture)
        except (RuntimeError, OSError) as error:
            raise SinkLostError(f"the virtual camera {self.name} has gone ({error}); {how_to_get_one()}") from error
        if self._wanted_is_gone():
            raise SinkLostError(f"the virtual camera {self.name} has gone; {how_to_get_one()}")

    def close(self) -> None:
        """Give the device back."""
        if self._camera is None:
            return
        camera, self._camera = self._camera, None
        device = str(camera.device)
        camera.close()
        if device.startswith("/dev/"):
            _offer_again(Path(device))

    def _wanted_is_gone(self) -> bool:
        device = str(self._camera.device)
        return device.startswith("/dev/") and not Path(device).exists()


def describe() -> str:
    """Which one would be fed, or how to get one; nothing is opened."""
    if not sys.platform.startswith("linux"):
        return f"OBS's, if it is there; else {OBS_HELP}"
    try:
        return _label(choose_loopback(None, v4l2.devices()))
    except SinkLostError as error:
        return str(error)


def how_to_get_one() -> str:
    """What to do on this system to have a virtual camera."""
    return LINUX_HELP if sys.platform.startswith("linux") else OBS_HELP


def choose_loopback(wanted: str | None, devices: list[v4l2.Device]) -> str:
    """The path of the v4l2loopback device to write into.

    Args:
        wanted: a path or a name; None takes the first that no program feeds.
        devices: all there are.

    Raises:
        SinkLostError: there is none, or the one that is wanted is none; the sentence says how to get one.
    """
    loopbacks = [device for device in devices if device.is_loopback]
    if wanted is None:
        free = [device for device in loopbacks if device.can_output]
        if free:
            return str(free[0].path)
        if loopbacks:
            raise SinkLostError(
                f"every virtual camera is fed by another program ({_names(loopbacks)}); "
                "close that program, or load v4l2loopback with devices=2"
            )
        locked = [device for device in devices if not device.driver]
        if locked:
            raise SinkLostError(
                f"{locked[0].path} may not be opened by this user; run: sudo usermod -aG video $USER, then log in again"
            )
        raise SinkLostError(f"there is no virtual camera on this system; {LINUX_HELP}")
    chosen = [device for device in loopbacks if wanted in (str(device.path), device.name)]
    if chosen:
        return str(chosen[0].path)
    if any(wanted in (str(device.path), device.name) for device in devices):
        raise SinkLostError(f"{wanted} is not a virtual camera but a real one; give the path of a v4l2loopback device")
    there = f"there is {_names(loopbacks)}" if loopbacks else LINUX_HELP
    raise SinkLostError(f"there is no virtual camera {wanted}; {there}")


def _devices() -> list[v4l2.Device]:
    """All video devices; virtual cameras that a program left without a word offer themselves again."""
    dead = [one for one in v4l2.devices() if one.is_loopback and not one.can_output and not one.can_capture]
    for device in dead:
        _offer_again(device.path)
    return v4l2.devices()


def _offer_again(device: Path) -> None:
    try:
        if not v4l2.query(device).can_output:
            v4l2.offer_output(device)
    except OSError as error:
        log.info("%s does not offer itself again (%s)", device, error)


def _names(devices: list[v4l2.Device]) -> str:
    return ", ".join(f"{device.name} ({device.path})" for device in devices)


def _label(device: str) -> str:
    """The name under which other programs list it."""
    if not device.startswith("/dev/"):
        return device
    try:
        return f"{v4l2.query(Path(device)).name} ({device})"
    except OSError:
        return device


def _why_not(device: str | None, error: Exception) -> str:
    if sys.platform.startswith("linux"):
        return f"the virtual camera {device} cannot be fed ({error}); close other programs that feed it"
    return f"there is no virtual camera ({error}); {OBS_HELP}"


def _pyvirtualcam(width: int, height: int, fps: float, *, device: str | None) -> Any:
    import pyvirtualcam  # GPL-2.0, and vendor libraries: loaded only when a virtual camera is wanted

    return pyvirtualcam.Camera(width, height, fps, device=device)
