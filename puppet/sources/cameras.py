"""Which cameras there are, by name, each with the interface that listed it and must open it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from puppet import v4l2
from puppet.errors import SourceError

VIRTUAL = "virtual"
"""In the names of virtual cameras on Windows and macOS, such as OBS's."""


@dataclass(frozen=True)
class CameraInfo:
    """One camera."""

    name: str
    """As the system calls it; two of one kind share it."""
    address: int | str
    """What OpenCV opens: a device's path on Linux, a number elsewhere."""
    api: int
    """OpenCV's number of the interface that listed it, in which alone the address holds."""
    place: str = ""
    """Where it is plugged in, if the system says; tells two of one name apart, and the same one when it is back."""
    is_virtual: bool = False
    """Shows what a program feeds it, perhaps this one: it is never chosen or offered unasked."""

    def why_not(self) -> str | None:
        """Why it cannot be read just now, as the end of a sentence that begins with its name; None if nobody knows."""
        return v4l2.why_not(Path(str(self.address))) if sys.platform.startswith("linux") else None


def list_cameras() -> list[CameraInfo]:
    """Every camera that gives pictures, or would if this user were allowed to open it; virtual ones last."""
    cameras = _linux() if sys.platform.startswith("linux") else _elsewhere()
    return sorted(cameras, key=lambda camera: camera.is_virtual)


def first_real(cameras: list[CameraInfo]) -> CameraInfo | None:
    """The one to take if none was asked for."""
    return next((camera for camera in cameras if not camera.is_virtual), None)


def find_camera(wanted: str, cameras: list[CameraInfo]) -> CameraInfo:
    """The camera meant by a name, the beginning or middle of a name, a device path, or its number in the list.

    Raises:
        SourceError: none fits, or several do.
    """
    if wanted.isdecimal() and int(wanted) < len(cameras):
        return cameras[int(wanted)]
    tests = (
        lambda camera: wanted in (camera.address, camera.name),
        lambda camera: camera.name.lower().startswith(wanted.lower()),
        lambda camera: wanted.lower() in camera.name.lower(),
    )
    for fits in tests:
        found = [camera for camera in cameras if fits(camera)]
        if len(found) == 1:
            return found[0]
        if found:
            choice = ", ".join(f"{camera.name} ({camera.address})" for camera in found)
            raise SourceError(f"several cameras are called {wanted!r}; choose one by its address: {choice}")
    if sys.platform.startswith("linux") and wanted.startswith("/dev/") and Path(wanted).exists():
        raise SourceError(f"{wanted} {v4l2.why_not(Path(wanted)) or 'is not a camera; choose another one'}")
    raise SourceError(f"there is no camera {wanted!r}; {describe(cameras)}")


def find_again(known: CameraInfo, cameras: list[CameraInfo]) -> CameraInfo | None:
    """The same camera among those that are there now: by name and place, else the only one of its name."""
    same_name = [camera for camera in cameras if camera.name == known.name]
    same_place = [camera for camera in same_name if camera.place == known.place]
    for candidates in (same_place, same_name):
        if len(candidates) == 1:
            return candidates[0]
    return next((camera for camera in same_place if camera.address == known.address), None)


def describe(cameras: list[CameraInfo]) -> str:
    """What there is, as the end of a sentence."""
    if not cameras:
        return "no camera is there; plug one in, or use a video file or scripted instead"
    return "there is " + ", ".join(f"{camera.name} ({camera.address})" for camera in cameras)


def _linux() -> list[CameraInfo]:
    import cv2

    return [
        CameraInfo(device.name, str(device.path), int(cv2.CAP_V4L2), device.bus, is_virtual=device.is_loopback)
        for device in v4l2.devices()
        # A device that may not even be asked has no driver; it is listed, and opening it says why it cannot be used.
        if device.can_capture or not device.driver
    ]


def _elsewhere() -> list[CameraInfo]:
    try:
        import cv2_enumerate_cameras  # type: ignore[import-not-found]  # not needed on Linux
    except ImportError as error:
        raise SourceError(
            "cameras cannot be listed without the package cv2-enumerate-cameras; run: pip install cv2-enumerate-cameras"
        ) from error
    api = _native_api()
    listed: Any = cv2_enumerate_cameras.enumerate_cameras(api)
    return [
        CameraInfo(name, int(camera.index), api, str(camera.path or ""), is_virtual=VIRTUAL in name.lower())
        for camera in listed
        for name in [str(camera.name)]
    ]


def _native_api() -> int:
    import cv2

    return int(cv2.CAP_AVFOUNDATION if sys.platform == "darwin" else cv2.CAP_DSHOW)
