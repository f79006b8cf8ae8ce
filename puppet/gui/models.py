"""Which model drives: another folder is loaded while the program runs, and published checkpoints are imported."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from PyQt6.QtCore import QObject, QProcess

from puppet import config
from puppet.gui import dialogs
from puppet.loading import Loading
from puppet.measuring import MEASURING

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtWidgets import QWidget

    from puppet.gui.commands import Commands
    from puppet.pipeline import Pipeline
    from puppet.puppeteer import Puppeteer

TOOL = Path(__file__).parents[2] / "tools" / "import_checkpoint.py"
"""Part of the project, not of the installed program: it needs what trains models."""
END_MS = 3000
"""At the end of the program an import has so long to tidy up."""


class Opener:
    """Opens models, and remembers what is open."""

    def __init__(
        self, open_puppeteer: Callable[[Path, Loading, bool], Puppeteer], path: Path, *, is_light: bool = False
    ) -> None:
        """Take what loads a model folder, itself or its larger sister, and the folder to begin with."""
        self.loading = Loading()
        self.path = path
        self.is_light = is_light
        """The model itself is taken, even if there is time for its larger sister."""
        self.part_names: tuple[str, ...] = ()
        """Of parts that can be swapped; none while no model is there."""
        self._open_puppeteer = open_puppeteer

    def __call__(self) -> Puppeteer:
        """Load the model that was asked for last; called in the pipeline's thread."""
        return self.open(self.path, is_light=self.is_light)

    def open(self, path: Path, *, is_light: bool) -> Puppeteer:
        """Load that model; called in the pipeline's thread."""
        puppeteer = self._open_puppeteer(path, self.loading, is_light)
        self.path, self.is_light = path, is_light
        self.part_names = puppeteer.part_names if puppeteer.can_swap else ()
        return puppeteer


class Models:
    """Used from the Qt thread alone; waits for nothing."""

    def __init__(self, window: QWidget, commands: Commands, pipeline: Pipeline, *, opener: Opener | None) -> None:
        """Take what it acts upon; without an opener the model stays as it is."""
        self.on_loaded: Callable[[], None] = lambda: None
        """The avatar must be loaded again."""
        self.folder = platformdirs.user_data_path("puppet", appauthor=False) / "models"
        """Where imported models go."""
        self._window = window
        self._commands = commands
        self._pipeline = pipeline
        self._opener = opener
        self._is_loading = False
        self._import: _Import | None = None

    @property
    def path(self) -> Path | None:
        """The folder of another model than the bundled one."""
        path = self._opener.path if self._opener is not None else config.DEFAULT_MODEL
        return None if path == config.DEFAULT_MODEL else path

    @property
    def is_light(self) -> bool:
        """Whether the smaller of two models is wanted."""
        return self._opener is not None and self._opener.is_light

    def work(self, phase: str) -> tuple[str | None, float, str]:
        """What is going on, in words, for how many seconds, and how it is called off; phase is the pipeline's."""
        if self._import is not None:
            return f"importing {self._import.name}", self._import.seconds, "Cancel"
        if self._opener is None or not (self._is_loading or phase == "loading"):
            return None, 0.0, ""
        loading = self._opener.loading
        # Without its first model the program can do nothing, but it can do without measuring.
        way_out = "Cancel" if self._is_loading else "Skip" if loading.text.startswith(MEASURING) else ""
        return loading.text or "starting", loading.seconds, way_out

    def cancel(self) -> None:
        """Call off what is going on."""
        if self._import is not None:
            self._import.call_off()
        elif self._opener is not None:
            self._opener.loading.cancel()

    def ask(self) -> None:
        """Choose another model folder."""
        dialogs.ask_model(self._window, self.load)

    def load(self, path: Path, *, is_light: bool = False) -> None:
        """Use that model; if it cannot be used, the last one stays."""
        opener = self._opener
        if opener is None or self._is_loading:
            self._commands.say("a model is being loaded; wait for it, or cancel it first")
            return
        self._is_loading, opener.loading = True, Loading()
        self._commands.clear_swap()
        self._commands.tasks.watch(
            self._pipeline.load_model(lambda: opener.open(path, is_light=is_light)),
            then=lambda _: self._end_loading(f"the avatar is driven by the model in {path}", is_loaded=True),
            failed=lambda sentence: self._end_loading(sentence, is_loaded=False),
        )

    def ask_checkpoint(self) -> None:
        """Import published weights, if that can be done here; else say how."""
        if importlib.util.find_spec("torch") is None or not TOOL.exists():
            self._commands.say(
                "importing a checkpoint needs PyTorch and the project's own folder: run there make test, then "
                "python tools/import_checkpoint.py CHECKPOINT --output FOLDER, and choose that folder here"
            )
        elif self._import is not None:
            self._commands.say("a checkpoint is being imported; wait for it, or cancel it first")
        else:
            dialogs.ask_checkpoint(self._window, self.import_checkpoint)

    def import_checkpoint(self, path: Path) -> None:
        """Turn a checkpoint into a model folder, and use that."""
        self._import = _Import(self._window, path, _free(self.folder, path.name.split(".")[0]))
        self._import.start(self._end_import)

    def close(self) -> None:
        """End what is still going on."""
        if self._import is not None:
            self._import.end()
            self._import = None
        if self._is_loading:
            self.cancel()

    def _end_loading(self, sentence: str, *, is_loaded: bool) -> None:
        self._is_loading = False
        self._commands.say(sentence)
        if is_loaded:
            self.on_loaded()

    def _end_import(self, error: str | None) -> None:
        done, self._import = self._import, None
        if done is None:
            return  # the window is being closed
        if error is None:
            self.load(done.output)
        else:
            self._commands.say(error)


def _free(folder: Path, name: str) -> Path:
    """A name in the folder that nothing has yet."""
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(folder / each for each in names if not (folder / each).exists())


class _Import(QObject):
    """The importing tool, in a process of its own: PyTorch never enters this one."""

    def __init__(self, parent: QWidget, path: Path, output: Path) -> None:
        super().__init__(parent)
        self.name, self.output = path.name, output
        self._path = path
        self._started = time.perf_counter()
        self._process = QProcess(self)
        self._is_called_off = False

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.perf_counter() - self._started

    def start(self, ended: Callable[[str | None], None]) -> None:
        """Begin; `ended` is given a sentence if it failed."""
        self._process.finished.connect(lambda code, status: ended(self._error(code)))
        self._process.errorOccurred.connect(
            lambda error: ended(f"{sys.executable} cannot be started") if error.name == "FailedToStart" else None
        )
        self._process.start(sys.executable, [str(TOOL), str(self._path), "--output", str(self.output)])

    def call_off(self) -> None:
        """Ask it to end; it writes its folder at the end or not at all, and takes away what it has begun."""
        self._is_called_off = True
        if sys.platform == "win32":
            self._process.kill()
        else:
            os.kill(self._process.processId(), signal.SIGINT)

    def end(self) -> None:
        """Call it off, and see that it is gone."""
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.blockSignals(True)
            self.call_off()
            if not self._process.waitForFinished(END_MS):
                self._process.kill()
                self._process.waitForFinished(END_MS)

    def _error(self, code: int) -> str | None:
        if self._is_called_off:
            return f"importing {self.name} was called off; nothing was written"
        if code == 0:
            return None
        said = bytes(self._process.readAllStandardError().data()).decode(errors="replace").strip().splitlines()
        return said[-1] if said else f"importing {self.name} ended with code {code}"
