"""Engines for the GPU, built while the picture goes on: offered once, with progress, and called off with one click."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QProcess

from puppet import config, engine_builds
from puppet.engine_builds import ROOT, Missing, Step
from puppet.gui.banner import Offer

if TYPE_CHECKING:
    from pathlib import Path

    from PyQt6.QtWidgets import QWidget

    from puppet.gui.commands import Commands
    from puppet.gui.models import Models

END_MS = 5000
"""At the end of the program a build has so long to stop."""


class EngineBuilds(QObject):
    """Used from the Qt thread alone; waits for nothing."""

    def __init__(self, window: QWidget, commands: Commands, models: Models, *, is_offered: bool) -> None:
        """Take what it acts upon; unless it shall be offered, it builds only when asked."""
        super().__init__(window)
        self._commands = commands
        self._models = models
        self._to_offer = is_offered
        self._process: QProcess | None = None
        self._cancel = Offer("Cancel", self.cancel)
        self._told = ""
        self._failure: str | None = None
        self._is_called_off = False

    @property
    def is_building(self) -> bool:
        """Whether a build is under way."""
        return self._process is not None

    def follow(self, phase: str) -> None:
        """Once the model runs, see whether there is something to offer; to be called now and then."""
        if self._to_offer and phase == "running":
            self._to_offer = False
            self._look(is_asked=False)

    def ask(self) -> None:
        """Build what is missing."""
        if self.is_building:
            self._commands.say("engines are being built already", offer=self._cancel)
        else:
            self._look(is_asked=True)

    def cancel(self) -> None:
        """Call the build off; what is finished of it stays."""
        if self._process is not None:
            self._is_called_off = True
            self._stop(self._process)

    def close(self) -> None:
        """Call off what goes on, and see that it is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.blockSignals(True)
            self._stop(process)
            if not process.waitForFinished(END_MS):
                process.kill()
                process.waitForFinished(END_MS)

    def _look(self, *, is_asked: bool) -> None:
        path = self._path()
        self._commands.tasks.run(
            lambda: (engine_builds.missing(path), engine_builds.why_none() if is_asked else None),
            then=lambda found: self._offer(*found, is_asked=is_asked),
        )

    def _path(self) -> Path:
        return self._models.path or config.DEFAULT_MODEL

    def _offer(self, found: Missing | None, why_none: str | None, *, is_asked: bool) -> None:
        if found is None:
            if is_asked:
                self._commands.say(why_none or "there is nothing to build: the engines are there, and fit")
        elif is_asked:
            self._start(found)
        else:
            self._commands.say(found.sentence, offer=Offer("Build", lambda: self._start(found)))

    def _start(self, wanted: Missing) -> None:
        if self.is_building:
            return
        self._failure, self._is_called_off = None, False
        process = self._process = QProcess(self)
        process.setWorkingDirectory(str(ROOT))
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(lambda code, status: self._end(code))
        process.errorOccurred.connect(lambda error: self._end(1) if error.name == "FailedToStart" else None)
        self._commands.hush()
        self._tell("building engines: starting")
        process.start(sys.executable, wanted.command)

    def _read(self) -> None:
        process = self._process
        while process is not None and process.canReadLine():
            step = Step.read(bytes(process.readLine().data()).decode(errors="replace"))
            if step is not None and step.is_error:
                self._failure = step.text
            elif step is not None:
                self._tell(step.text)

    def _tell(self, text: str) -> None:
        """Show the progress, unless something else is being told."""
        if self._commands.message in ("", self._told):
            self._commands.say(text, offer=self._cancel)
            self._told = text

    def _end(self, code: int) -> None:
        self._read()
        process, self._process = self._process, None
        if process is None:
            return  # the window is being closed
        process.deleteLater()
        if self._is_called_off:
            self._commands.say("building engines was called off; what was finished stays")
        elif code != 0:
            self._commands.say(self._failure or f"building engines ended with code {code}")
        else:
            use = Offer("Use them", lambda: self._models.load(self._path(), is_light=self._models.is_light))
            self._commands.say("the engines are built and checked", offer=use)

    @staticmethod
    def _stop(process: QProcess) -> None:
        if process.state() == QProcess.ProcessState.NotRunning:
            return
        if sys.platform == "win32":
            process.kill()
        else:
            os.kill(process.processId(), signal.SIGINT)
