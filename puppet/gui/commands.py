"""What the user can do, as calls to the pipeline; none of them waits for anything."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import platformdirs
from PyQt6.QtCore import QUrl
from PyQt6.QtGui import QDesktopServices

from puppet import images, provenance
from puppet.gui.banner import Offer
from puppet.settings import LiveSettings, Settings
from puppet.sinks.recorder import Recorder
from puppet.sinks.snapshot import write_snapshot
from puppet.sinks.virtual_camera import VirtualCamera
from puppet.sources.base import Performed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from puppet.gui.tasks import Tasks
    from puppet.pipeline import Pipeline
    from puppet.provenance import SourceType
    from puppet.sinks.base import Sink
    from puppet.types import Image

log = logging.getLogger(__name__)

COUNTDOWN_S = 3.0
MESSAGE_S, OFFER_S = 8.0, 20.0
OVERLAY = 0.55
"""Opacity of the parts when the switch turns them on."""


@dataclass(frozen=True)
class Folders:
    """Where recordings and snapshots go."""

    videos: Path = field(default_factory=lambda: platformdirs.user_videos_path() / "puppet")
    pictures: Path = field(default_factory=lambda: platformdirs.user_pictures_path() / "puppet")


class Commands:
    """Used from the Qt thread alone."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        folders: Folders | None = None,
        clock: Callable[[], float] = time.perf_counter,
        open_virtual_camera: Callable[[], Sink] = VirtualCamera,
    ) -> None:
        """Take what they act upon; `tasks` is set by who makes them."""
        self.tasks: Tasks
        self.on_settings: Callable[[Settings], None] = lambda settings: None
        self.virtual_camera: Sink | None = None
        self.recorder: Recorder | None = None
        self.message = ""
        """The last thing worth telling, for a while."""
        self.offer: Offer | None = None
        """What may be done about it."""
        self._pipeline = pipeline
        self._folders = folders or Folders()
        self._clock = clock
        self.open_virtual_camera = open_virtual_camera
        self._calibrate_at: float | None = None
        self._message_until = 0.0
        self._recording_since = 0.0

    def say(self, sentence: str, *, offer: Offer | None = None) -> None:
        """Tell the user something for some seconds, longer if something is offered with it."""
        log.info("%s", sentence)
        self.message, self.offer = sentence, offer
        self._message_until = self._clock() + (MESSAGE_S if offer is None else OFFER_S)

    def hush(self) -> None:
        """What was told is no news any more."""
        self.message, self.offer = "", None

    def tick(self) -> int:
        """Do what is due; returns the seconds left until calibration, 0 if none is coming."""
        if self.recorder is not None and self.recorder.has_failed:
            self.recorder = None  # the pipeline says why
        now = self._clock()
        if self.message and now > self._message_until:
            self.hush()
        if self._calibrate_at is None:
            return 0
        if now < self._calibrate_at:
            return math.ceil(self._calibrate_at - now)
        self._calibrate_at = None
        self._pipeline.calibrate()
        self.say("calibrated: the avatar moves from this pose of yours")
        return 0

    def calibrate(self) -> None:
        """Count down, then count motion from the pose of that moment; once more: never mind."""
        if self._calibrate_at is not None:
            self._calibrate_at = None
        elif self._has_driver():
            self._calibrate_at = self._clock() + COUNTDOWN_S

    @property
    def recording_s(self) -> float | None:
        """For how long a recording has been made, seconds; None: there is none."""
        return None if self.recorder is None else self._clock() - self._recording_since

    @property
    def is_calibrating(self) -> bool:
        """Whether the countdown runs."""
        return self._calibrate_at is not None

    def find_reference(self) -> None:
        """Look for the moment nearest to the avatar's pose."""
        if self._has_driver():
            self._pipeline.find_reference()
            self.say("move your head slowly; the moment nearest to the avatar's pose is taken")

    def toggle_virtual_camera(self) -> None:
        """Show the result to other programs, or stop that."""
        sink, self.virtual_camera = self.virtual_camera, None
        if sink is not None:
            self._pipeline.remove_sink(sink)
            return
        sink = self.virtual_camera = self.open_virtual_camera()
        self.tasks.watch(self._pipeline.add_sink(sink), then=lambda _: self.say(f"other programs see {sink.name}"))

    def toggle_recording(self) -> None:
        """Record the result into a new file, or finish that."""
        sink = self.recorder
        if sink is not None:
            self.recorder = None
            self.tasks.watch(
                self._pipeline.remove_sink(sink),
                then=lambda _: self._tell_file(f"recorded in {sink.name}", sink.path.parent),
            )
            return
        self.record(self._folders.videos / f"{_stamp()}.mp4")

    def record(self, path: Path, *, force: bool = False) -> None:
        """Record the result into that file."""
        kind = self._kind()

        def make() -> Recorder:
            path.parent.mkdir(parents=True, exist_ok=True)
            return Recorder(path, kind=kind, force=force)

        self.tasks.run(make, then=self._begin_recording)

    def take_snapshot(self) -> None:
        """Keep the output picture of this moment as a file."""
        canvas = self._pipeline.state().canvas
        if canvas is None:
            self.say("there is no picture yet to take a snapshot of")
            return
        path, kind = self._folders.pictures / f"{_stamp()}.png", self._kind()
        is_made = self.settings.output.show == "avatar"

        def write(picture: Image = canvas) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_made:
                write_snapshot(path, picture, kind=kind)
            else:
                images.write_picture(path, picture)

        self.tasks.run(write, then=lambda _: self._tell_file(f"snapshot saved as {path}", path.parent))

    @property
    def settings(self) -> Settings:
        """As they are now."""
        return self._pipeline.settings

    def change(self, settings: Settings) -> None:
        """Let the pipeline and the panel follow."""
        self._pipeline.settings = settings
        self.on_settings(settings)

    def change_live(self, **changes: object) -> None:
        """Change how motion is carried over."""
        live = LiveSettings.model_validate({**self.settings.live.model_dump(), **changes})
        self.change(self.settings.model_copy(update={"live": live}))

    def reset(self) -> None:
        """All settings as they come with the program."""
        self.change(Settings())
        self.say("all settings are as they come with the program")

    def clear_swap(self) -> None:
        """Swap no parts: their names are one model's."""
        live = self.settings.live.model_copy(update={"swap": ()})
        self.change(self.settings.model_copy(update={"live": live}))

    def toggle_show(self, what: Literal["camera", "nothing"]) -> None:
        """Show others the camera's picture, or nothing, instead of the avatar, or the avatar again."""
        is_on = self.settings.output.show == what
        self._change_output(show="avatar" if is_on else what)

    def toggle_parts(self) -> None:
        """Paint the model's parts over the avatar, or not."""
        self._change_output(overlay=0.0 if self.settings.output.overlay else OVERLAY)

    def toggle_mirror(self) -> None:
        """Turn the output left and right round, or back."""
        self._change_output(mirror=not self.settings.output.mirror)

    def _has_driver(self) -> bool:
        """Whether there is anybody to calibrate on; if not, the user is told."""
        frame = self._pipeline.state().frame
        if frame is None or isinstance(frame, Performed):
            self.say("nobody drives the avatar yet; choose a camera or a video file first")
            return False
        return True

    def _change_output(self, **changes: object) -> None:
        settings = self.settings
        self.change(settings.model_copy(update={"output": settings.output.model_copy(update=changes)}))

    def _begin_recording(self, recorder: Recorder) -> None:
        self.recorder, self._recording_since = recorder, self._clock()
        self.tasks.watch(
            self._pipeline.add_sink(recorder),
            then=lambda _: self.say(f"recording into {recorder.path}"),
            failed=self._give_up_recording,
        )

    def _give_up_recording(self, sentence: str) -> None:
        self.recorder = None
        self.say(sentence)

    def _tell_file(self, sentence: str, folder: Path) -> None:
        url = QUrl.fromLocalFile(str(folder))
        self.say(sentence, offer=Offer("Open the folder", lambda: QDesktopServices.openUrl(url)))

    def _kind(self) -> SourceType:
        return provenance.kind_of(is_mixed=bool(self.settings.live.swap))


def _stamp() -> str:
    return f"puppet-{datetime.now().astimezone():%Y-%m-%d-%H.%M.%S}"
