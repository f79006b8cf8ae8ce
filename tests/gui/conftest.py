"""A window around a fake model, driven by the scripted performance; nothing of it may be left after a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PyQt6 import sip
from PyQt6.QtCore import QAbstractAnimation, QEvent, QObject, QThread, QTimer

from puppet import images
from puppet.gui.commands import Folders
from puppet.gui.start import Start
from puppet.gui.window import Window
from puppet.pipeline import Pipeline
from puppet.saved_settings import SavedSettings
from puppet.settings import CameraSettings, Settings
from tests.live_fakes import FakePuppeteer, grey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAIT_MS = 20_000


@pytest.fixture(autouse=True)
def _nothing_of_qt_left(qapp, monkeypatch) -> Iterator[None]:
    """Fail when a test leaves a top-level widget behind, shown or hidden, or a timer, animation or thread running."""
    before, started = set(qapp.topLevelWidgets()), []
    for kind in (QTimer, QThread, QAbstractAnimation):
        monkeypatch.setattr(kind, "start", noted(kind.start, started))
    yield
    qapp.processEvents()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    left = [widget for widget in qapp.topLevelWidgets() if widget not in before]
    running = [each for each in started if not sip.isdeleted(each) and is_running(each)]
    for each in running:
        each.quit() if isinstance(each, QThread) else each.stop()  # the next test shall not pay for it
    for widget in left:
        widget.deleteLater()
    assert not left, f"widgets left: {left}"
    assert not running, f"left running: {running}"


def noted(start: Callable[..., None], started: list[QObject]) -> Callable[..., None]:
    """The same, and the object is kept in the list."""

    def start_and_note(self: QObject, *arguments: object) -> None:
        started.append(self)
        start(self, *arguments)

    return start_and_note


def is_running(thing: QTimer | QThread | QAbstractAnimation) -> bool:
    if isinstance(thing, QTimer):
        return thing.isActive()
    return thing.isRunning() if isinstance(thing, QThread) else thing.state() == thing.State.Running


@pytest.fixture
def pictures(tmp_path) -> list[Path]:
    """Three avatars."""
    paths = [tmp_path / f"{name}.png" for name in ("ada", "ben", "cleo")]
    for level, path in zip((60, 120, 180), paths, strict=True):
        images.write_picture(path, grey(level, width=48, height=48))
    return paths


@pytest.fixture
def puppeteer() -> FakePuppeteer:
    return FakePuppeteer()


@pytest.fixture
def pipeline(puppeteer) -> Iterator[Pipeline]:
    made = Pipeline(lambda: puppeteer, settings=Settings(camera=CameraSettings(auto_framing=False)), is_patient=True)
    yield made
    made.end()


@pytest.fixture
def open_window(qtbot, pipeline, pictures, tmp_path) -> Iterator[Callable[..., Window]]:
    """Opens the window and starts the pipeline; the arguments are those of `Start`."""
    windows = []

    def make(**changes) -> Window:
        given = {
            "saved": SavedSettings(has_agreed=True),
            "avatar": pictures[0],
            "avatars": pictures,
            "folders": Folders(tmp_path / "videos", tmp_path / "pictures"),
            "list_cameras": list,
        }
        window = Window(pipeline, Start(**{**given, **changes}))
        windows.append(window)
        window.resize(window.sizeHint())
        window.show()
        pipeline.start()
        return window

    yield make
    for window in windows:
        window.close()
        window.deleteLater()


@pytest.fixture
def window(open_window, qtbot) -> Window:
    """Open, with the first avatar moving."""
    made = open_window()
    qtbot.waitUntil(
        lambda: made.parts.result.picture is not None and made.parts.avatar.picture is not None, timeout=WAIT_MS
    )
    return made
