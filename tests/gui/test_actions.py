"""Every command is a row, and every row can be reached."""

from __future__ import annotations

from collections import Counter

import pytest
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import QDialog, QFileDialog, QTableWidget, QToolButton

from puppet.gui.actions import ROWS, shortcut_text
from puppet.gui.layout import BUTTONS
from puppet.settings import Settings


def test_keys_and_shortcuts_are_unique_and_valid():
    for values in ([row.key for row in ROWS], [QKeySequence(row.shortcut).toString() for row in ROWS]):
        assert all(values)
        assert not [value for value, count in Counter(values).items() if count > 1]


@pytest.mark.parametrize("row", ROWS, ids=[row.key for row in ROWS])
def test_a_row_says_what_it_does_in_a_sentence(row):
    assert row.text
    assert row.description[0].isupper()
    assert not row.description.endswith(".")


def test_buttons_are_named_and_tell_their_key(window):
    buttons = [button for button in window.parts.page.findChildren(QToolButton) if button.defaultAction()]

    assert {button.defaultAction() for button in buttons} == {window._actions[key] for key in (*BUTTONS, "add_avatars")}
    for button in buttons:
        assert button.accessibleName()
        assert button.accessibleDescription()
        assert button.defaultAction().shortcut().toString() in button.toolTip()


@pytest.mark.parametrize(
    ("key", "group", "field", "value"),
    [
        ("hide", "output", "show", "nothing"),
        ("pass_through", "output", "show", "camera"),
        ("mirror", "output", "mirror", True),
        ("show_parts", "output", "overlay", 0.55),
    ],
)
def test_a_switch_changes_pipeline_and_panel_and_goes_back(window, pipeline, key, group, field, value):
    action = window._actions[key]
    before = getattr(getattr(pipeline.settings, group), field)

    action.trigger()
    assert getattr(getattr(pipeline.settings, group), field) == value
    assert window.parts.panel.settings == pipeline.settings
    action.trigger()
    assert getattr(getattr(pipeline.settings, group), field) == before


def test_settings_can_be_reset(window, pipeline):
    window._actions["mirror"].trigger()
    window._actions["reset"].trigger()

    assert pipeline.settings == window.parts.panel.settings == Settings()


def test_f1_lists_every_shortcut(window):
    window._actions["shortcuts"].trigger()
    table = window.findChild(QTableWidget)
    lines = [[table.item(row, column) for column in range(3)] for row in range(table.rowCount())]
    listed = [key.text() for key, command, _ in lines if command is not None]
    captions = [key.text() for key, command, _ in lines if command is None]

    assert sorted(listed) == sorted(shortcut_text(row) for row in ROWS)
    assert captions == [*dict.fromkeys(row.menu for row in ROWS if row.menu), "Avatars by number"]
    window.findChild(QDialog).accept()


def test_the_panel_can_be_put_away(window):
    window._actions["panel"].trigger()
    assert window.parts.side.isHidden()

    window._actions["panel"].trigger()
    assert not window.parts.side.isHidden()


@pytest.mark.parametrize("key", ["add_avatars", "watch_folder", "choose_model", "import_checkpoint", "open_video"])
def test_what_needs_a_file_asks_for_it_and_takes_no_for_an_answer(window, qtbot, key):
    before = window.saved().model_copy(update={"geometry": ""})
    window._actions[key].trigger()
    (dialog,) = window.findChildren(QFileDialog)

    dialog.reject()
    assert window.saved().model_copy(update={"geometry": ""}) == before
