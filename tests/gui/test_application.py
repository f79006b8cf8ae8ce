"""The program with its window, as the command line starts it."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from PyQt6.QtCore import QObject, Qt, QtMsgType, pyqtSignal

from puppet import app, config, images, saved_settings
from puppet.errors import PuppetError
from puppet.gui import application, screen, style
from puppet.gui.application import merged
from puppet.gui.window import Window
from puppet.saved_settings import SavedSettings
from puppet.settings import LiveSettings, OutputSettings, Settings
from tests.media import flat

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def flags(tmp_path, tiny_model, monkeypatch, qapp):
    """Of a run with a tiny model, on a screen that nobody sees, with settings of its own."""
    images.write_picture(tmp_path / "avatar.png", flat(100, 60, 20))
    monkeypatch.setattr(config, "has_screen", lambda: True)
    monkeypatch.setattr(saved_settings, "default_path", lambda: tmp_path / "config" / "settings.json")
    monkeypatch.setattr(Window, "greet", Window.agree)
    monkeypatch.setattr(style, "apply", lambda application: None)  # it would stay for other tests
    yield ["live", "--model", str(tiny_model.path), "--backend", "onnxrt", "--avatar", str(tmp_path / "avatar.png")]
    for widget in qapp.topLevelWidgets():
        widget.deleteLater()


def has_grown(folder: Path) -> bool:
    """Whether a video is on the disk, finished or not."""
    return any("out" in path.name and path.stat().st_size > 1000 for path in folder.iterdir() if path.is_file())


def test_a_run_records_remembers_and_ends_in_order(flags, tmp_path, monkeypatch):
    output, is_over = tmp_path / "out.mp4", application._is_over
    limits = ["--seconds", "60", "--canvas", "320x180@25"]
    # As soon as anything is recorded: how long that takes is the machine's business.
    monkeypatch.setattr(application, "_is_over", lambda ends_at: has_grown(tmp_path) or is_over(ends_at))

    assert app.main([*flags, *limits, "--strength", "1.5", "--camera", "scripted", "--record", str(output)]) == 0
    assert output.stat().st_size > 1000
    saved, sentence = saved_settings.load(tmp_path / "config" / "settings.json")
    assert sentence is None
    assert (saved.source, saved.avatar, saved.has_agreed) == ("scripted", tmp_path / "avatar.png", True)
    assert saved.settings.live.strength == 1.5


def test_a_broken_settings_file_does_not_hold_the_start_up(flags, tmp_path, monkeypatch):
    path = tmp_path / "config" / "settings.json"
    path.parent.mkdir()
    path.write_text("{}}")
    told = []
    monkeypatch.setattr(application, "Window", lambda pipeline, start: told.append(start) or Window(pipeline, start))

    assert app.main([*flags, "--seconds", "0.2"]) == 0
    assert "the saved settings cannot be used" in told[0].sentence
    assert path.with_suffix(".broken.json").read_text() == "{}}"
    assert json.loads(path.read_text())["version"] == 1


def test_a_model_that_cannot_be_loaded_ends_in_one_sentence(flags, tmp_path, capsys):
    flags[flags.index("--model") + 1] = str(tmp_path / "nothing")

    assert app.main([*flags, "--seconds", "0.5"]) == 2
    assert capsys.readouterr().err.count("error: ") == 1


def test_without_a_command_a_screen_gets_the_window(monkeypatch):
    monkeypatch.setattr(config, "has_screen", lambda: True)
    seen = []
    monkeypatch.setattr(application, "run", lambda chosen: seen.append(chosen) or 0)

    assert app.main([]) == 0
    assert (seen[0].camera, seen[0].seconds, seen[0].no_window) == (None, None, False)


def test_without_a_screen_or_qt_live_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(config, "has_screen", lambda: False)
    assert app.main(["live"]) == 2
    assert "add --no-window" in capsys.readouterr().err

    monkeypatch.setattr(config, "has_screen", lambda: True)
    monkeypatch.delattr("puppet.gui.application")
    monkeypatch.setitem(sys.modules, "puppet.gui.application", None)
    assert app.main(["live"]) == 2
    assert "tools/check_qt.py says what Qt lacks" in capsys.readouterr().err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the X server")
@pytest.mark.parametrize(
    ("plugin", "sentence"), [("nothing", "no screen answers at DISPLAY=:987"), ("broken", "Qt cannot show a window")]
)
def test_a_screen_that_does_not_answer_or_cannot_be_used_is_told(monkeypatch, tmp_path, plugin, sentence):
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM")
    (tmp_path / "broken").write_bytes(b"no library")
    monkeypatch.setattr(screen, "PLUGIN", tmp_path / plugin)

    with pytest.raises(PuppetError, match=sentence):
        screen.require()


def test_flags_win_over_what_was_saved_and_leave_the_rest():
    saved = Settings(live=LiveSettings(strength=1.5, mode="absolute"), output=OutputSettings(fit="fill"))
    flags = Settings(live=LiveSettings(strength=0.5))

    both = merged(saved, flags)
    assert both == Settings(live=LiveSettings(strength=0.5, mode="absolute"), output=OutputSettings(fit="fill"))


def test_last_times_model_is_used_again_and_a_lost_one_is_told(tiny_model, tmp_path):
    chosen = argparse.Namespace(model=config.DEFAULT_MODEL, light=False)

    opener, sentence = application._opener(chosen, SavedSettings(model=tiny_model.path))
    assert (opener.path, sentence) == (tiny_model.path, None)
    opener, sentence = application._opener(chosen, SavedSettings(model=tmp_path / "gone"))
    assert opener.path == config.DEFAULT_MODEL
    assert sentence.startswith("the bundled model is used, because last time's cannot be: there is no model folder")


def test_an_unforeseen_error_is_told_and_logged(caplog):
    told = []
    with caplog.at_level(logging.INFO):
        application._hook(told.append)(KeyError, KeyError("x"), None)
        application._forward(QtMsgType.QtCriticalMsg, None, "of Qt")

    assert told == ["KeyError: 'x'; this is a fault of the program, --verbose shows where"]
    assert ("qt", logging.WARNING, "of Qt") in caplog.record_tuples


@pytest.mark.parametrize("is_dark", [True, False])
def test_text_can_be_read_in_both_schemes(is_dark, qapp):
    palette = style.palette(is_dark=is_dark)
    role = style.Role
    pairs = [(role.WindowText, role.Window), (role.ButtonText, role.Button), (role.PlaceholderText, role.Window)]
    pairs.append((role.HighlightedText, role.Highlight))

    for ink, ground in pairs:
        light, dark = sorted((_luminance(palette.color(ink)), _luminance(palette.color(ground))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3.5, (ink, ground)
    assert (_luminance(palette.color(role.Window)) < 0.1) is is_dark


class Hints(QObject):
    """Of a desktop that goes over to another scheme."""

    colorSchemeChanged = pyqtSignal(object)  # noqa: N815 - Qt's name

    def colorScheme(self) -> Qt.ColorScheme:  # noqa: N802 - Qt's name
        return Qt.ColorScheme.Light


def test_the_window_follows_the_desktop_from_light_to_dark_and_back(monkeypatch):
    hints, worn = Hints(), []
    application = SimpleNamespace(setStyle=lambda name: None, styleHints=lambda: hints)
    monkeypatch.setattr(style, "wear", lambda application, *, is_dark: worn.append(is_dark))

    style.apply(application)
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert worn == [False, True, False]


def _luminance(colour) -> float:
    """Relative luminance (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.getRgbF()[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
