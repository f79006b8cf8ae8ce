"""The flags of `live`, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from engines import backends
from puppet import config, motion_options, swap_options
from puppet.errors import ConfigError, PuppetError, SourceError
from puppet.loading import silently
from puppet.settings import CameraSettings, LiveSettings, OutputSettings, Settings
from puppet.sinks.base import OutputMode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from puppet.puppeteer import Puppeteer
    from puppet.sinks.base import Sink
    from puppet.sources.base import Source

FIRST_FREE = ""
"""As `--virtual-camera` without a device."""
SMALLEST, LARGEST = 64, 4096
"""Pixels of a side of the output."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of `live`."""
    add = parser.add_argument
    add("--no-window", action="store_true", help="run without a window until Ctrl-C, with a status line")
    add("--list-cameras", action="store_true", help="say which cameras there are, and end")
    add("--camera", metavar="NAME|FILE|scripted", help="camera by name or path, a video file (looped), or scripted")
    add("--avatar", type=Path, metavar="PICTURE", help="picture or short clip to drive (a bundled one)")
    add(
        "--virtual-camera",
        nargs="?",
        const=FIRST_FREE,
        metavar="DEVICE",
        help="show the result in a virtual camera (the first free one)",
    )
    add("--record", type=Path, metavar="OUT.mp4", help="record the result: .mp4, .mov or .mkv")
    add("--force", action="store_true", help="replace OUT.mp4 if it is there")
    add("--seconds", type=float, metavar="N", help="end after so long")
    add("--model", type=Path, default=config.DEFAULT_MODEL, metavar="DIR", help="model folder (the bundled one)")
    add("--backend", default="auto", help=f"{', '.join(backends.names())}, or auto: measured once, then remembered")
    add(
        "--precision",
        choices=("auto", "fp32", "fp16", "bf16", "int8"),
        default="auto",
        help="arithmetic; auto as --backend",
    )
    add("--threads", type=int, default=0, metavar="N", help="CPU threads (0: the backend's choice)")
    add("--light", action="store_true", help="the smaller of the bundled models, even if there is time for the larger")
    add("--rebuild", action="store_true", help="build TensorRT engines first, where some are missing or do not fit")
    add("--capture", default="1280x720@30", metavar="WxH@FPS", help="asked of the camera (1280x720@30)")
    add("--canvas", default="1280x720@30", metavar="WxH@FPS", help="size of the output, constant (1280x720@30)")
    _add_setting_arguments(parser)


def open_source(wanted: str | None, mode: OutputMode) -> Source:
    """The source that a flag means.

    Args:
        wanted: a camera's name, path or number, a video file, or scripted; None is the first camera.
        mode: asked of a camera.

    Raises:
        SourceError: there is no such camera or file.
    """
    from puppet.sources.cameras import describe, find_camera, first_real, list_cameras

    if wanted == config.SCRIPTED:
        from puppet.sources.performed import Performance

        return Performance()
    if wanted is not None and is_file_name(wanted):
        from puppet.sources.looped import LoopedVideo

        return LoopedVideo(Path(wanted))
    from puppet.sources.camera import Camera

    cameras = list_cameras()
    info = first_real(cameras) if wanted is None else find_camera(wanted, cameras)
    if info is None:
        virtual = f" ({describe(cameras)}: name it if you want it)" if cameras else ""
        raise SourceError(f"{describe([])}{virtual}")
    return Camera(info, width=mode.width, height=mode.height, fps=mode.fps)


def is_file_name(wanted: str) -> bool:
    """A name that ends like a file's is one, there or not; what lies in /dev is a device."""
    path = Path(wanted)
    return not wanted.startswith("/dev/") and (path.is_file() or (bool(path.suffix) and path.suffix[1:].isalnum()))


def open_puppeteer(chosen: argparse.Namespace, *, step: Callable[[str], None] = silently) -> Puppeteer:
    """Load the model; `step` is told what is done next, and may raise to end it.

    Raises:
        EngineError: it cannot be loaded, or the backend is not usable here.
        PuppetError: the model cannot make pictures of the size asked for.
    """
    from engines.backends.base import BackendSettings
    from engines.model_folder import ModelFolder
    from puppet import choosing
    from puppet.puppeteer import Puppeteer

    model = ModelFolder.read(chosen.model)
    if chosen.backend == chosen.precision == "auto":
        puppeteer = choosing.open_measured(model, threads=chosen.threads, is_light=chosen.light, step=step)
    else:
        settings = BackendSettings(threads=chosen.threads, precision=chosen.precision)
        puppeteer = Puppeteer(model, backend=chosen.backend, engine_settings=settings, step=step)
    try:
        puppeteer.check_size(chosen.size or 0)
    except PuppetError:
        puppeteer.close()
        raise
    return puppeteer


def sinks(chosen: argparse.Namespace) -> list[Sink]:
    """Where pictures shall go from the start; nothing is opened yet."""
    chosen_sinks: list[Sink] = []
    if chosen.virtual_camera is not None:
        from puppet.sinks.virtual_camera import VirtualCamera

        chosen_sinks.append(VirtualCamera(chosen.virtual_camera or None))
    return chosen_sinks


