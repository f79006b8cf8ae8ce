"""Which curves tell how a driver moves an avatar: the window's plot and tools/inspect_motion.py draw these.

Where two curves belong together, the faint one is what goes in and the strong one what comes out.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from puppet.calibration import DRIFTED
from puppet.colour_transfer import from_lab
from puppet.motion import inverse, is_usable
from puppet.reference import pose_distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.types import Floats, Image, Motion, Rendered

FEW = ("nose", "lower_lip", "left_lid", "chin", "left_brow")
"""Parts that are shown where nobody chooses; all at once cannot be told apart."""
LIGHTNESS = {False: 50.0, True: 72.0}
"""Of lines, CIE L*, on a light and a dark ground."""
CHROMA = 55.0
FIRST_HUE = -1.4
"""Radians in the a*b* plane: blue."""
ALTERNATING = 9.0
"""By which neighbours differ in lightness where hues lie close together."""
CLOSE = 7
"""So many lines or more have hues that lie close together."""


class Curve(NamedTuple):
    """One line a part."""

    name: str
    is_faint: bool = False


class Plot(NamedTuple):
    """Curves over one axis."""

    title: str
    unit: str
    curves: tuple[Curve, ...]
    rest: float = 0.0
    """The value of a driver and an avatar that rest."""
    least: tuple[float, float] = (-0.05, 0.05)
    """The axis shows no less than what lies between these."""
    has_parts: bool = True
    """Whether each part has lines of its own; else one is the whole face's."""
    mark: float | None = None
    """A value worth a line of its own."""


DRIVER, AVATAR = Curve("driver", is_faint=True), Curve("avatar")
PLOTS = (
    Plot("Way across since the reference", "half sides", (DRIVER, AVATAR)),
    Plot("Way down since the reference", "half sides", (DRIVER, AVATAR)),
    Plot("Filter, way down", "half sides", (Curve("as read", is_faint=True), Curve("calmed")), least=(-0.02, 0.02)),
    Plot("Stretch either way", "times", (DRIVER, DRIVER, AVATAR, AVATAR), rest=1.0, least=(0.9, 1.1)),
    Plot("Turn", "degrees", (DRIVER, AVATAR), least=(-5.0, 5.0)),
    Plot(
        "Pose distance to the reference", f"breaks at {DRIFTED:g}", (Curve("driver"),), 0.0, (0.0, 0.4), False, DRIFTED
    ),
)
"""All six. Stretch is the singular values, larger and smaller, of a part's affine since the reference."""
_ENDS = (0, *accumulate(len(plot.curves) for plot in PLOTS))
CURVES = _ENDS[-1]


def of_plot(number: int) -> slice:
    """Where a plot's curves lie among all of them."""
    return slice(_ENDS[number], _ENDS[number + 1])


def measure(rendered: Rendered, read: Motion | None = None) -> Floats | None:
    """The values of all curves at one frame.

    Args:
        rendered: of the frame.
        read: the driver's motion before it was calmed; None: nothing was.

    Returns:
        float32 (curves, K); what is the whole face's is the same in all columns. None where the frame has no
        reference or no usable motion.
    """
    first, rest, driver, avatar = rendered.first, rendered.rest, rendered.driving, rendered.target
    read = driver if read is None else read
    if first is None or rest is None or not (is_usable(read) and is_usable(driver) and is_usable(avatar)):
        return None
    relative = np.stack([driver.affine @ inverse(first.affine), avatar.affine @ inverse(rest.affine)])
    larger, smaller, turn = _stretch_and_turn(relative)
    ways = np.stack([driver.shift - first.shift, avatar.shift - rest.shift])
    down = np.stack([read.shift[:, 1] - first.shift[:, 1], ways[0, :, 1]])
    stretch = np.stack([larger[0], smaller[0], larger[1], smaller[1]])
    distance = np.full((1, len(read.shift)), pose_distance(driver, first))
    rows = (ways[..., 0], ways[..., 1], down, stretch, np.degrees(turn), distance)
    return np.concatenate(rows).astype(np.float32)


def few(part_names: Sequence[str]) -> tuple[int, ...]:
    """Numbers of the parts to show where nobody chose."""
    named = tuple(index for index, name in enumerate(part_names) if name in FEW)
    return named or tuple(range(min(len(FEW), len(part_names))))


def colours(count: int, *, is_dark: bool) -> Image:
    """Colours of so many lines on a dark or a light ground, uint8 (count, 3) RGB, as far apart as can be."""
    hues = FIRST_HUE + 2 * np.pi * np.arange(count) / max(count, 1)
    lightness = np.full(count, LIGHTNESS[is_dark])
    if count >= CLOSE:
        lightness += ALTERNATING * (-1.0) ** np.arange(count)
    lab = np.stack([lightness, CHROMA * np.cos(hues), CHROMA * np.sin(hues)], axis=1)
    return from_lab(lab[None].astype(np.float32))[0] if count else np.zeros((0, 3), np.uint8)


def _stretch_and_turn(affine: Floats) -> tuple[Floats, Floats, Floats]:
    """Singular values, larger and smaller, and the angle, radians, of 2x2 matrices, float32 (..., 2, 2)."""
    a, b, c, d = affine[..., 0, 0], affine[..., 0, 1], affine[..., 1, 0], affine[..., 1, 1]
    turned, mirrored = np.hypot(a + d, c - b), np.hypot(a - d, b + c)
    return (turned + mirrored) / 2, np.abs(turned - mirrored) / 2, np.arctan2(c - b, a + d)
