"""The list of what can drive the avatar: cameras by name, the scripted performance, a video file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QSignalBlocker, pyqtSignal

from puppet import config
from puppet.gui.widgets import PlainChoice
from puppet.live_options import is_file_name
from puppet.sources.camera import Camera
from puppet.sources.cameras import find_camera
from puppet.sources.looped import LoopedVideo
from puppet.sources.performed import Performance

if TYPE_CHECKING:
    from puppet.sinks.base import OutputMode
    from puppet.sources.base import Source
    from puppet.sources.cameras import CameraInfo

SCRIPTED_TEXT = "Scripted performance"
ASK_TEXT = "Video file…"
ASK = "?"


class SourcePicker(PlainChoice):
    """Emits what was chosen, as a text that can be remembered: a camera's name, `scripted`, or a file's path."""

    picked = pyqtSignal(str)
    asked = pyqtSignal()
    """A video file shall be chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Source")
        self.setAccessibleDescription("what drives the avatar: a camera, a video file, or a performance of our own")
        self.setToolTip("What drives the avatar")
        self.cameras: list[CameraInfo] | None = None
        """None: not listed yet."""
        self.wanted = config.SCRIPTED
        """What is chosen."""
        self._video: Path | None = None
        self._fill()
        self.activated.connect(self._pick)

    def offer(self, cameras: list[CameraInfo]) -> list[CameraInfo]:
        """Show the cameras that are there now; returns those that have come since the last time."""
        if cameras == self.cameras:
            return []
        known = self.cameras
        self.cameras = cameras
        self._fill()
        return [] if known is None else [camera for camera in cameras if camera not in known]

    def choose(self, wanted: str) -> None:
        """Choose as the user would; `picked` is emitted."""
        if wanted != config.SCRIPTED and self._camera(wanted) is None:
            self._video = Path(wanted)
        self.wanted = wanted
        self._fill()
        self.picked.emit(wanted)

    def resolve(self, wanted: str) -> str:
        """What `choose` takes for what a user wrote: a camera's number or part of its name become the name.

        Raises:
            SourceError: it is the name of no file, and of no camera that is there.
        """
        if wanted == config.SCRIPTED or is_file_name(wanted):
            return wanted
        return self.key(find_camera(wanted, self.cameras or []))

    def key(self, camera: CameraInfo) -> str:
        """What `choose` takes for a camera: its name, or its address if two have the same."""
        is_double = [each.name for each in self.cameras or []].count(camera.name) > 1
        return str(camera.address) if is_double else camera.name

    def make(self, mode: OutputMode) -> Source:
        """What is chosen, unopened. A file is looked at: call it outside the Qt thread.

        Raises:
            SourceError: there is no such video.
        """
        if self.wanted == config.SCRIPTED:
            return Performance()
        camera = self._camera(self.wanted)
        if camera is None:
            return LoopedVideo(Path(self.wanted))
        return Camera(camera, width=mode.width, height=mode.height, fps=mode.fps)

    def _camera(self, wanted: str) -> CameraInfo | None:
        return next((camera for camera in self.cameras or [] if wanted in (camera.name, str(camera.address))), None)

    def _fill(self) -> None:
        with QSignalBlocker(self):
            self.clear()
            for camera in self.cameras or []:
                key = self.key(camera)
                self.addItem(camera.name if key == camera.name else f"{camera.name} ({key})", key)
            if self._video is not None:
                self.addItem(self._video.name, str(self._video))
            self.addItem(SCRIPTED_TEXT, config.SCRIPTED)
            self.addItem(ASK_TEXT, ASK)
            index = self.findData(self.wanted)
            if index < 0:  # a camera that is unplugged stays chosen; it is waited for
                self.insertItem(0, f"{self.wanted} (not there)", self.wanted)
                index = 0
            self.setCurrentIndex(index)

    def _pick(self, index: int) -> None:
        wanted = str(self.itemData(index))
        if wanted == ASK:
            self._fill()
            self.asked.emit()
        elif wanted != self.wanted:
            self.choose(wanted)
