"""Renders the window's states to pictures, to look at them; needs no screen.

Example:
    python tools/screenshots.py --output out/screenshots
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from PIL import Image as Pillow
from PyQt6.QtCore import QPoint
from PyQt6.QtGui import QColor, QPainter, QPixmap
from PyQt6.QtWidgets import QAbstractButton, QApplication, QDialog, QLabel, QTabBar

from puppet import config
from puppet.calibration import FaceState
from puppet.gui import style
from puppet.gui.crop import CropDialog
from puppet.gui.first_run import AVATAR, CALIBRATE, CAMERA, NOTICE_PAGE, FirstRun
from puppet.gui.models import Opener
from puppet.gui.start import Start
from puppet.gui.window import Window
from puppet.live_options import add_arguments, open_puppeteer
from puppet.measuring import MEASURING
from puppet.pipeline import Pipeline
from puppet.saved_settings import SavedSettings
from puppet.settings import OutputSettings
from puppet.sinks.base import OutputMode
from puppet.sinks.canvas import Canvas
from puppet.sinks.video_file import VideoFileSink
from puppet.sources.base import Performed
from puppet.sources.video_file import VideoFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from puppet.loading import Loading
    from puppet.puppeteer import Puppeteer
    from puppet.state import LiveState

PATIENCE_S = 300.0
SHOWN = "running"
"""The state that the README shows."""
COARSE = 4
"""Levels that are made one in that picture: nobody sees it, and the file is a third smaller."""
SHADE = QColor(0, 0, 0, 90)
DRIVER = Path(config.__file__).parent / "assets" / "demo" / "driving.mp4"
WEBCAM = (640, 360)
CLIP_S = 8.0
LIVELY = 0.85
"""Pose distance from rest in the picture for the README, over the farthest in the clip."""
LONGER = 0.4
"""German takes so much more room than English."""
FILLING = "sangelegenheit"
SIZE, SMALL = (1280, 760), (1024, 700)
SCREEN = {"screens": [{"name": "screen", "x": 0, "y": 0, "width": 1920, "height": 1080, "logicalDpi": 96}]}


def main(arguments: list[str] | None = None) -> int:
    """Render all states; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    chosen.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        application = _application(folder, scale=chosen.scale, text=chosen.text)
        clip = _clip(folder)
        opener = Opener(_open, chosen.model)
        avatars = config.avatars()
        start = Start(SavedSettings(has_agreed=True), avatars[0], avatars, opener=opener, list_cameras=list)
        pipeline = Pipeline(opener, is_patient=True)
        stage = Stage(application, Window(pipeline, start), pipeline, chosen.output)
        with pipeline:
            stage.play(clip)
            stage.window.close()
    if chosen.readme is not None:
        with Pillow.open(chosen.output / f"{SHOWN}.png") as picture:
            picture.point(lambda level: min(255, round(level / COARSE) * COARSE)).save(chosen.readme, optimize=True)
    return 0


