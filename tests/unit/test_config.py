"""What the command line asks for, checked before anything is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from puppet import config
from puppet.errors import ConfigError
from puppet.framing import Square
from puppet.swap_options import select_parts

if TYPE_CHECKING:
    from pathlib import Path

PARTS = ("hair", "left_eye", "right_eye", "upper_lip", "lower_lip")


def values(**changes: Any) -> dict[str, Any]:
    return {"avatar": "a.png", "driving": "d.mp4", "output": "o.mp4", **changes}


@pytest.mark.parametrize(
    ("text", "crop"),
    [("auto", "auto"), ("none", "none"), ("10,20,30,30", Square(10, 20, 30)), ("0,0,40,20", Square(0, -10, 40))],
)
def test_crop_is_read(text: str, crop: object) -> None:
    assert config.parse_crop(text) == crop


@pytest.mark.parametrize("text", ["", "face", "1,2,3", "1,2,3,4,5", "1,2,0,4", "a,b,c,d", "nan,0,5,5", "0,0,inf,5"])
def test_impossible_crop_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--crop"):
        config.parse_crop(text)


def test_reference_is_read() -> None:
    assert [config.parse_reference(text) for text in ("first", "best", "17")] == ["first", "best", 17]
    for text in ("last", "-1", "1.5", ""):
        with pytest.raises(ConfigError, match="--reference"):
            config.parse_reference(text)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strength": 3}, "--strength 3"),
        ({"smoothing": 2}, "--smoothing 2"),
        ({"strength": float("nan")}, "--strength nan"),
        ({"threads": -1}, "--threads -1"),
        ({"driving": "scripted", "swap": ("hair",)}, "--swap needs a driving video"),
        ({"driving": "scripted:3", "reference": "best"}, "--reference needs a driving video"),
        ({"driving": "scripted", "masks": "driving"}, "--masks driving needs a driving video"),
        ({"driving": "scripted", "smoothing": 0.5}, "--smoothing needs a driving video"),
    ],
)
def test_values_that_cannot_be_used_are_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        config.render_config(values(**changes))


@pytest.mark.parametrize("name", ["avatar", "driving"])
def test_input_is_never_overwritten(tmp_path: Path, name: str) -> None:
    path = tmp_path / "same.mp4"
    path.write_bytes(b"precious")

    with pytest.raises(ConfigError, match="give another name"):
        config.render_config(values(**{name: str(path)}, output=path, force=True))


def test_parts_are_chosen_by_name_or_by_a_shared_word() -> None:
    assert select_parts(("hair", "lips"), PARTS) == ("hair", "upper_lip", "lower_lip")
    assert select_parts(("left_eye", "eyes"), PARTS) == ("left_eye", "right_eye")
    assert select_parts(("background",), PARTS) == ("background",)


def test_unknown_part_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"'beard': the model has no such part; it has background, hair"):
        select_parts(("beard",), PARTS)


@pytest.mark.parametrize(
    ("variables", "expected"), [({}, False), ({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": "w"}, True)]
)
def test_screen_is_told_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: bool
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert config.has_screen() is expected
