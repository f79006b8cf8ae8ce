"""What words of `--swap` mean."""

from __future__ import annotations

import pytest

from puppet.errors import ConfigError
from puppet.swap_options import select_parts, swappable

PARTS = (
    "hair", "forehead", "right_lid", "right_eye", "left_eye", "nose", "upper_lip", "lower_lip", "left_ear", "left_iris",
)  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "parts"),
    [
        (("nose",), ("nose",)),
        (("lips",), ("upper_lip", "lower_lip")),
        (("mouth",), ("upper_lip", "lower_lip")),
        (("eye",), ("right_eye", "left_eye")),
        (("eyes",), ("right_lid", "right_eye", "left_eye")),
        (("Hair", "nose"), ("hair", "forehead", "left_ear", "nose")),
        (("left",), ("left_eye", "left_ear", "left_iris")),
        (("lips", "mouth"), ("upper_lip", "lower_lip")),
        (("background",), ("background",)),
    ],
)
def test_a_word_means_the_parts_that_lie_there(wanted, parts):
    assert select_parts(wanted, PARTS) == parts


def test_a_word_that_fits_nothing_is_answered_with_the_parts():
    with pytest.raises(ConfigError, match="'beard': the model has no such part; it has background, hair, forehead"):
        select_parts(("beard",), PARTS)


def test_parts_without_a_mask_cannot_be_chosen():
    assert set(PARTS) - set(swappable(PARTS)) == {"left_iris"}
    with pytest.raises(ConfigError, match="no such part"):
        select_parts(("left_iris",), swappable(PARTS))
