"""One control a setting."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QKeyEvent

from puppet.gui.controls import PAGES, ControlPanel
from puppet.gui.widgets import Choice, Colour, Control, File, Parts, PlainSlider, PlainTabs, Slider, Switch
from puppet.settings import Settings

FIELDS = [(group, name) for group in PAGES for name in type(getattr(Settings(), group)).model_fields]


@pytest.fixture
def panel(qtbot) -> ControlPanel:
    made = ControlPanel(Settings())
    qtbot.addWidget(made)
    made.offer_parts(("left", "right", "top"))
    return made


def change(control: Control) -> object:
    """Do what a user does; returns the value that must come of it."""
    if isinstance(control, Switch):
        control.box.click()
        return control.box.isChecked()
    if isinstance(control, Slider):
        control.slider.setValue(control.slider.value() + 10)
        return control.value()
    if isinstance(control, Choice):
        control.box.setCurrentIndex((control.box.currentIndex() + 1) % control.box.count())
        return control.box.currentData()
    if isinstance(control, Parts):
        control.button.menu().actions()[1].trigger()
        return ("right",)
    if isinstance(control, Colour):
        control.choose(QColor(1, 2, 3))
        return (1, 2, 3)
    assert isinstance(control, File)
    control.choose("/pictures/wall.png")
    return Path("/pictures/wall.png")


def test_every_field_has_a_control_and_no_more(panel):
    assert set(Settings.model_fields) == set(PAGES)
    assert list(panel.controls) == FIELDS


@pytest.mark.parametrize(("group", "name"), FIELDS)
def test_changing_a_control_changes_that_setting_alone(panel, qtbot, group, name):
    control = panel.controls[group, name]
    before = getattr(getattr(panel.settings, group), name)
    control.setEnabled(True)

    with qtbot.waitSignal(panel.changed) as signal:
        expected = change(control)
    after = getattr(signal.args[0], group)
    assert getattr(after, name) == expected != before
    default = getattr(Settings(), group)
    assert after.model_copy(update={name: getattr(default, name)}) == default


@pytest.mark.parametrize(("group", "name"), FIELDS)
def test_a_control_is_named_explained_and_reached_by_key(panel, group, name):
    field = type(getattr(Settings(), group)).model_fields[name]
    control = panel.controls[group, name]

    assert control.inner.accessibleName() == field.title
    assert control.inner.accessibleDescription() == field.description
    assert control.toolTip().lower() == field.description.lower()
    assert control.inner.focusPolicy() & Qt.FocusPolicy.TabFocus


def test_showing_settings_emits_nothing_and_shows_them(panel, qtbot):
    changed = Settings()
    for (group, name), value in {
        ("live", "strength"): 1.5,
        ("live", "swap"): ("top",),
        ("output", "fit"): "fill",
    }.items():
        part = getattr(changed, group).model_copy(update={name: value})
        changed = changed.model_copy(update={group: part})

    with qtbot.assertNotEmitted(panel.changed):
        panel.show_settings(changed)
    assert panel.controls["live", "strength"].slider.value() == 75
    assert panel.controls["live", "swap"].button.text() == "1 of 3"
    assert panel.controls["output", "fit"].value() == "fill"


def test_what_has_no_effect_is_disabled(panel):
    assert not panel.controls["output", "colour"].isEnabled()
    change(panel.controls["live", "mode"])

    assert panel.settings.live.mode == "absolute"
    assert not panel.controls["live", "strength"].isEnabled()
    panel.offer_parts(())
    assert not panel.controls["live", "swap"].isEnabled()


def test_what_goes_with_a_choice_is_there_with_it_alone(panel):
    panel.show()
    assert panel.controls["live", "swap_feather"].isHidden()
    change(panel.controls["live", "swap"])
    assert not panel.controls["live", "swap_feather"].isHidden()

    change(panel.controls["output", "background"])
    assert panel.settings.output.background == "colour"
    assert not panel.controls["output", "colour"].isHidden()
    assert panel.controls["output", "picture"].isHidden()


@pytest.mark.parametrize("kind", [PlainSlider, PlainTabs])
def test_sliders_and_tabs_keep_the_arrow_keys_for_themselves(qtbot, kind):
    slider = kind()
    qtbot.addWidget(slider)
    for key, is_kept in ((Qt.Key.Key_Left, True), (Qt.Key.Key_1, False)):
        event = QKeyEvent(QKeyEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier)
        event.ignore()
        slider.event(event)

        assert event.isAccepted() is is_kept
