"""What is remembered between runs."""

from __future__ import annotations

import pytest

from puppet import saved_settings
from puppet.errors import SinkError
from puppet.saved_settings import SavedSettings
from puppet.settings import LiveSettings, Settings


def test_what_is_saved_is_loaded_and_the_folder_is_made(tmp_path):
    path = tmp_path / "new" / "settings.json"
    saved = SavedSettings(settings=Settings(live=LiveSettings(strength=1.5)), source="Fine camera", has_agreed=True)

    assert saved_settings.load(path) == (SavedSettings(), None)
    saved_settings.save(saved, path)
    assert saved_settings.load(path) == (saved, None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "invalid json"),
        (b"\xff\xfe", "invalid json"),
        (b'{"version": 2}', "version"),
        (b'{"settings": {"live": {"strength": 7}}}', "settings.live.strength"),
        (b'{"unheard": 1, "settings": {"live": {"strength": 7}}}', "settings.live.strength"),
    ],
)
def test_a_broken_file_warns_and_is_put_aside(tmp_path, content, reason):
    path = tmp_path / "settings.json"
    path.write_bytes(content)

    saved, sentence = saved_settings.load(path)
    assert saved == SavedSettings()
    assert reason in sentence
    assert not path.exists()
    assert (tmp_path / "settings.broken.json").read_bytes() == content


def test_a_setting_that_is_no_longer_known_takes_nothing_else_with_it(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text('{"unheard": 1, "has_agreed": true, "settings": {"live": {"adapt_shape": false, "strength": 1.5}}}')

    expected = SavedSettings(settings=Settings(live=LiveSettings(strength=1.5)), has_agreed=True)
    assert saved_settings.load(path) == (expected, None)


def test_a_file_that_cannot_be_read_or_written_is_told(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")

    saved, sentence = saved_settings.load(tmp_path)
    assert saved == SavedSettings()
    assert "cannot be read" in sentence
    with pytest.raises(SinkError, match="the settings are not remembered"):
        saved_settings.save(SavedSettings(), blocked / "settings.json")
