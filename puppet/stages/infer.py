"""The inference thread: holds the model, reads the driver's motion off each frame, and renders the avatar."""

from __future__ import annotations

import logging
import math
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from puppet import avatar_pictures, images
from puppet.calibration import Calibrator, FaceState, FaceWatch, judge
from puppet.framer import Framer
from puppet.motion import is_usable
from puppet.smoothing import Smoother
from puppet.sources.base import Performed
from puppet.sources.head import Head
from puppet.stages.orders import Orders
from puppet.state import Shot
from puppet.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from puppet.avatar import Avatar
    from puppet.framing import FindsFaces, Square
    from puppet.latest import Latest
    from puppet.settings import LiveSettings, Settings
    from puppet.state import Board
    from puppet.types import Image, Motion, Rendered

log = logging.getLogger(__name__)

JUDGE_S = 0.1
"""How often the driver's pose is judged."""


class Model(Protocol):
    """What the thread needs of a `Puppeteer`."""

    description: str
    notice: str | None
    size: int
    part_names: tuple[str, ...]
    avatar: Avatar | None
    first: Motion | None

    def make_avatar(self, image: Image, name: str) -> Avatar:
        """Read a picture."""
        ...

    def set_avatar(self, avatar: Avatar) -> None:
        """Drive this one from now on."""
        ...

    def side(self, settings: LiveSettings) -> int:
        """Of the pictures that it renders."""
        ...

    def calibrate(self, motion: Motion | None) -> None:
        """Count relative motion from here."""
        ...

    def read(self, image: Image) -> Motion:
        """The motion of a picture."""
        ...

    def animate(self, driving: Motion, frame: Frame, settings: LiveSettings) -> Rendered:
        """The avatar, moved."""
        ...

    def __enter__(self) -> Self:
        """It holds resources."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Free them."""
        ...


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
        self._framer = Framer(self._faces)
        self._calibrator = Calibrator()
        self._smoother = Smoother()
        self._head: Head | None = None
        self._calibrated = 0
        self._has_face: bool | None = None
        self._face = FaceState()
        self._face_watch = FaceWatch()
        self._judged_at = -math.inf

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
        self._framer.renew()
        self._calibrator.ask()
        self._smoother.reset()
        self._board.update(model=self._puppeteer.description, avatar=None)

    def frame_avatar(self, path: Path) -> tuple[Image, Square]:
        """See `avatar_pictures.read_framed`. To be ordered."""
        return avatar_pictures.read_framed(path, self._avatar_finder())

    def load_avatar(self, path: Path, square: Square | None) -> Avatar:
        """Make a part of a picture file the avatar; see `avatar_pictures.read_cut`. To be ordered."""
        return self.set_avatar(avatar_pictures.read_cut(path, square, self._avatar_finder()), path.name)

    def set_avatar(self, image: Image, name: str) -> Avatar:
        """Make a picture, uint8 (H, H, 3) RGB and framed, the avatar. To be ordered.

        Raises:
            AvatarError: no motion can be read off it.
        """
        avatar = self._puppeteer.make_avatar(image, name)
        self._puppeteer.set_avatar(avatar)
        self._head = None
        self._board.update(avatar=name)
        return avatar

    def calibrate(self, motion: Motion | None) -> None:
        """Make this the first motion, or the next frame's, framed anew. To be ordered.

        Raises:
            ValueError: the motion is not usable.
        """
        if motion is None:
            self._framer.renew()
            self._calibrator.ask()
        else:
            self._puppeteer.calibrate(motion)
            self._calibrator.settle()
            self._count_calibration()

    def search(self, seconds: float) -> None:
        """Look for the best reference for so long, then take it. To be ordered."""
        self._calibrator.search(time.perf_counter() + seconds)
        self._board.update(is_searching=True)

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
        first, avatar = self._puppeteer.first, self._puppeteer.avatar
        if shot.square is None or shot.rendered is None or first is None or avatar is None:
            self._face = self._face_watch.follow(FaceState(), now)
        elif now - self._judged_at >= JUDGE_S:
            # Not for every frame: it would hold up the thread that presents the picture.
            self._judged_at = now
            judged = judge(shot.rendered.driving, first=first, avatar=avatar.motion)
            self._face = self._face_watch.follow(judged, now)
        self._board.add_inferred(shot, self._face, now)

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
            self._calibrator.ask()
            self._framer.renew()
        posed = Frame(avatar.image, frame.index, frame.captured_at)
        # There is no driver's picture to swap parts with.
        settings = self.settings.live.model_copy(update={"swap": ()})
        return self._puppeteer.animate(self._head.posed(frame.pose), posed, settings)

    def _drive(self, frame: Frame, avatar: Avatar) -> Shot:
        settings, puppeteer = self.settings, self._puppeteer
        self._head = None
        square, has_moved = self._framer.square(frame.image, settings.camera, frame.captured_at)
        if has_moved:
            self._calibrator.ask()
            self._smoother.reset()
        if self._framer.has_face != self._has_face:
            self._has_face = self._framer.has_face
            self._board.update(has_face=self._has_face)
        # Part swap shows the driver's own picture, as large as the output.
        side = puppeteer.side(settings.live) if settings.live.swap else puppeteer.size
        cropped = Frame(images.crop(frame.image, square, size=side, quick=True), frame.index, frame.captured_at)
        started = time.perf_counter()
        driving = puppeteer.read(cropped.image)
        reading = time.perf_counter() - started
        if is_usable(driving):
            driving = self._smoother.smooth(driving, frame.captured_at, settings.camera.smoothing)
            self._choose_first(driving, avatar, frame.captured_at)
        rendered = _with_time(puppeteer.animate(driving, cropped, settings.live), "segmenter", reading)
        return Shot(frame, square, rendered)

    def _choose_first(self, driving: Motion, avatar: Avatar, now: float) -> None:
        was_searching = self._calibrator.is_searching
        first = self._calibrator.choose(driving, avatar.motion, now, is_auto=self.settings.camera.auto_calibrate)
        if first is not None:
            self._puppeteer.calibrate(first)
            self._count_calibration()
        if was_searching and not self._calibrator.is_searching:
            self._board.update(is_searching=False)

    def _count_calibration(self) -> None:
        self._calibrated += 1
        self._board.update(calibrated=self._calibrated)


def _with_time(rendered: Rendered, stage: str, seconds: float) -> Rendered:
    return replace(rendered, seconds={stage: seconds, **rendered.seconds})
