"""Parts painted over a picture."""

from __future__ import annotations

import numpy as np

from puppet.overlay import OPACITY, colours, paint_parts
from tests.media import flat


def test_colours_are_all_different() -> None:
    shades = colours(17)

    gaps = np.linalg.norm(shades[:, None] - shades[None], axis=2)[~np.eye(17, dtype=bool)]
    assert gaps.min() > 25


def test_background_stays_and_a_part_gets_its_colour() -> None:
    masks = np.zeros((3, 8, 8), np.float32)
    masks[0, :, :4] = 1
    masks[2, :, 4:] = 1

    painted = paint_parts(flat(100, 100, 100), masks)

    np.testing.assert_array_equal(painted[:, :20], 100)
    np.testing.assert_allclose(painted[32, 60], (1 - OPACITY) * 100 + OPACITY * colours(2)[1], atol=1)
