"""The inference thread: holds the model, reads the driver's motion off each frame, and renders the avatar."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from puppet import avatar_pictures
from puppet.sources.base import Performed
from puppet.sources.head import Head
from puppet.sources.video_file import is_video
from puppet.stages.driver import Driver
from puppet.stages.orders import Orders
from puppet.state import Shot
from puppet.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from puppet.avatar import Avatar
    from puppet.framing import FindsFaces, Square
    from puppet.latest import Latest
    from puppet.settings import Settings
    from puppet.stages.model import Model
    from puppet.state import Board
    from puppet.types import Image, Motion, Rendered

log = logging.getLogger(__name__)


class Infer:
    """Runs in one thread, in which alone the model is touched."""

    def __init__(
        self,
        open_puppeteer: Callable[[], Model],
        open_finder: Callable[[], FindsFaces],
        inbox: Latest[Frame],
        outbox: Latest[Shot],
        *,
        board: Board,
        settings: Settings,
    ) -> None:
        """Take what it works between.

        Args:
            open_puppeteer: loads the model; called in the thread.
            open_finder: loads the face detector, when it is first needed; called in the thread.
            inbox: where frames come from.
            outbox: where shots go.
            board: where its state is shown.
            settings: to begin with; replace the attribute at any time.
        """
        self.settings = settings
        self.orders = Orders(inbox.wake)
        self.dropped_before = 0
        """Frames that came while the model was being loaded."""
        self._open_puppeteer = open_puppeteer
        self._open_finder = open_finder
        self._finder: FindsFaces | None = None
        self._inbox = inbox
        self._outbox = outbox
        self._board = board
        self._models = ExitStack()
        self._driver = Driver(self._faces, board)
        self._head: Head | None = None

    def run(self) -> None:
        """Load the model, then render until the inbox is closed.

        Raises:
            PuppetError: a frame cannot be used.
            EngineError: the model cannot be loaded, or failed.
        """
        with ExitStack() as stack:
            stack.callback(self.orders.close)
            self._puppeteer = self._models.enter_context(self._open_puppeteer())
            stack.callback(lambda: self._models.close())  # the one that is used then
            self.dropped_before = self._inbox.dropped
            self._board.update(phase="running")
            self._tell_engines()
            while True:
                self.orders.obey(self._board.note)
                frame = self._inbox.take()
                if frame is not None:
                    shot = self._render(frame)
                    self._outbox.put(shot)
                    self._account(shot)  # while the picture is already on its way

    def load_model(self, open_puppeteer: Callable[[], Model]) -> None:
        """Use another model from now on; the avatar must be loaded anew. To be ordered.

        Raises:
            PuppetError: it was called off; the last model stays.
            EngineError: it cannot be loaded; the last model stays.
        """
        with ExitStack() as opened:
            self._puppeteer = opened.enter_context(open_puppeteer())
            self._models.close()
            self._models = opened.pop_all()
        self._head = None
        self._driver.renew()
        self._board.update(model=self._puppeteer.description, avatar=None)

    def frame_avatar(self, path: Path) -> tuple[Image, Square]:
        """See `avatar_pictures.read_framed`. To be ordered."""
        return avatar_pictures.read_framed(path, self._avatar_finder())

    def load_avatar(self, path: Path, square: Square | None) -> Avatar:
        """Make a part of a picture file or of a clip the avatar; see `avatar_pictures`. To be ordered."""
        finder = self._avatar_finder()
        if not is_video(path):
            return self.set_avatar(avatar_pictures.read_cut(path, square, finder), name=path.name)
        views = avatar_pictures.read_views(path, square, finder, read=self._puppeteer.read)
        return self.set_avatar(*views, name=path.name)

    def set_avatar(self, picture: Image, *further: Image, name: str) -> Avatar:
        """Make a picture, uint8 (H, H, 3) RGB and framed, the avatar, with further views of it. To be ordered.

        Raises:
            AvatarError: no motion can be read off it.
        """
        avatar = self._puppeteer.make_avatar(picture, *further, name=name)
        self._puppeteer.set_avatar(avatar)
        self._head = None
        self._board.update(avatar=name)
        return avatar

    def calibrate(self, motion: Motion | None) -> None:
        """Make this the first motion, or the next frame's, framed anew. To be ordered.

        Raises:
            ValueError: the motion is not usable.
        """
        self._driver.calibrate(self._puppeteer, motion)

    def search(self, seconds: float) -> None:
        """Look for the best reference for so long, then take it. To be ordered."""
        self._driver.search(time.perf_counter() + seconds)

    def _avatar_finder(self) -> FindsFaces | None:
        return self._faces() if self.settings.camera.auto_framing else None

    def _faces(self) -> FindsFaces:
        if self._finder is None:
            self._finder = self._open_finder()
        return self._finder

    def _render(self, frame: Frame) -> Shot:
        avatar = self._puppeteer.avatar
        if avatar is None:
            return Shot(frame, None, None)
        if isinstance(frame, Performed):
            return Shot(frame, None, self._perform(frame, avatar))
        return self._drive(frame, avatar)

    def _account(self, shot: Shot) -> None:
        now = time.perf_counter()
        if self._puppeteer.notice != self._notice:
            self._tell_engines()
        self._driver.judge(self._puppeteer, now, is_driving=shot.square is not None and shot.rendered is not None)
        self._board.add_inferred(shot, self._driver.face, now)

    def _tell_engines(self) -> None:
        """What runs, and what went wrong with what should have run."""
        self._board.update(model=self._puppeteer.description)
        self._notice = self._puppeteer.notice
        if self._notice is not None:
            self._board.note(self._notice)

    def _perform(self, frame: Performed, avatar: Avatar) -> Rendered:
        """The pose decides; a calibration is due when pictures come again."""
        if self._head is None:
            self._head = Head(avatar.motion, self._puppeteer.part_names)
            self._puppeteer.calibrate(avatar.motion)
            self._driver.renew()
        posed = Frame(avatar.image, frame.index, frame.captured_at)
        # There is no driver's picture to swap parts with.
        settings = self.settings.live.model_copy(update={"swap": ()})
        return self._puppeteer.animate(self._head.posed(frame.pose), posed, settings)

    def _drive(self, frame: Frame, avatar: Avatar) -> Shot:
        settings, puppeteer = self.settings, self._puppeteer
        self._head = None
        square, cropped, read, driving = self._driver.read(puppeteer, frame, avatar, settings)
        rendered = puppeteer.animate(driving, cropped, settings.live)
        return Shot(frame, square, _with_time(rendered, "segmenter", self._driver.reading_s), read)


def _with_time(rendered: Rendered, stage: str, seconds: float) -> Rendered:
    return replace(rendered, seconds={stage: seconds, **rendered.seconds})
