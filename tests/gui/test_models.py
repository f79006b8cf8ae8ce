"""Another model while the window is open: loaded, called off, imported."""

from __future__ import annotations

import importlib.util
import sys
import threading
from pathlib import Path

import pytest

from puppet.config import DEFAULT_MODEL
from puppet.errors import PuppetError
from puppet.gui import models
from puppet.gui.models import Opener
from puppet.gui.work import WorkBar
from puppet.loading import CalledOffError, Loading
from puppet.measuring import MEASURING
from puppet.pipeline import Pipeline
from puppet.settings import CameraSettings, Settings
from tests.gui.conftest import WAIT_MS
from tests.live_fakes import PATIENCE_S, FakePuppeteer

TOOL = """
import pathlib, sys
checkpoint, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[3])
if checkpoint.read_text() == "slow":
    import time
    time.sleep(60)
if checkpoint.read_text() != "good":
    sys.exit("this is no checkpoint; choose another file")
output.mkdir(parents=True)
"""


class FakeModel(FakePuppeteer):
    """Named after its folder."""

    can_swap = True

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.description = f"{path.name} on fake"


class FakeOpener(Opener):
    """Loads in two steps, and waits between them while the gate is shut."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.opened: list[FakeModel] = []
        self.lights: list[bool] = []
        super().__init__(self._make, DEFAULT_MODEL)

    def _make(self, path: Path, loading: Loading, is_light: bool) -> FakeModel:
        self.lights.append(is_light)
        loading.step(f"reading {path.name}")
        assert self.gate.wait(PATIENCE_S)
        loading.step("loading the generator")
        if path.name == "bad":
            raise PuppetError("there is no model in bad; choose another folder")
        self.opened.append(FakeModel(path))
        return self.opened[-1]


@pytest.fixture
def opener() -> FakeOpener:
    return FakeOpener()


@pytest.fixture
def pipeline(opener):
    made = Pipeline(opener, settings=Settings(camera=CameraSettings(auto_framing=False)), is_patient=True)
    yield made
    opener.gate.set()
    made.end()


@pytest.fixture
def window(open_window, opener, qtbot, monkeypatch, tmp_path):
    made = open_window(opener=opener)
    made.models.folder = tmp_path / "imported"
    monkeypatch.setattr(models, "TOOL", tmp_path / "tool.py")
    (tmp_path / "tool.py").write_text(TOOL)
    return made


def is_driven_by(window, name: str) -> bool:
    state = window._pipeline.state()
    return state.model == f"{name} on fake" and state.avatar is not None


@pytest.fixture
def running(window, qtbot):
    qtbot.waitUntil(lambda: is_driven_by(window, DEFAULT_MODEL.name), timeout=WAIT_MS)
    return window


def test_another_model_takes_over_with_the_same_avatar(running, opener, qtbot):
    running.models.load(Path("/models/other"))

    qtbot.waitUntil(lambda: is_driven_by(running, "other"), timeout=WAIT_MS)
    assert running._pipeline.state().avatar == "ada.png"
    assert [model.is_closed for model in opener.opened] == [True, False]
    assert running.saved().model == Path("/models/other")
    running._actions["bundled_model"].trigger()
    qtbot.waitUntil(lambda: is_driven_by(running, DEFAULT_MODEL.name), timeout=WAIT_MS)
    assert running.saved().model is None


def test_the_light_model_is_chosen_and_remembered(running, opener, qtbot):
    running._actions["light_model"].trigger()

    qtbot.waitUntil(lambda: running.saved().light and running.models.work("running")[0] is None, timeout=WAIT_MS)
    assert opener.lights == [False, True]
    assert running.saved().model is None
    running._actions["bundled_model"].trigger()
    qtbot.waitUntil(lambda: not running.saved().light, timeout=WAIT_MS)


def test_only_measuring_can_be_skipped_while_the_first_model_is_loaded(window, opener):
    opener.loading.text = "loading the generator"
    assert window.models.work("loading")[2] == ""

    opener.loading.text = f"{MEASURING}: ovino bf16"
    assert window.models.work("loading")[2] == "Skip"
    assert window.models.work("running")[0] is None


def test_a_model_that_cannot_be_loaded_leaves_the_last_one_at_work(running, opener, qtbot):
    running.models.load(Path("/models/bad"))

    qtbot.waitUntil(lambda: running.commands.message.startswith("there is no model in bad"), timeout=WAIT_MS)
    assert is_driven_by(running, DEFAULT_MODEL.name)
    assert not opener.opened[0].is_closed
    assert running.saved().model is None


def test_loading_shows_what_it_does_and_is_called_off(running, opener, qtbot, monkeypatch):
    monkeypatch.setattr("puppet.gui.work.QUIET_S", 0.0)
    opener.gate.clear()
    running.models.load(Path("/models/other"))
    qtbot.waitUntil(lambda: running.parts.work.text == "Reading other", timeout=WAIT_MS)
    assert running.parts.work.isVisible()

    running.parts.work.button.click()
    opener.gate.set()
    qtbot.waitUntil(lambda: running.commands.message == "reading other was called off", timeout=WAIT_MS)
    assert is_driven_by(running, DEFAULT_MODEL.name)
    qtbot.waitUntil(lambda: not running.parts.work.isVisible(), timeout=WAIT_MS)


def test_a_checkpoint_is_imported_and_used(running, tmp_path, qtbot, monkeypatch):
    (tmp_path / "vox.pth.tar").write_text("good")
    (tmp_path / "imported" / "vox").mkdir(parents=True)
    running.models.import_checkpoint(tmp_path / "vox.pth.tar")

    qtbot.waitUntil(lambda: is_driven_by(running, "vox-2"), timeout=WAIT_MS)
    assert (tmp_path / "imported" / "vox-2").is_dir()


def test_an_import_that_fails_says_why_and_one_that_is_called_off_writes_nothing(running, tmp_path, qtbot):
    (tmp_path / "bad.tar").write_text("bad")
    running.models.import_checkpoint(tmp_path / "bad.tar")
    qtbot.waitUntil(lambda: running.commands.message.startswith("this is no checkpoint"), timeout=WAIT_MS)

    (tmp_path / "slow.tar").write_text("slow")
    running.models.import_checkpoint(tmp_path / "slow.tar")
    qtbot.waitUntil(lambda: running.models._import._process.processId() != 0, timeout=WAIT_MS)
    running.models.cancel()
    qtbot.waitUntil(lambda: running.commands.message.startswith("importing slow.tar was called off"), timeout=WAIT_MS)
    assert not (tmp_path / "imported").exists()


def test_the_window_does_not_leave_an_import_behind(running, tmp_path, qtbot):
    (tmp_path / "slow.tar").write_text("slow")
    running.models.import_checkpoint(tmp_path / "slow.tar")
    process = running.models._import._process
    qtbot.waitUntil(lambda: process.processId() != 0, timeout=WAIT_MS)

    running.close()
    assert process.state() == process.ProcessState.NotRunning


def test_without_pytorch_the_window_says_how_to_import(running, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name, *rest))
    running._actions["import_checkpoint"].trigger()

    assert "python tools/import_checkpoint.py CHECKPOINT --output FOLDER" in running.commands.message
    assert "torch" not in sys.modules or find("torch")


def test_what_is_called_off_ends_before_its_next_step_and_not_later_ones():
    loading = Loading()
    loading.step("reading")
    loading.cancel()

    with pytest.raises(CalledOffError, match="reading was called off"):
        loading.step("loading")
    loading.step("loading another way")
    assert loading.text == "loading another way"


def test_short_work_is_not_shown_and_long_work_is_counted(qtbot):
    bar = WorkBar()
    qtbot.addWidget(bar)

    bar.follow("loading", 0.1)
    assert bar.isHidden()
    bar.follow("loading", 5.2)
    assert (bar.isHidden(), bar.text, bar.button.isHidden()) == (False, "Loading (5 s)", True)
    bar.follow("measuring", 1.0, "Skip")
    assert (bar.text, bar.button.text(), bar.button.isHidden()) == ("Measuring", "Skip", False)
    bar.follow(None)
    assert bar.isHidden()
