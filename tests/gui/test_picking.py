"""Parts by a click, and presets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QInputDialog

from puppet.gui.picking import in_picture
from puppet.saved_settings import SavedSettings
from puppet.settings import OutputSettings, SwapPreset
from puppet.state import Shot
from puppet.types import Frame, Motion, Rendered
from tests.live_fakes import grey

NAMES = ("left", "right", "top")


def motion() -> Motion:
    """Left and right halves below the top quarter, and background at the very top."""
    masks = np.zeros((4, 8, 8), np.float32)
    masks[0, 0] = masks[3, 1:3] = masks[1, 3:, :4] = masks[2, 3:, 4:] = 1
    affine = np.stack([np.eye(2, dtype=np.float32)] * 3)
    return Motion(np.zeros((3, 2), np.float32), affine, masks)


def shot() -> Shot:
    frame = Frame(grey(90), 0, 0.0)
    return Shot(frame, None, Rendered(grey(90), frame, motion(), motion()))


@pytest.fixture
def picking(window, monkeypatch):
    """The window with parts shown, a canvas of 2 to 1, and nothing that replaces either."""
    window._timer.stop()
    window.parts.panel.offer_parts(NAMES)
    window.parts.presets.offer(NAMES)
    window.commands.toggle_parts()
    window.parts.result.show_picture(np.zeros((90, 160, 3), np.uint8))
    window.picking.follow(replace(window._pipeline.state(), shot=shot()), NAMES)
    return window


def click(window, qtbot, x: float, y: float) -> None:
    """At shares of the result's picture."""
    view = window.parts.result
    inside = view._inside(view._place(), view._image)
    place = QPoint(round(inside.x() + x * inside.width()), round(inside.y() + y * inside.height()))
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place)


def test_clicking_a_part_swaps_it_and_clicking_again_does_not(picking, qtbot):
    click(picking, qtbot, 0.4, 0.8)
    assert picking.commands.settings.live.swap == ("left",)
    click(picking, qtbot, 0.6, 0.8)
    assert picking.commands.settings.live.swap == ("left", "right")
    assert picking.parts.panel.controls["live", "swap"].value() == ("left", "right")
    click(picking, qtbot, 0.4, 0.8)
    assert picking.commands.settings.live.swap == ("right",)


def test_background_and_what_is_beside_the_picture_are_told(picking, qtbot):
    for place in ((0.5, 0.05), (0.1, 0.5)):
        click(picking, qtbot, *place)

        assert picking.commands.settings.live.swap == ()
        assert picking.commands.message.startswith("that is background")


def test_parts_can_be_clicked_only_while_they_are_shown(picking, qtbot):
    picking.commands.toggle_parts()
    picking.picking.follow(replace(picking._pipeline.state(), shot=shot()), NAMES)

    click(picking, qtbot, 0.4, 0.8)
    assert picking.commands.settings.live.swap == ()
    assert not picking.parts.result.hasMouseTracking()


@pytest.mark.parametrize(
    ("settings", "aspect", "place", "expected"),
    [
        ({}, 2.0, (0.5, 0.5), (0.5, 0.5)),
        ({}, 2.0, (0.25, 0.0), (0.0, 0.0)),
        ({}, 2.0, (0.2, 0.5), None),
        ({"mirror": True}, 2.0, (0.35, 0.5), (0.8, 0.5)),
        ({"fit": "fill"}, 2.0, (0.0, 0.0), (0.0, 0.25)),
        ({"fit": "fill"}, 0.5, (0.0, 0.0), (0.25, 0.0)),
        ({}, 0.5, (0.0, 0.25), (0.0, 0.0)),
    ],
)
def test_a_place_of_the_output_is_found_in_the_picture(settings, aspect, place, expected):
    found = in_picture(*place, aspect=aspect, settings=OutputSettings(**settings))

    assert found is None if expected is None else found == pytest.approx(expected)


def test_a_choice_is_saved_called_again_and_remembered(picking, qtbot):
    presets, commands = picking.parts.presets, picking.commands
    commands.change_live(swap=("left", "top"), swap_feather=0.75)
    presets.fill()
    next(action for action in presets.button.menu().actions() if action.text() == "Save this choice…").trigger()
    dialog = presets.findChild(QInputDialog)
    dialog.setTextValue("mine")
    dialog.accept()
    commands.change_live(swap=(), swap_feather=0.25)

    presets.fill()
    next(action for action in presets.button.menu().actions() if action.text() == "mine").trigger()
    assert (commands.settings.live.swap, commands.settings.live.swap_feather) == (("left", "top"), 0.75)
    saved = SavedSettings.model_validate_json(picking.saved().model_dump_json())
    assert saved.swap_presets == {"mine": SwapPreset(swap=("left", "top"), swap_feather=0.75)}
    presets.forget("mine")
    assert presets.value() == {}


def test_a_preset_of_another_model_says_so(picking):
    picking.parts.presets.apply(SwapPreset(swap=("beard",)))

    assert picking.commands.message == "this model has none of the preset's parts (beard); choose others"


def test_regions_that_the_model_has_are_offered(picking):
    presets = picking.parts.presets
    presets.offer(("hair", "left_eye", "nose"))
    presets.fill()

    assert [action.text() for action in presets.button.menu().actions()][:4] == ["Hair", "Eyes", "Face", "Nothing"]
