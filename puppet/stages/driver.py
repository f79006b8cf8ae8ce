"""What becomes of the driver's pictures: framed, read, calmed, calibrated, judged, and at rest while he is away."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

from puppet import images
from puppet.calibration import Calibrator, FaceState, FaceWatch, judge
from puppet.easing import Glide, Rest
from puppet.framer import Framer
from puppet.motion import is_usable
from puppet.smoothing import Smoother
from puppet.types import Frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from puppet.avatar import Avatar
    from puppet.framing import FindsFaces, Square
    from puppet.settings import Settings
    from puppet.stages.model import Model
    from puppet.state import Board
    from puppet.types import Motion

JUDGE_S = 0.1
"""How often the driver's pose is judged."""


class Reading(NamedTuple):
    """What became of one frame."""

    square: Square
    """The part of it that the model saw."""
    frame: Frame
    """That part."""
    read: Motion
    """As the model read it."""
    driving: Motion
    """To show: calmed, or at rest."""


class Driver:
    """Belongs to the inference thread; the model is lent to each call."""

    def __init__(self, open_finder: Callable[[], FindsFaces], board: Board) -> None:
        """Take what finds faces, opened when it is first needed, and where its state is shown."""
        self.face = FaceState()
        """As the user is told."""
        self._board = board
        self._framer = Framer(open_finder)
        self._calibrator = Calibrator()
        self._smoother = Smoother()
        self._rest = Rest()
        self._glide: Glide | None = None
        self._driving: Motion | None = None
        self._judged = FaceState()
        self._watch = FaceWatch()
        self._judged_at = -math.inf
        self._calibrated = 0
        self._has_face: bool | None = None
        self.reading_s = 0.0
        """How long the model took to read the last frame."""

    def calibrate(self, model: Model, motion: Motion | None) -> None:
        """Make this the first motion, or the next frame's, framed anew.

        Raises:
            ValueError: the motion is not usable.
        """
        self._glide = None
        if motion is None:
            self._framer.renew()
            self._calibrator.ask()
        else:
            model.calibrate(motion)
            self._calibrator.settle()
            self._count_calibration()

    def search(self, until: float) -> None:
        """Look for the best reference until that time, seconds, then take it."""
        self._calibrator.search(until)
        self._board.update(is_searching=True)

    def renew(self) -> None:
        """Another model or something else drives the avatar; when pictures come again, a calibration is due."""
        self._glide = self._driving = None
        self._judged = FaceState()
        self._rest = Rest()
        self._calibrator.renew()
        self._smoother.reset()
        self._framer.renew()

    def read(self, model: Model, frame: Frame, avatar: Avatar, settings: Settings) -> Reading:
        """Frame the driver, read the motion, and calm it."""
        square, has_moved = self._framer.square(frame.image, settings.camera, frame.captured_at)
        if has_moved:
            self._calibrator.ask()
            self._smoother.reset()
        if self._framer.has_face != self._has_face:
            self._has_face = self._framer.has_face
            self._board.update(has_face=self._has_face)
        # Part swap shows the driver's own picture, as large as the output.
        side = model.side(settings.live) if settings.live.swap else model.size
        cropped = Frame(images.crop(frame.image, square, size=side, quick=True), frame.index, frame.captured_at)
        started = time.perf_counter()
        read = driving = model.read(cropped.image)
        self.reading_s = time.perf_counter() - started
        if is_usable(read):
            driving = self._smoother.smooth(read, frame.captured_at, settings.camera.smoothing)
            self._choose_first(model, driving, avatar, now=frame.captured_at, settings=settings)
        self._driving = driving
        shown = self._forgive(model, driving, avatar, now=frame.captured_at, settings=settings)
        return Reading(square, cropped, read, shown)

    def judge(self, model: Model, now: float, *, is_driving: bool) -> None:
        """See how the driver stands to the first motion; not for every frame: it would hold up the next thread."""
        first, avatar = model.first, model.avatar
        if not is_driving or self._driving is None or first is None or avatar is None:
            self._judged = FaceState()
            self.face = self._watch.follow(self._judged, now)
        elif now - self._judged_at >= JUDGE_S:
            self._judged_at = now
            self._judged = judge(self._driving, first=first, avatar=avatar.motion)
            self.face = self._watch.follow(self._judged, now)

    def _forgive(self, model: Model, driving: Motion, avatar: Avatar, *, now: float, settings: Settings) -> Motion:
        """Follow the head with the square, and let the avatar rest while there is none."""
        if model.first is None:
            return driving
        self._framer.follow(driving, model.first, is_lost=self._judged.is_lost, now=now)
        rest = model.first if settings.live.mode == "relative" else avatar.motion
        # In the driver's own picture nothing can rest while he is not there.
        is_own = bool(settings.live.swap) and not settings.live.swap_inverse
        is_lost = self._judged.is_lost and settings.camera.ease_to_rest and not is_own
        return self._rest.follow(driving, rest, is_lost=is_lost, now=now)

    def _choose_first(self, model: Model, driving: Motion, avatar: Avatar, *, now: float, settings: Settings) -> None:
        was_searching, camera = self._calibrator.is_searching, settings.camera
        first = self._calibrator.choose(
            driving, avatar.motion, now, is_auto=camera.auto_calibrate, is_lasting=camera.auto_recalibrate
        )
        if first is not None:
            self._glide = None
            if self._calibrator.is_gentle and model.first is not None:
                self._glide = Glide(model.first, first, now)
            else:
                model.calibrate(first)
            self._count_calibration()
        if self._glide is not None:
            reference, is_there = self._glide.at(now)
            model.calibrate(reference)
            self._glide = None if is_there else self._glide
        if was_searching and not self._calibrator.is_searching:
            self._board.update(is_searching=False)

    def _count_calibration(self) -> None:
        self._calibrated += 1
        self._board.update(calibrated=self._calibrated)
