"""The window: shows what the pipeline does, and hands it what the user wants. It waits for nothing."""

from __future__ import annotations

import base64
import logging
import math
import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QMainWindow
from typing_extensions import override

from puppet import config
from puppet.errors import SourceError
from puppet.gui import actions, dialogs, layout
from puppet.gui.avatars import dropped_paths, thumbnail
from puppet.gui.banner import Offer
from puppet.gui.commands import Commands
from puppet.gui.engines import EngineBuilds
from puppet.gui.feed import LINED_UP, Ghost, feed_camera, feed_result
from puppet.gui.first_run import FirstRun
from puppet.gui.gallery import Gallery
from puppet.gui.layout import Parts
from puppet.gui.models import Models
from puppet.gui.motion_dock import MotionDock
from puppet.gui.news import News
from puppet.gui.picking import PartPicker
from puppet.gui.preview import as_qimage
from puppet.gui.tasks import Tasks
from puppet.saved_settings import MOST_AVATARS, SavedSettings
from puppet.sources.cameras import first_real

if TYPE_CHECKING:
    from PyQt6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QImage

    from puppet.avatar import Avatar
    from puppet.gui.start import Start
    from puppet.pipeline import Pipeline
    from puppet.sources.base import Source
    from puppet.sources.cameras import CameraInfo
    from puppet.state import LiveState
    from puppet.types import Image

log = logging.getLogger(__name__)

TICK_MS = 33
WORDS_S = 0.25
"""How often what is written is renewed; faster cannot be read."""
SETTLED_S = 0.15
"""After it was shown, a window manager has put the window where it stays."""
STILL_SIDE = 384
LIST_S = 3.0
"""How often cameras are looked for."""


