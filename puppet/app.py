"""The command line: what was asked for becomes a run, and a failure becomes one sentence."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from engines import backends
from engines.errors import EngineError
from puppet import config, logs, motion_options, swap_options
from puppet.errors import PuppetError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from puppet.render import Report

log = logging.getLogger(__name__)

BAD_INPUT = 2
UNEXPECTED = 1
SIGNALLED = 128
"""Plus the signal's number, as shells do: 130 after Ctrl-C."""
DEMO_FOLDER = Path("out")
NO_SCREEN = "there is no screen for the window; add --no-window"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        arguments: instead of the process's own.

    Returns:
        Exit code: 0, 1 for a failure that nobody foresaw, 2 for input that cannot be used, 130 after Ctrl-C.
    """
    chosen = _parser().parse_args(arguments)
    logs.setup(verbose="verbose" in chosen)
    try:
        return int(chosen.run(chosen))
    except (PuppetError, EngineError) as error:
        log.info("traceback", exc_info=True)
        _say(f"error: {error}")
        return BAD_INPUT
    except KeyboardInterrupt:
        _say("interrupted")
        return SIGNALLED + 2
    except BrokenPipeError:
        # Whoever read the output (`| head`) has gone; there is nobody left to tell.
        return UNEXPECTED
    except Exception as error:
        log.info("traceback", exc_info=True)
        _say(f"error: {type(error).__name__}: {error}; this is a fault of the program, --verbose shows where")
        return UNEXPECTED


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line instead of repeating the usage; declares expensive flags only when used."""

    declare: Callable[[argparse.ArgumentParser], None] | None = None

    def parse_known_args(self, *arguments: Any, **options: Any) -> Any:
        declare, self.declare = self.declare, None
        if declare is not None:
            declare(self)
        return super().parse_known_args(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"error: {message}; {self.prog} --help shows what there is\n")


def _parser() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    # No default here: the sub-command's would undo a flag given before it.
    common.add_argument(
        "--verbose", action="store_true", default=argparse.SUPPRESS, help="show what is done, and tracebacks"
    )
    parser = _Parser(prog="puppet", description="One avatar picture moves as you do.", parents=[common])
    parser.set_defaults(run=_start)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    render = commands.add_parser("render", parents=[common], help="animate a picture with a video, into a video file")
    _add_render_arguments(render)
    render.set_defaults(run=_render)
    bench = commands.add_parser("bench", parents=[common], help="measure how fast a model runs here")
    bench.declare = _add_bench_arguments
    live = commands.add_parser("live", parents=[common], help="drive a picture with the camera, in a window")
    _add_live_arguments(live)
    doctor = commands.add_parser("doctor", parents=[common], help="say what is there and what is missing")
    doctor.add_argument("--measure", action="store_true", help="find anew which backend and size suit this machine")
    doctor.add_argument("--model", type=Path, default=config.DEFAULT_MODEL, metavar="DIR", help="model folder")
    doctor.set_defaults(run=_doctor)
    return parser


def _add_render_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--avatar", type=Path, required=True, metavar="PICTURE", help="picture to animate, or a short clip of one face")
    add(
        "--driving",
        required=True,
        metavar="VIDEO",
        help="video whose motion it takes, or scripted[:SECONDS] for a performance of our own",
    )
    add("--output", type=Path, required=True, metavar="OUT.mp4", help="video to write: .mp4, .mov or .mkv")
    add("--force", action="store_true", help="replace the output if it is there")
    add("--side-by-side", action="store_true", help="show driving video, avatar and result next to each other")
    add(
        "--size",
        type=int,
        metavar="256|512|768|1024",
        help="side of the picture, pixels; above the model's own (default), detail comes from the avatar picture",
    )
    add("--overlay", choices=("parts",), help="paint the parts over the result")
    _add_model_arguments(parser.add_argument_group("model"))
    _add_motion_arguments(parser.add_argument_group("motion"))
    _add_framing_arguments(parser.add_argument_group("framing"))


