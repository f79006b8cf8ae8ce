"""Linux's video devices by themselves: which there are, what they can do, and why one cannot be used now."""

from __future__ import annotations

import errno
import os
import struct
from dataclasses import dataclass
from pathlib import Path

CLASS = Path("/sys/class/video4linux")
LOOPBACK_DRIVER = "v4l2 loopback"

CAPTURE, OUTPUT, CAPTURE_MULTIPLANAR = 0x1, 0x2, 0x1000
"""Capability bits (linux/videodev2.h)."""
HAS_DEVICE_CAPS = 0x8000_0000
QUERYCAP = 0x8068_5600
"""VIDIOC_QUERYCAP: _IOR('V', 0, struct v4l2_capability), 104 bytes."""
REQBUFS = 0xC014_5608
"""VIDIOC_REQBUFS: _IOWR('V', 8, struct v4l2_requestbuffers), 20 bytes."""
STREAMON = 0x4004_5612
"""VIDIOC_STREAMON: _IOW('V', 18, int)."""
CAPABILITY = struct.Struct("16s32s32sIII3I")
REQUEST = struct.Struct("5I")
BUFFER_CAPTURE, BUFFER_OUTPUT, MEMORY_MMAP = 1, 2, 1


@dataclass(frozen=True)
class Device:
    """One video node and what its driver says of it."""

    path: Path
    name: str
    """As programs show it."""
    bus: str
    """Where it is plugged in; the same after unplugging and plugging in again."""
    driver: str
    can_capture: bool
    can_output: bool

    @property
    def is_loopback(self) -> bool:
        """Whether it is a virtual camera that programs write into."""
        return self.driver == LOOPBACK_DRIVER


def devices(root: Path = CLASS) -> list[Device]:
    """All video devices in the order of their numbers; those that may not be opened have neither ability nor bus."""
    found = []
    for entry in sorted(root.glob("video*"), key=lambda path: int("0" + path.name.removeprefix("video"))):
        path = Path("/dev") / entry.name
        try:
            found.append(query(path))
        except OSError:
            found.append(Device(path, _name(entry) or entry.name, "", "", can_capture=False, can_output=False))
    return found


def query(path: Path) -> Device:
    """Ask a driver what a device is.

    Raises:
        OSError: it is not there, may not be opened, or is no video device.
    """
    answer = bytearray(CAPABILITY.size)
    node = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        _ioctl(node, QUERYCAP, answer)
    finally:
        os.close(node)
    driver, card, bus, _, everything, own, *_ = CAPABILITY.unpack(answer)
    abilities = own if everything & HAS_DEVICE_CAPS else everything
    return Device(
        path,
        _text(card),
        _text(bus),
        _text(driver),
        can_capture=bool(abilities & (CAPTURE | CAPTURE_MULTIPLANAR)),
        can_output=bool(abilities & OUTPUT),
    )


def offer_output(path: Path) -> None:
    """Make a virtual camera that no program feeds any more offer itself for being fed again.

    WORKAROUND: v4l2loopback 0.12.7 (Debian 12) with exclusive_caps=1 forgets to when the program before used write(2),
    as pyvirtualcam does; it looks at who has closed it only if that one had started a stream. Newer versions do not
    need it. https://github.com/umlaeute/v4l2loopback

    Raises:
        OSError: the device cannot be opened, or refuses.
    """
    node = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        _ioctl(node, STREAMON, bytearray(struct.pack("i", BUFFER_OUTPUT)))
    finally:
        os.close(node)


def why_not(path: Path) -> str | None:
    """Why a camera cannot be read just now, as the end of a sentence that begins with its name; None if it can."""
    if not path.exists():
        return "is not there; plug it in, or choose another camera"
    try:
        device = query(path)
        if not device.can_capture:
            return _not_a_camera(device)
        _try_buffers(path)
    except OSError as error:
        return _reason(path, error)
    return None


def _not_a_camera(device: Device) -> str:
    if device.is_loopback:
        return "is a virtual camera that no program feeds; start that program first, or choose another camera"
    return "gives no pictures, it is the metadata or output side of a device; choose another camera"


def _try_buffers(path: Path) -> None:
    """Ask for one buffer and give it back: refused while another program streams."""
    node = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        for count in (1, 0):
            _ioctl(node, REQBUFS, bytearray(REQUEST.pack(count, BUFFER_CAPTURE, MEMORY_MMAP, 0, 0)))
    finally:
        os.close(node)


def _reason(path: Path, error: OSError) -> str | None:
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"may not be opened by this user ({path}: permission denied); "
            "run: sudo usermod -aG video $USER, then log in again"
        )
    if error.errno == errno.EBUSY:
        return "is in use by another program; close that program, or choose another camera"
    if error.errno in (errno.ENODEV, errno.ENXIO, errno.ENOENT):
        return "is not there any more; plug it in again, or choose another camera"
    if error.errno in (errno.ENOTTY, errno.EINVAL):
        return "is not a camera; choose another one"
    return f"cannot be used ({error.strerror}); unplug it and plug it in again, or choose another camera"


def _ioctl(node: int, request: int, argument: bytearray) -> None:
    from fcntl import ioctl  # not on Windows

    ioctl(node, request, argument)


def _name(entry: Path) -> str:
    try:
        return (entry / "name").read_text().strip()
    except OSError:
        return ""


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")
