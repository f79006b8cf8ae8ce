"""The way in from Python: load a model, set an avatar, render frame by frame."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from engines.backends.base import BackendSettings
from engines.faces import FaceFinder
from engines.model_folder import BUNDLED, ModelFolder
from puppet import avatar_pictures, framing, images
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.sources.video_file import is_video
from puppet.types import Frame

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from puppet.framing import Square
    from puppet.types import Image

MOST_SIDE = 1024
"""Pixels of the avatar that are kept."""


class Animator:
    """A loaded model. Use it from one thread; `close` it, or use `with`."""

    settings: LiveSettings
    """How motion is carried over; replace it at any time."""

    def __init__(self, model: Path | str | None = None, *, backend: str = "auto", threads: int = 0) -> None:
        """See `puppet.load`."""
        folder = ModelFolder.read(BUNDLED if model is None else model)
        self.puppeteer = Puppeteer(folder, backend=backend, engine_settings=BackendSettings(threads=threads))
        self.settings = LiveSettings()
        self._finder: FaceFinder | None = None
        self._crop: Square | None = None
        self._shape: tuple[int, ...] = ()
        self._index = 0

    def set_avatar(self, picture: Path | str | Image) -> None:
        """Take the avatar that is driven from now on.

        Args:
            picture: a file, or uint8 (H, W, 3) RGB. A square array is taken as framed; otherwise the face is found.
                Of a video file, several frames become views: teeth, closed lids and the sides of the head are then
                the avatar's own.

        Raises:
            AvatarError: the picture cannot be read, or the model finds no motion in it.
            SourceError: the video cannot be read.
        """
        if isinstance(picture, (str, Path)) and is_video(Path(picture)):
            views = avatar_pictures.read_views(Path(picture), None, self._find_faces(), read=self.puppeteer.read)
            self.puppeteer.set_avatar(self.puppeteer.make_avatar(*views, name=Path(picture).name))
            return
        name = "avatar" if not isinstance(picture, (str, Path)) else Path(picture).name
        whole = images.read_picture(Path(picture)) if isinstance(picture, (str, Path)) else picture
        is_framed = whole is picture and whole.shape[0] == whole.shape[1]
        if not is_framed:
            square = framing.frame_picture(whole, self._find_faces(), name=name)
            # All that a picture of the largest size can show is kept; the model's own copy is made from it.
            whole = images.crop(whole, square, size=max(self.puppeteer.size, min(round(square.side), MOST_SIDE)))
        self.puppeteer.set_avatar(self.puppeteer.make_avatar(whole, name=name))

    def render(self, frame: Image) -> Image:
        """Move the avatar like the person in the frame.

        The first frame is the reference of relative motion. In frames that are not square the face is searched once,
        in the first frame and whenever their size changes.

        Args:
            frame: uint8 (H, W, 3) RGB.

        Returns:
            uint8 (S, S, 3) RGB; S is `settings.size`, or the model's size where that is larger.

        Raises:
            PuppetError: no avatar is set, or the frame is not a picture.
            EngineError: an engine failed.
        """
        if frame.shape != self._shape:
            is_square = frame.shape[0] == frame.shape[1]
            self._crop = None if is_square else framing.frame_picture(frame, self._find_faces(), name="the first frame")
            self._shape = frame.shape
        image = frame if self._crop is None else self._cropped(frame, self._crop)
        numbered = Frame(image, self._index, time.perf_counter())
        self._index += 1
        return self.puppeteer.render(numbered, self.settings).image

    def recalibrate(self) -> None:
        """Let the next frame be the reference of relative motion."""
        self.puppeteer.calibrate(None)
        self._shape = ()

    def close(self) -> None:
        """Free the model; calling it twice is allowed."""
        self.puppeteer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _cropped(self, image: Image, square: Square) -> Image:
        return images.crop(image, square, size=self.puppeteer.size)

    def _find_faces(self) -> FaceFinder:
        if self._finder is None:
            self._finder = FaceFinder()
        return self._finder
