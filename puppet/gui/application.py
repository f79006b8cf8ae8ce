"""Starts the window: saved settings and flags become a pipeline and what shows it, and the end is put in order."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QtMsgType, qInstallMessageHandler
from PyQt6.QtWidgets import QApplication

from engines.errors import EngineError
from engines.model_folder import ModelFolder
from puppet import config, live_options, saved_settings
from puppet.errors import ConfigError, PuppetError
from puppet.gui import icons, screen, style
from puppet.gui.models import Opener
from puppet.gui.start import Start
from puppet.gui.window import Window
from puppet.interruption import Interruption
from puppet.pipeline import Pipeline
from puppet.settings import Settings
from puppet.sinks.virtual_camera import VirtualCamera

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from PyQt6.QtCore import QMessageLogContext

    from puppet.gui.commands import Commands
    from puppet.loading import Loading
    from puppet.puppeteer import Puppeteer
    from puppet.saved_settings import SavedSettings

log = logging.getLogger(__name__)

LEVELS = {
    QtMsgType.QtWarningMsg: logging.INFO,
    QtMsgType.QtCriticalMsg: logging.WARNING,
    QtMsgType.QtFatalMsg: logging.ERROR,
}
"""Qt's own warnings are seldom something that a user could mend."""


def run(chosen: argparse.Namespace) -> int:
    """Show the window until it is closed; returns the exit code.

    Raises:
        PuppetError: a flag cannot be used, or what ended the pipeline.
        EngineError: the model cannot be loaded, or failed.
    """
    screen.require()
    path = saved_settings.default_path()
    saved, sentence = saved_settings.load(path)
    capture = live_options.mode("--capture", chosen.capture)
    settings = merged(saved.settings, live_options.settings(chosen))
    opener, model_sentence = _opener(chosen, saved)
    pipeline = Pipeline(opener, settings=settings, mode=live_options.mode("--canvas", chosen.canvas), is_patient=True)
    qInstallMessageHandler(_forward)
    application = _application()
    application.setApplicationName("Puppet")
    application.setDesktopFileName("puppet")
    application.setWindowIcon(icons.program_icon())
    style.apply(application)
    with Interruption() as interruption:
        ends_at = time.perf_counter() + chosen.seconds if chosen.seconds else None
        start = Start(
            saved=saved,
            avatar=_first_avatar(chosen.avatar, saved),
            avatars=config.avatars(),
            source=chosen.camera,
            capture=capture,
            sentence=sentence or model_sentence,
            opener=opener,
            offers_engines=chosen.backend == chosen.precision == "auto",
            should_end=lambda: interruption.signal is not None or _is_over(ends_at),
            when_ready=lambda commands: _begin(commands, chosen),
        )
        _show(pipeline, start, path)
    return 0


def merged(saved: Settings, flags: Settings) -> Settings:
    """The saved settings, with what the flags set to something else than the default."""
    default, groups = Settings(), {}
    for group in Settings.model_fields:
        old, new, plain = (getattr(each, group) for each in (saved, flags, default))
        changes = {
            name: getattr(new, name) for name in type(new).model_fields if getattr(new, name) != getattr(plain, name)
        }
        groups[group] = old.model_copy(update=changes)
    return saved.model_copy(update=groups)


def _application() -> QApplication:
    there = QApplication.instance()
    return there if isinstance(there, QApplication) else QApplication(["puppet"])


def _show(pipeline: Pipeline, start: Start, path: Path) -> None:
    window = Window(pipeline, start)
    hook, sys.excepthook = sys.excepthook, _hook(window.commands.say)
    try:
        window.restore()
        window.show()
        log.info("the window is there")
        pipeline.start()
        if not start.saved.has_agreed:
            window.greet()
        QApplication.exec()
    finally:
        sys.excepthook = hook
        _remember(window.saved(), path)
        pipeline.stop()


def _begin(commands: Commands, chosen: argparse.Namespace) -> None:
    """What the flags want as soon as there is something to see."""
    if chosen.virtual_camera is not None:
        device = chosen.virtual_camera or None
        commands.open_virtual_camera = lambda: VirtualCamera(device)
        commands.toggle_virtual_camera()
    if chosen.record is not None:
        commands.record(chosen.record, force=chosen.force)


def _remember(saved: SavedSettings, path: Path) -> None:
    try:
        saved_settings.save(saved, path)
    except PuppetError as error:
        log.warning("%s", error)


def _opener(chosen: argparse.Namespace, saved: SavedSettings) -> tuple[Opener, str | None]:
    """What loads the model that was asked for, else last time's; and one sentence if that is not to be had."""

    def open_puppeteer(path: Path, loading: Loading, is_light: bool) -> Puppeteer:
        wanted = argparse.Namespace(**{**vars(chosen), "model": path, "light": is_light})
        return live_options.open_puppeteer(wanted, step=loading.step)

    path, sentence = chosen.model, None
    if path == config.DEFAULT_MODEL and saved.model is not None:
        try:
            path = ModelFolder.read(saved.model).path
        except EngineError as error:
            sentence = f"the bundled model is used, because last time's cannot be: {error}"
    return Opener(open_puppeteer, path, is_light=chosen.light or saved.light), sentence


def _first_avatar(wanted: Path | None, saved: SavedSettings) -> Path:
    """What was asked for, else as last time, else the bundled one."""
    if wanted is not None and not wanted.is_file():
        raise ConfigError(f"--avatar: there is no picture at {wanted}; check the name")
    if wanted is None and saved.avatar is not None and saved.avatar.is_file():
        return saved.avatar
    return wanted or config.default_avatar()


def _is_over(ends_at: float | None) -> bool:
    return ends_at is not None and time.perf_counter() >= ends_at


def _hook(
    say: Callable[[str], None],
) -> Callable[[type[BaseException], BaseException, TracebackType | None], Any]:
    """An error that nobody foresaw is told, and the window stays."""

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.info("traceback", exc_info=(kind, error, trace))
        say(f"{kind.__name__}: {error}; this is a fault of the program, --verbose shows where")

    return tell


def _forward(kind: QtMsgType, context: QMessageLogContext, text: str | None) -> None:
    """Qt's messages go where ours go."""
    logging.getLogger("qt").log(LEVELS.get(kind, logging.DEBUG), "%s", text)
