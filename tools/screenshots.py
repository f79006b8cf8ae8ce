"""Renders the window's states to pictures, to look at them; needs no screen.

Example:
    python tools/screenshots.py --output out/screenshots
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image as Pillow
from PyQt6.QtCore import QPoint
from PyQt6.QtGui import QColor, QPainter, QPixmap
from PyQt6.QtWidgets import QApplication, QDialog

from engines.model_folder import ModelFolder
from puppet import config
from puppet.gui import style
from puppet.gui.models import Opener
from puppet.gui.start import Start
from puppet.gui.window import Window
from puppet.pipeline import Pipeline
from puppet.puppeteer import Puppeteer
from puppet.render import render
from puppet.saved_settings import SavedSettings
from puppet.sources.base import Performed

if TYPE_CHECKING:
    from collections.abc import Callable

    from puppet.state import LiveState

PATIENCE_S = 300.0
SHOWN = "running"
"""The state that the README shows."""
COARSE = 4
"""Levels that are made one in that picture: nobody sees it, and the file is a third smaller."""
SHADE = QColor(0, 0, 0, 90)
CLIP_S = 3
README_PICTURE = Path(__file__).parents[1] / "docs" / "images" / "window.png"


def main(arguments: list[str] | None = None) -> int:
    """Render all states; returns the exit code."""
    parser = argparse.ArgumentParser(prog="screenshots", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("out/screenshots"), metavar="DIR")
    parser.add_argument(
        "--readme", type=Path, default=Path(__file__).parents[1] / "docs/images/window.png", metavar="PNG"
    )
    parser.add_argument("--model", type=Path, default=config.DEFAULT_MODEL, metavar="DIR", help="model folder")
    parser.add_argument("--text", type=float, default=1.0, metavar="X", help="size of the text, times the usual")
    chosen = parser.parse_args(arguments)
    chosen.output.mkdir(parents=True, exist_ok=True)
    application = QApplication(["puppet"])
    font = application.font()
    font.setPointSizeF(font.pointSizeF() * chosen.text)
    application.setFont(font)
    style.apply(application)
    with tempfile.TemporaryDirectory() as folder:
        clip = _clip(Path(folder), chosen.model)
        model = ModelFolder.read(chosen.model)
        opener = Opener(lambda path, loading: Puppeteer(model, step=loading.step), chosen.model)
        pipeline = Pipeline(opener, is_patient=True)
        avatars = config.avatars()
        start = Start(
            SavedSettings(has_agreed=True),
            avatars[0],
            avatars,
            opener=opener,
            list_cameras=list,
        )
        stage = Stage(application, Window(pipeline, start), pipeline, chosen.output)
        with pipeline:
            stage.play(clip)
            stage.window.close()
    chosen.readme.parent.mkdir(parents=True, exist_ok=True)
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
        self.window.resize(self.window.sizeHint() * 1.12)
        self.window.show()
        self._until(lambda state: self.window.parts.strip.item(0).icon().availableSizes() != [])
        self.take("loading")
        self._until(lambda state: state.shot is not None and state.counts.shown > 3)
        self._until(lambda state: isinstance(state.frame, Performed) and state.frame.pose.yaw > 0.15)
        self.take("no_camera")
        self.ask("first_run", self.window.show_notice)
        self.ask("shortcuts", self.window.show_shortcuts)
        self.window.parts.picker.choose(str(clip))
        self._until(lambda state: state.calibrated > 0 and state.source.name == clip.name)
        self._run_for(4.0)
        self.take("running")
        style.wear(self._application, is_dark=True)
        self.take("dark")
        self.window.commands.toggle_parts()
        self.window.parts.panel.setCurrentIndex(2)
        self._run_for(2.0)
        self.take("parts")
        style.wear(self._application, is_dark=False)
        self.window.commands.calibrate()
        self.window.parts.panel.setCurrentIndex(1)
        self._run_for(1.0)
        self.take("countdown")
        clip.unlink()
        self.window.commands.toggle_virtual_camera()
        self._until(lambda state: any(sink.trouble for sink in state.sinks))
        self._run_for(9.0)
        self.take("trouble")

    def take(self, name: str, dialog: QDialog | None = None) -> None:
        """Write one picture, of the window and a dialog before it."""
        self._run_for(0.4)
        pixmap = self.window.grab()
        if dialog is not None:
            _lay_over(pixmap, dialog.grab())
        path = self._output / f"{name}.png"
        pixmap.save(str(path))
        with Pillow.open(path) as picture:
            picture.convert("RGB").save(path, optimize=True)
        print(f"{path}  {pixmap.width()}x{pixmap.height()}  {path.stat().st_size // 1024} KB")

    def ask(self, name: str, show: Callable[[], None]) -> None:
        """Write a picture with a dialog."""
        show()
        dialog = self.window.findChild(QDialog)
        assert dialog is not None, f"{name} shows no dialog"
        self.take(name, dialog)
        dialog.accept()
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


def _clip(folder: Path, model: Path) -> Path:
    """A driver who is nobody: another avatar, rendered with the scripted performance."""
    path = folder / "driver.mp4"
    values = {"avatar": config.avatars()[-1], "driving": f"{config.SCRIPTED}:{CLIP_S}", "output": path, "model": model}
    render(config.render_config(values))
    return path


def _lay_over(pixmap: QPixmap, dialog: QPixmap) -> None:
    painter = QPainter(pixmap)
    painter.fillRect(pixmap.rect(), SHADE)
    painter.drawPixmap(QPoint((pixmap.width() - dialog.width()) // 2, (pixmap.height() - dialog.height()) // 2), dialog)
    painter.end()


if __name__ == "__main__":
    sys.exit(main())
