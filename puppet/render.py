"""File mode: an avatar picture and a driving video (or the scripted performance) become a video, frame by frame."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from puppet import avatar_pictures, framing, images, motion_options, overlay, provenance, reference, swap_options
from puppet.errors import ConfigError, PuppetError
from puppet.interruption import Interruption
from puppet.motion import is_usable
from puppet.progress import Progress
from puppet.settings import LiveSettings
from puppet.sinks.video_file import VideoFileSink, refuse
from puppet.smoothing import Smoother
from puppet.sources import scripted
from puppet.sources.video_file import VideoFile, is_video
from puppet.types import Frame, Motion

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from puppet.avatar import Avatar
    from puppet.config import Crop, RenderConfig
    from puppet.puppeteer import Puppeteer
    from puppet.sources.video_file import Clip
    from puppet.types import Image, Rendered

log = logging.getLogger(__name__)


class Report(NamedTuple):
    """What came of a run."""

    path: Path
    frames: int
    fps: float
    """Of the rendering itself, from the first frame to the last."""
    held: int
    """Frames whose motion was unusable, so that the last good one was shown."""
    signal: int | None
    """The signal that ended the run early."""


@dataclass(frozen=True, eq=False)
class _Pictures:
    """What the model will see, framed but not yet read."""

    avatar: Image | None
    """None: the avatar is a clip."""
    avatar_square: framing.Square
    driving: VideoFile | None
    square: framing.Square | None
    """Crop of the driving video."""


def render(config: RenderConfig, *, open_puppeteer: Callable[[RenderConfig], Puppeteer] | None = None) -> Report:
    """Render one video; blocks until it is done or interrupted, and leaves a playable file either way.

    Args:
        config: what to render.
        open_puppeteer: loads the model; instead of the model folder and backend that `config` names.

    Raises:
        PuppetError: a picture, a video or a flag cannot be used, or the output cannot be written.
        EngineError: the model cannot be loaded or failed.
    """
    refuse(config.output, force=config.force)
    performance = scripted.parse(config.driving) if config.is_scripted else None
    pictures = _prepare(config)
    with (open_puppeteer or _open_puppeteer)(config) as puppeteer:
        puppeteer.check_size(config.size or 0)
        settings = _settings(config, puppeteer)
        avatar = _avatar(config, pictures, puppeteer)
        puppeteer.set_avatar(avatar)
        if performance is not None:
            puppeteer.calibrate(avatar.motion)
            moves = performance.motions(avatar, puppeteer.part_names)
            rendered = (puppeteer.animate(motion, frame, settings) for frame, motion in moves)
            return _write(config, rendered, avatar, puppeteer, clip=performance.clip)
        assert pictures.driving is not None
        assert pictures.square is not None
        clip = pictures.driving.clip
        side = puppeteer.side(settings) if settings.swap else puppeteer.size
        frames = _Crops(pictures.driving, pictures.square, size=side)
        if config.mode == "relative":
            puppeteer.calibrate(_first_motion(config, frames, puppeteer, avatar))
        rendered = _drive(puppeteer, frames, settings, smoothing=config.smoothing)
        return _write(config, rendered, avatar, puppeteer, clip=clip)


class _Crops:
    """The framed frames of a video, as often as they are wanted; none is kept."""

    def __init__(self, video: VideoFile, square: framing.Square, *, size: int) -> None:
        self.clip = video.clip
        self._video = video
        self._square = square
        self._size = size

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._video.frames():
            image = images.crop(frame.image, self._square, size=self._size)
            yield Frame(image, frame.index, frame.captured_at)


def _drive(
    puppeteer: Puppeteer, frames: Iterable[Frame], settings: LiveSettings, *, smoothing: float
) -> Generator[Rendered, None, None]:
    """Every frame, exactly as it is read unless it is to be smoothed."""
    smoother = Smoother()
    for frame in frames:
        driving = puppeteer.read(frame.image)
        if is_usable(driving):
            driving = smoother.smooth(driving, frame.captured_at, smoothing)
        yield puppeteer.animate(driving, frame, settings)


def _prepare(config: RenderConfig) -> _Pictures:
    """Read the avatar, open the video, and frame both; the face detector is gone when this returns."""
    is_clip = is_video(config.avatar)
    picture = None if is_clip else images.read_picture(config.avatar)
    samples = VideoFile(config.avatar).sample() if picture is None else iter([picture])
    driving = None if config.is_scripted else VideoFile(Path(config.driving))
    finder: Any = None
    if config.avatar_crop == "auto" or (config.crop == "auto" and driving is not None):
        from engines.faces import FaceFinder

        finder = FaceFinder()
    square = _square(config.avatar_crop, samples, finder, name=str(config.avatar))
    if picture is not None:
        # The model scales once more; this keeps what it can use and frees the rest of a large picture.
        side = max(images.MIN_SIDE, min(round(square.side), avatar_pictures.MOST_SIDE))
        picture = images.crop(picture, square, size=side)
    if driving is None:
        return _Pictures(picture, square, None, None)
    return _Pictures(picture, square, driving, _square(config.crop, driving.sample(), finder, name=config.driving))


def _avatar(config: RenderConfig, pictures: _Pictures, puppeteer: Puppeteer) -> Avatar:
    name = config.avatar.name
    if pictures.avatar is not None:
        return puppeteer.make_avatar(pictures.avatar, name=name)
    views = avatar_pictures.read_views(config.avatar, pictures.avatar_square, None, read=puppeteer.read)
    log.info("%s: %d views", name, len(views))
    return puppeteer.make_avatar(*views, name=name)


def _square(crop: Crop, samples: Iterator[Image], finder: Any, *, name: str) -> framing.Square:
    """What to cut out of pictures like these."""
    if isinstance(crop, framing.Square):
        return crop
    if crop == "none":
        height, width = next(samples).shape[:2]
        return framing.centre_square(width, height)
    return framing.frame_clip(samples, finder, name=name)


def _open_puppeteer(config: RenderConfig) -> Puppeteer:
    from engines.backends.base import BackendSettings
    from engines.model_folder import ModelFolder, larger_sister
    from puppet.puppeteer import Puppeteer

    model = ModelFolder.read(config.model)
    if not config.light:
        model = larger_sister(model) or model  # there is time
    return Puppeteer(model, backend=config.backend, engine_settings=BackendSettings(threads=config.threads))


def _settings(config: RenderConfig, puppeteer: Puppeteer) -> LiveSettings:
    chosen: dict[str, Any] = {"mode": config.mode, "strength": config.strength, **motion_options.chosen(config)}
    if config.masks is not None:
        chosen["masks"] = config.masks
    if config.size is not None:
        chosen["size"] = config.size
    if config.swap:
        names = [name for name in LiveSettings.model_fields if name.startswith("swap_")]
        chosen |= {name: getattr(config, name) for name in names}
        chosen["swap"] = swap_options.select_parts(config.swap, swap_options.swappable(puppeteer.part_names))
    return LiveSettings(**chosen)


def _first_motion(config: RenderConfig, frames: _Crops, puppeteer: Puppeteer, avatar: Avatar) -> Motion | None:
    """The driver's motion from which relative motion counts; None leaves it to the first usable frame."""
    if config.reference == "first":
        return None
    if config.reference == "best":
        with Progress("looking for the best reference frame", total=frames.clip.frames) as progress:
            found = reference.nearest(_read_all(frames, puppeteer, progress), avatar.motion)
        if found is None:
            raise PuppetError(f"no frame of {config.driving} shows a usable motion; give another video or --crop")
        log.info("reference frame: %d", found[0])
        return found[1]
    count = 0
    for frame in frames:
        if frame.index == config.reference:
            return puppeteer.read(frame.image)
        count += 1
    raise ConfigError(f"--reference {config.reference}: {config.driving} has {count} frames, counted from 0")