class Window(QMainWindow):
    """Made around a pipeline, which somebody else starts and ends."""

    def __init__(self, pipeline: Pipeline, start: Start) -> None:
        super().__init__()
        self.setWindowTitle("Puppet")
        self.setAcceptDrops(True)
        self.commands = Commands(pipeline, folders=start.folders)
        self.tasks = self.commands.tasks = Tasks(self.commands.say)
        self.has_agreed = start.saved.has_agreed
        self._pipeline = pipeline
        self._start = start
        self._avatar_image: QImage | None = None
        self._first_run: FirstRun | None = None
        self._greet_at = math.inf
        self._news = News(self.commands)
        self._is_listing = False
        self._notices = 0
        self._listed_at = self._written_at = -math.inf
        self._actions = actions.make_actions(self, self)
        self.tasks.run(lambda: self._still(start), then=self._show_still, failed=lambda sentence: None)  # told later
        self.parts: Parts = Parts(self, self._actions, self.tasks, start)
        self.trace = MotionDock(self)
        self.picking = PartPicker(self.parts.result, self.commands)
        self.models = Models(self, self.commands, pipeline, opener=start.opener)
        self.engines = EngineBuilds(self, self.commands, self.models, is_offered=start.offers_engines)
        self.gallery = Gallery(self.parts.strip, self.commands, pipeline, folder=start.saved.folder)
        self.commands.on_settings = self.parts.panel.show_settings
        self._connect()
        if start.sentence:
            self.commands.say(start.sentence)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.tick)
        self._timer.start(TICK_MS)
        self.parts.picker.choose(start.source if start.source == config.SCRIPTED else config.SCRIPTED)
        self.gallery.pick_path(start.avatar)
        self.parts.strip.setFocus()

    def saved(self) -> SavedSettings:
        """What to remember."""
        strip = self.parts.strip
        swapless = self.commands.settings.live.model_copy(update={"swap": ()})  # part names are one model's
        shown = self.commands.settings.output.model_copy(update={"show": "avatar"})
        return SavedSettings(
            settings=self.commands.settings.model_copy(update={"live": swapless, "output": shown}),
            source=self.parts.picker.wanted if self.has_agreed else None,
            avatar=strip.current,
            added_avatars=tuple(strip.added[-MOST_AVATARS:]),
            crops=dict(list(strip.crops.items())[-MOST_AVATARS:]),
            folder=self.gallery.folder,
            model=self.models.path,
            light=self.models.is_light,
            swap_presets=self.parts.presets.value(),
            has_agreed=self.has_agreed,
            ghost=self.parts.ghost.value(),
            geometry=base64.b64encode(self.saveGeometry().data()).decode(),
        )

    def tick(self) -> None:
        """Follow the pipeline."""
        self.tasks.poll()
        countdown = str(self.commands.tick() or "")
        self.parts.camera.show_mark(countdown)
        self.parts.result.show_mark(countdown)
        state = self._pipeline.state()
        self._show_pictures(state, is_counting=bool(countdown))
        if self._first_run is not None:
            self._first_run.follow(state, self._avatar_image, countdown)
        now = time.perf_counter()
        if now >= self._greet_at:
            self._greet_at = math.inf
            self.show_first_run()
        if now - self._written_at >= WORDS_S:
            self._written_at = now
            self._show_words(state)
        self.gallery.tick(now)
        if now - self._listed_at >= LIST_S and not self._is_listing:
            self._listed_at, self._is_listing = now, True
            self.tasks.run(self._start.list_cameras, then=self._offer_cameras, failed=self._cannot_list)
        if self._start.should_end():
            self.close()

    def agree(self) -> None:
        """The notice was read: from now on cameras are opened."""
        if not self.has_agreed:
            self.has_agreed = True
            self._choose_source()

    def ask_video(self) -> None:
        """See `Shell`."""
        dialogs.ask_video(self, self.parts.picker.choose)

    def toggle_panel(self) -> None:
        """See `Shell`."""
        self.parts.side.setVisible(self.parts.side.isHidden())

    def is_panel_shown(self) -> bool:
        """See `Shell`."""
        return not self.parts.side.isHidden()

    def show_shortcuts(self) -> None:
        """See `Shell`."""
        dialogs.show_shortcuts(self, actions.ROWS)

    def show_notice(self) -> None:
        """See `Shell`."""
        dialogs.show_notice(self, self.agree)

    def greet(self) -> None:
        """Show the first run as soon as the window is in its place, so that it comes to lie over its middle."""
        self._greet_at = time.perf_counter() + SETTLED_S

    def show_about(self) -> None:
        """See `Shell`."""
        dialogs.show_about(self)

    def show_first_run(self) -> None:
        """See `Shell`."""
        if self._first_run is None:
            self._first_run = FirstRun(self)
            self._first_run.finished.connect(self._forget_first_run)
            self._first_run.open()

    def restore(self) -> None:
        """Take size and place of the last time."""
        layout.place(self, self._start.saved.geometry)

    @override
    def closeEvent(self, event: QCloseEvent | None) -> None:
        self._timer.stop()
        self.models.close()
        self.engines.close()
        self.tasks.close()
        super().closeEvent(event)

    @override
    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        if event is not None and any(map(self.gallery.takes, dropped_paths(event.mimeData()))):
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent | None) -> None:
        if event is not None:
            event.acceptProposedAction()
            paths, strip = dropped_paths(event.mimeData()), self.parts.strip
            is_on_strip = strip.rect().contains(strip.mapFrom(self, event.position().toPoint()))
            for clip in self.gallery.drop(paths, is_on_strip=is_on_strip)[:1]:
                self.parts.picker.choose(str(clip))

    def _forget_first_run(self) -> None:
        self._first_run = None

    def _connect(self) -> None:
        self.parts.panel.changed.connect(self.commands.change)
        self.gallery.on_avatar = self._show_avatar
        self.models.on_loaded = self.gallery.reload
        self.parts.work.cancelled.connect(self.models.cancel)
        self.parts.picker.picked.connect(self._use_source)
        self.parts.picker.asked.connect(self.ask_video)

    def _show_pictures(self, state: LiveState, *, is_counting: bool) -> None:
        parts, settings = self.parts, self.commands.settings
        feed_camera(parts.camera, state, settings, ghost=Ghost(self._avatar_image, parts.ghost.value()))
        if is_counting:  # who lines up with the avatar should see it large
            feed_camera(parts.result, state, settings, ghost=Ghost(self._avatar_image, LINED_UP))
        else:
            feed_result(parts.result, state, settings)
        self.picking.follow(state, self.parts.panel.part_names)
        self.trace.follow(state, self.parts.panel.part_names)

    def _show_words(self, state: LiveState) -> None:
        if state.notices > self._notices and state.notice:
            self.commands.say(state.notice)
        self._notices = state.notices
        self.parts.banner.say(*self._news.latest(state))
        camera = self.commands.virtual_camera
        self.parts.status.show_state(
            state, virtual_camera_name=None if camera is None else camera.name, recording_s=self.commands.recording_s
        )
        actions.follow(self._actions, self)
        self.parts.panel.offer_parts(() if self._start.opener is None else self._start.opener.part_names)
        self.parts.presets.offer(self.parts.panel.part_names)
        self.parts.work.follow(*self.models.work(state.phase))
        self.engines.follow(state.phase)

    @staticmethod
    def _still(start: Start) -> Image:
        return thumbnail(start.avatar, STILL_SIDE, start.saved.crops.get(start.avatar.absolute()))

    def _show_still(self, picture: Image) -> None:
        """Something to look at until the model is there."""
        if self._avatar_image is None:
            self.parts.avatar.show_picture(picture)

    def _show_avatar(self, avatar: Avatar) -> None:
        if self._avatar_image is None:
            log.info("the avatar is there")
            self._start.when_ready(self.commands)
        self._avatar_image = as_qimage(avatar.image)
        self.parts.avatar.show_picture(avatar.image)

    def _offer_cameras(self, cameras: list[CameraInfo]) -> None:
        self._is_listing = False
        is_first = self.parts.picker.cameras is None
        new = first_real(self.parts.picker.offer(cameras))
        if is_first and self.has_agreed:
            self._choose_source()
        elif new is not None and self.parts.picker.wanted == config.SCRIPTED:
            found = self.parts.picker.key(new)
            use = Offer("Use it", lambda: self.parts.picker.choose(found))
            self.commands.say(f"{new.name} was plugged in; drive the avatar with it", offer=use)

    def _cannot_list(self, sentence: str) -> None:
        self._offer_cameras([])
        self._is_listing = True  # it would fail again and again
        self.commands.say(sentence)

    def _choose_source(self) -> None:
        """What was asked for, else as last time, else the first camera, else the performance."""
        picker = self.parts.picker
        remembered = self._start.source or self._start.saved.source
        if picker.cameras is None:
            return  # once they are listed
        try:
            if remembered is not None:
                picker.choose(picker.resolve(remembered))
                return
        except SourceError as error:
            self.commands.say(str(error))
        first = first_real(picker.cameras)
        if first is not None:
            picker.choose(picker.key(first))

    def _use_source(self, wanted: str) -> None:
        mode = self._start.capture
        self.tasks.run(lambda: self.parts.picker.make(mode), then=self._take_source)

    def _take_source(self, source: Source) -> None:
        self._pipeline.use_source(source)