def recorder(chosen: argparse.Namespace) -> Sink | None:
    """The recording that is wanted; nothing is opened yet.

    Raises:
        SinkError: no video may be written to the name given.
    """
    if chosen.record is None:
        return None
    from puppet import provenance
    from puppet.sinks.recorder import Recorder

    return Recorder(chosen.record, kind=provenance.kind_of(is_mixed=bool(chosen.swap)), force=chosen.force)


def _add_setting_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--mode", choices=("relative", "absolute"), default="relative", help="relative (default): your movements")
    sizes = [size for size in get_args(LiveSettings.model_fields["size"].annotation) if size != "auto"]
    add("--size", type=int, choices=sizes, help="side of the avatar's picture, pixels (measured once, then remembered)")
    add("--strength", type=float, default=1.0, metavar="X", help="size of the movements in relative motion, 0 to 2")
    motion_options.add_arguments(parser)
    add("--smoothing", type=float, default=0.5, metavar="X", help="calms trembling, 0 (off) to 1 (0.5)")
    add(
        "--swap", nargs="+", default=[], metavar="PART", help="take only these parts from the avatar, such as hair,lips"
    )
    swap_options.add_arguments(parser)
    add("--crop", choices=("auto", "none"), default="auto", help="auto (default) finds the face; none: the middle")
    add("--no-follow", action="store_true", help="leave the crop where the face was found, wherever the head goes")
    add("--recalibrate", action="store_true", help="pass to a much better reference whenever there is one")
    add("--fit", choices=("centre", "fill"), default="centre", help="of the avatar in the output")
    add("--background", default="blur", metavar="blur|R,G,B|PICTURE", help="beside the avatar (blur)")
    add("--mirror", action="store_true", help="turn left and right round in the output")
    add("--no-badge", action="store_true", help="leave out the sign that the picture is made by AI")


def settings(chosen: argparse.Namespace) -> Settings:
    """What may be changed later, as the flags have it.

    Raises:
        ConfigError: a value is out of range.
    """
    from pydantic import ValidationError

    try:
        return Settings(
            live=LiveSettings(
                mode=chosen.mode,
                strength=chosen.strength,
                **motion_options.chosen(chosen),
                **_given(size=chosen.size),
                **_swap(chosen),
            ),
            camera=CameraSettings(
                auto_framing=chosen.crop == "auto",
                follow_head=not chosen.no_follow,
                smoothing=chosen.smoothing,
                auto_recalibrate=chosen.recalibrate,
            ),
            output=OutputSettings(
                fit=chosen.fit, mirror=chosen.mirror, badge=not chosen.no_badge, **_background(chosen.background)
            ),
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = "--background" if first["loc"][0] == "colour" else f"--{str(first['loc'][0]).replace('_', '-')}"
        raise ConfigError(f"{name} {first['input']!r}: {first['msg'].lower()}") from error


def _given(**flags: Any) -> dict[str, Any]:
    return {name: value for name, value in flags.items() if value is not None}


def _swap(chosen: argparse.Namespace) -> dict[str, Any]:
    """What the flags say of part swap.

    Raises:
        ConfigError: the model has no such part.
        EngineError: the model's names cannot be read.
    """
    values = {name: getattr(chosen, name) for name in LiveSettings.model_fields if name.startswith("swap_")}
    wanted = tuple(name for entry in chosen.swap for name in entry.split(",") if name)
    if wanted:
        from engines.model_folder import ModelFolder

        values["swap"] = swap_options.select_parts(
            wanted, swap_options.swappable(ModelFolder.read(chosen.model).spec.part_names)
        )
    return values


def _background(text: str) -> dict[str, Any]:
    if text == "blur":
        return {}
    parts = text.split(",")
    if len(parts) == 3 and all(part.strip().isdecimal() for part in parts):
        return {"background": "colour", "colour": tuple(int(part) for part in parts)}
    if not Path(text).is_file():
        raise ConfigError(
            f"--background {text!r}: write blur, a colour as R,G,B, or the name of a picture that is there"
        )
    return {"background": "picture", "picture": Path(text)}


def mode(flag: str, text: str) -> OutputMode:
    """Read WIDTHxHEIGHT, with @FPS if it is not to be 30."""
    size, _, rate = text.partition("@")
    width, _, height = size.partition("x")
    try:
        read = OutputMode(int(width), int(height), float(rate or 30))
    except ValueError as error:
        raise ConfigError(f"{flag} {text!r}: write it as 1280x720@30") from error
    sides = (read.width, read.height)
    if min(sides) < SMALLEST or max(sides) > LARGEST or any(side % 2 for side in sides) or not 1 <= read.fps <= 120:
        raise ConfigError(f"{flag} {text!r}: sides are even and {SMALLEST} to {LARGEST} pixels, the rate is 1 to 120")
    return read