class Stage:
    """A window that is led from state to state."""

    def __init__(self, application: QApplication, window: Window, pipeline: Pipeline, output: Path) -> None:
        self.window = window
        self._application = application
        self._pipeline = pipeline
        self._output = output

    def play(self, clip: Path) -> None:
        """All states, one after the other."""
        self.window.resize(*SIZE)
        self.window.show()
        self._run_for(0.1)
        self.window.parts.work.follow(f"{MEASURING}: ovino bf16", 4.0, "Skip")
        self.take("loading")
        self._until(lambda state: state.shot is not None and state.counts.shown > 3)
        self._until(lambda state: isinstance(state.frame, Performed) and state.frame.pose.yaw > 0.15)
        self.take("no_camera")
        self._play_first_run(clip)
        self._until(lambda state: state.calibrated > 0 and state.source.name == clip.name)
        self._run_for(4.0)
        self._wait_for_a_turned_head()
        self.take(SHOWN, settle_s=0.0)
        self._show_warning()
        self._play_dialogs()
        self._play_states()
        clip.unlink()
        self.window.commands.toggle_virtual_camera()
        self._until(lambda state: any(sink.trouble for sink in state.sinks))
        self._run_for(9.0)
        self.take("trouble")

    def _wait_for_a_turned_head(self) -> None:
        """Watch the whole clip once, then wait for its liveliest moment."""
        end, farthest = time.perf_counter() + CLIP_S, 0.0
        while time.perf_counter() < end:
            farthest = max(farthest, self._pipeline.state().face.drift)
            self._run_for(0.05)
        self._until(lambda state: state.face.drift > LIVELY * farthest)

    def _play_first_run(self, clip: Path) -> None:
        with self.dialog(self.window.show_first_run, FirstRun) as steps:
            steps.go(NOTICE_PAGE)
            self.take("first_run", steps)
            steps.go(CAMERA)
            self._run_for(0.3)
            self.take("first_run_no_camera", steps)
            self.window.parts.picker.choose(str(clip))
            self._run_for(2.0)
            self.take("first_run_camera", steps)
            steps.go(AVATAR)
            self.take("first_run_avatar", steps)
            steps.go(CALIBRATE)
            self.take("first_run_calibrate", steps)

    def _show_warning(self) -> None:
        """No driver can be had who leaves the picture, so the state is made up."""
        pull = self._pipeline.state
        left = FaceState("left")
        with patch.object(self._pipeline, "state", lambda: replace(pull(), face=left)):
            self.take("warning")

    def _play_dialogs(self) -> None:
        with self.dialog(self.window.show_shortcuts, QDialog) as shortcuts:
            self.take("shortcuts", shortcuts)
        with self.dialog(self.window.gallery.ask_crop, CropDialog) as crop:
            self.take("crop", crop)

    def _play_states(self) -> None:
        style.wear(self._application, is_dark=True)
        self.take("dark")
        self.window.commands.toggle_parts()
        self.window.parts.panel.setCurrentIndex(2)
        self._run_for(2.0)
        self.take("parts")
        self.window.trace.toggle()
        self._run_for(4.0)
        self.take("motion")
        self.window.trace.toggle()
        self.window.resize(*SMALL)
        self.take("small")
        with self.dialog(self.window.show_first_run, FirstRun) as steps:
            self.take("dark_first_run", steps)
        style.wear(self._application, is_dark=False)
        self.window.commands.calibrate()
        self.window.parts.panel.setCurrentIndex(1)
        self._run_for(1.0)
        self.take("countdown")
        self._run_for(3.0)
        self.window.commands.toggle_parts()
        self.window.parts.panel.setCurrentIndex(0)
        _lengthen(self.window)
        self.take("long")
        self.window.resize(*SIZE)

    def take(self, name: str, dialog: QDialog | None = None, *, settle_s: float = 0.4) -> None:
        """Write one picture, of the window and a dialog before it."""
        self._run_for(settle_s)
        pixmap = self.window.grab()
        if dialog is not None:
            _lay_over(pixmap, dialog.grab())
        path = self._output / f"{name}.png"
        pixmap.save(str(path))
        with Pillow.open(path) as picture:
            picture.convert("RGB").save(path, optimize=True)
        print(f"{path}  {pixmap.width()}x{pixmap.height()}  {path.stat().st_size // 1024} KB")

    @contextmanager
    def dialog(self, show: Callable[[], None], kind: type[QDialog]) -> Iterator[QDialog]:
        """The dialog that a call shows, perhaps after a while."""
        show()
        self._until(lambda state: self.window.findChild(kind) is not None)
        dialog = self.window.findChild(kind)
        assert dialog is not None
        self._run_for(0.4)
        yield dialog
        dialog.reject()
        self._run_for(0.2)

    def _until(self, is_so: Callable[[LiveState], bool]) -> None:
        end = time.perf_counter() + PATIENCE_S
        while not is_so(self._pipeline.state()):
            if time.perf_counter() > end:
                sys.exit(
                    f"the window did not get there within {PATIENCE_S:g} s; it says {self.window.parts.banner.text!r}"
                )
            self._run_for(0.02)

    def _run_for(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            self._application.processEvents()
            time.sleep(0.005)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="screenshots", description=__doc__)
    add = parser.add_argument
    add("--output", type=Path, default=Path("out/screenshots"), metavar="DIR")
    add("--readme", type=Path, metavar="PNG", help=f"where the state {SHOWN!r} goes as well")
    add("--model", type=Path, default=config.DEFAULT_MODEL, metavar="DIR", help="model folder")
    add("--text", type=float, default=1.0, metavar="X", help="size of the text, times the usual")
    add("--scale", type=float, default=1.0, metavar="X", help="pixels of the screen a pixel, as on sharp screens")
    return parser


def _application(folder: Path, *, scale: float, text: float) -> QApplication:
    """On a screen that nobody sees, larger than Qt's own."""
    screen = folder / "screen.json"
    screen.write_text(json.dumps(SCREEN))
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={screen}"
    os.environ["QT_SCALE_FACTOR"] = str(scale)
    application = QApplication(["puppet"])
    font = application.font()
    font.setPointSizeF(font.pointSizeF() * text)
    application.setFont(font)
    style.apply(application)
    return application


def _open(path: Path, loading: Loading, is_light: bool) -> Puppeteer:
    """As the program does it by default."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    flags = ["--light"] if is_light else []
    return open_puppeteer(parser.parse_args(["--model", str(path), *flags]), step=loading.step)


def _clip(folder: Path) -> Path:
    """What a webcam would give: the driver of our own clip, on a wide picture."""
    path, clip, canvas = folder / "Webcam.mp4", VideoFile(DRIVER), Canvas(OutputMode(*WEBCAM))
    settings = OutputSettings(badge=False)
    with VideoFileSink(path, clip.clip) as sink:
        for frame in clip.frames():
            sink.write(canvas.compose(frame.image, settings), frame.captured_at)
    return path


def _lengthen(window: Window) -> None:
    """Every text becomes as long as its German translation might be."""
    for action in window.actions():
        action.setText(_longer(action.text()))
    for label in window.parts.side.findChildren(QLabel):
        label.setText(_longer(label.text()))
    for button in window.parts.side.findChildren(QAbstractButton):
        button.setText(_longer(button.text()))
    for bar in window.parts.side.findChildren(QTabBar):
        for index in range(bar.count()):
            bar.setTabText(index, _longer(bar.tabText(index)))


def _longer(text: str) -> str:
    is_number = not any(letter.isalpha() for letter in text)
    return text if is_number else text.rstrip("…") + FILLING[: max(2, round(LONGER * len(text)))]


def _lay_over(pixmap: QPixmap, dialog: QPixmap) -> None:
    """Darken the window and put the dialog in its middle."""
    ratio = pixmap.devicePixelRatio()
    painter = QPainter(pixmap)
    painter.fillRect(pixmap.rect(), SHADE)
    middle = (pixmap.size() - dialog.size()) / (2 * ratio)
    painter.drawPixmap(QPoint(middle.width(), middle.height()), dialog)
    painter.end()


if __name__ == "__main__":
    sys.exit(main())