def _read_all(frames: _Crops, puppeteer: Puppeteer, progress: Progress) -> Iterator[Motion]:
    for frame in frames:
        yield puppeteer.read(frame.image)
        progress.advance()


def _write(
    config: RenderConfig, rendered: Iterator[Rendered], avatar: Avatar, puppeteer: Puppeteer, *, clip: Clip
) -> Report:
    kind = provenance.kind_of(is_mixed=bool(config.swap) or config.side_by_side)
    with (
        VideoFileSink(config.output, clip, force=config.force, kind=kind) as sink,
        Interruption() as interruption,
        Progress("rendering", total=clip.frames) as progress,
    ):
        for result in rendered:
            sink.write(_compose(config, result, avatar), result.frame.captured_at)
            progress.advance()
            if sink.written == 1:
                log.info("the first frame is rendered")
            if interruption.signal is not None:
                break
        fps = progress.fps
        sink.close(complete=interruption.signal is None)
    return Report(config.output, sink.written, fps, puppeteer.held, interruption.signal)


def _compose(config: RenderConfig, result: Rendered, avatar: Avatar) -> Image:
    """What is shown: the result, with parts painted over it and what it came from beside it, if asked for."""
    image = result.image
    if config.overlay == "parts":
        if result.target.segmentation is None:
            raise ConfigError("--overlay parts: this model has no masks to show; leave it out")
        image = overlay.paint_parts(image, result.target.segmentation)
    if not config.side_by_side:
        return image
    before = [avatar.image] if config.is_scripted else [result.frame.image, avatar.image]
    return images.side_by_side([*before, image])