def _add_model_arguments(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--model", type=Path, default=config.DEFAULT_MODEL, metavar="DIR", help="model folder (default: the bundled)")
    add(
        "--backend",
        default="auto",
        help=f"{', '.join(backends.names())}, or auto: the first of them that is usable here",
    )
    add("--threads", type=int, default=0, metavar="N", help="CPU threads (default: the backend's choice)")
    add("--light", action="store_true", help="the smaller of the bundled models: faster, not as good")


def _add_motion_arguments(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--mode",
        choices=("relative", "absolute"),
        default="relative",
        help="relative: the driver's movements from the avatar's own pose (default); absolute: the driver's pose",
    )
    add("--strength", type=float, default=1.0, metavar="X", help="size of the movements in relative motion, 0 to 2")
    add("--masks", choices=("driving", "avatar"), help="whose masks say which pixels move with a part")
    motion_options.add_arguments(group)
    add("--smoothing", type=float, default=0.0, metavar="X", help="calms trembling as live does, 0 (off, default) to 1")
    add(
        "--reference",
        default="first",
        metavar="first|best|N",
        help="frame of the driving video that counts as the avatar's own pose: its first (default), the one most like "
        "the avatar, or frame N from 0",
    )
    add(
        "--swap",
        nargs="+",
        default=[],
        metavar="PART",
        help="take only these parts from the avatar, into the driving video: names or words in them, such as hair,lips",
    )
    swap_options.add_arguments(group)


def _add_framing_arguments(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--crop",
        default="auto",
        metavar="auto|none|X,Y,W,H",
        help="part of the driving video to use: around the face (default), the centre, or this, in pixels",
    )
    add(
        "--avatar-crop",
        metavar="auto|none|X,Y,W,H",
        help="the same of the avatar picture (default: none if --crop is none, else auto)",
    )


def _add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    from puppet import bench

    bench.add_arguments(parser)
    parser.set_defaults(run=bench.run)


def _add_live_arguments(parser: argparse.ArgumentParser) -> None:
    from puppet import live_options

    live_options.add_arguments(parser)
    parser.set_defaults(run=_live)


def _render(chosen: argparse.Namespace) -> int:
    values = {key: value for key, value in vars(chosen).items() if key not in ("run", "verbose")}
    values["crop"] = config.parse_crop(chosen.crop, flag="--crop")
    values["avatar_crop"] = _avatar_crop(chosen)
    values["reference"] = config.parse_reference(chosen.reference)
    values["swap"] = tuple(name for entry in chosen.swap for name in entry.split(",") if name)
    return _render_and_tell(config.render_config(values))


def _avatar_crop(chosen: argparse.Namespace) -> object:
    if chosen.avatar_crop is None:
        return "none" if chosen.crop == "none" else "auto"
    return config.parse_crop(chosen.avatar_crop, flag="--avatar-crop")


def _render_and_tell(wanted: config.RenderConfig) -> int:
    from puppet.render import render

    report = render(wanted)
    _tell(_summary(report))
    return 0 if report.signal is None else SIGNALLED + report.signal


def _summary(report: Report) -> str:
    held = f", {report.held} of them held because their motion was unusable" if report.held else ""
    if report.frames == 0:
        return "interrupted before the first frame; nothing was written"
    ended = "interrupted; what was rendered is in" if report.signal is not None else "done:"
    return f"{ended} {report.path} ({report.frames} frames{held}, {report.fps:.1f} fps)"


def _doctor(chosen: argparse.Namespace) -> int:
    from puppet.doctor import examine

    rows, is_ready = examine(chosen.model, measure=chosen.measure)
    width = max(len(name) for name, _ in rows)
    for name, finding in rows:
        _tell(f"{name:{width}}  {finding}")
    return 0 if is_ready else UNEXPECTED


def _live(chosen: argparse.Namespace) -> int:
    if chosen.rebuild:
        from puppet import engine_builds

        engine_builds.build_now(chosen.model)
    if chosen.no_window or chosen.list_cameras:
        from puppet import live

        return live.run(chosen)
    if not config.has_screen():
        raise PuppetError(NO_SCREEN)
    return _open_window(chosen)


def _open_window(chosen: argparse.Namespace) -> int:
    try:
        from puppet.gui import application
    except ImportError as error:
        raise PuppetError(f"the window cannot be opened ({error}); tools/check_qt.py says what Qt lacks") from error
    return application.run(chosen)


def _start(chosen: argparse.Namespace) -> int:
    """No command: the window where there is a screen, else a demonstration without one."""
    if config.has_screen():
        return _open_window(_parser().parse_args(["live"]))
    avatar = config.default_avatar()
    output = DEMO_FOLDER / f"{avatar.stem}.mp4"
    _say(f"demonstration: {avatar.name} with a scripted performance; python main.py --help shows more")
    values = {"avatar": avatar, "driving": config.SCRIPTED, "output": output, "force": True}
    values["model"] = config.DEFAULT_MODEL
    return _render_and_tell(config.render_config(values))


def _tell(text: str) -> None:
    """What was asked for: stdout."""
    sys.stdout.write(f"{text}\n")


def _say(text: str) -> None:
    """What happens meanwhile: stderr."""
    sys.stderr.write(f"{text}\n")
