"""Live settings: bounds, names, and what panel and flags are built from."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from puppet.settings import LiveSettings


@pytest.mark.parametrize(
    ("field", "value"),
    [("strength", -0.1), ("strength", 2.1), ("mode", "relativ"), ("masks", "both"), ("swap_mask", ""), ("zoom", 1)],
)
def test_what_is_out_of_bounds_or_unknown_is_refused_by_name(field, value):
    with pytest.raises(ValidationError, match=field):
        LiveSettings(**{field: value})


def test_settings_do_not_change_under_anyones_feet():
    settings = LiveSettings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.strength = 0.5


def test_settings_survive_being_saved():
    settings = LiveSettings(mode="absolute", strength=1.5, masks="driving", swap=("hair", "nose"), swap_hard=True)

    assert LiveSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize("name", LiveSettings.model_fields)
def test_every_setting_has_a_title_and_a_description_to_show(name):
    field = LiveSettings.model_fields[name]

    assert field.title
    assert field.description
