"""Parts are chosen for swapping by clicking them in the result; the coloured overlay shows what the model found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from puppet.overlay import SHARPENING

if TYPE_CHECKING:
    from puppet.gui.commands import Commands
    from puppet.gui.preview import PictureView
    from puppet.settings import OutputSettings, Settings
    from puppet.state import LiveState, Shot


class PartPicker:
    """Makes the result clickable while parts are shown over it."""

    def __init__(self, view: PictureView, commands: Commands) -> None:
        self._view = view
        self._commands = commands
        self._shot: Shot | None = None
        self._names: tuple[str, ...] = ()
        view.clicked.connect(self._click)
        view.hovered.connect(self._hover)

    def follow(self, state: LiveState, part_names: tuple[str, ...]) -> None:
        """Take what is shown now, and the names of its parts; none if the model cannot swap."""
        self._shot, self._names = state.shot, part_names
        self._view.set_clickable(self._is_on)

    @property
    def _is_on(self) -> bool:
        output = self._commands.settings.output
        return bool(self._names) and output.overlay > 0 and output.show == "avatar" and self._shot is not None

    def _click(self, x: float, y: float) -> None:
        name = self._part(x, y)
        if name is None:
            self._commands.say("that is background to the model; click a coloured part")
            return
        swap = self._commands.settings.live.swap
        is_in = name in swap
        self._commands.change_live(swap=tuple(part for part in swap if part != name) if is_in else (*swap, name))
        what = name.replace("_", " ")
        self._commands.say(f"{what} is the driver's own again" if is_in else f"{what} comes from the avatar")

    def _hover(self, x: float, y: float) -> None:
        name = self._part(x, y)
        self._view.setToolTip("" if name is None else name.replace("_", " ").capitalize())

    def _part(self, x: float, y: float) -> str | None:
        """The name of the part at a place of the output picture, in shares of it; None where there is none."""
        shot, canvas = self._shot, self._view.picture
        if not self._is_on or shot is None or shot.rendered is None or canvas is None:
            return None
        settings: Settings = self._commands.settings
        masks = shot.rendered.target.segmentation
        if settings.live.swap and not settings.live.swap_inverse and shot.rendered.driving.segmentation is not None:
            masks = shot.rendered.driving.segmentation  # the picture is the driver's
        place = in_picture(x, y, aspect=canvas.shape[1] / canvas.shape[0], settings=settings.output)
        if masks is None or place is None:
            return None
        height, width = masks.shape[1:]
        row, column = min(int(place[1] * height), height - 1), min(int(place[0] * width), width - 1)
        best = int(np.argmax(masks[:, row, column] ** SHARPENING))
        return self._names[best - 1] if best else None


def in_picture(x: float, y: float, *, aspect: float, settings: OutputSettings) -> tuple[float, float] | None:
    """Where a place of the output lies in the square picture on it, in shares of either; None beside it.

    Args:
        x: over the output's width.
        y: over its height.
        aspect: the output's width over its height.
        settings: how the picture is fitted into it.
    """
    is_inside = settings.fit == "centre"
    side = min(aspect, 1.0) if is_inside else max(aspect, 1.0)  # of the picture, over the output's height
    across, down = (x - 0.5) * aspect / side + 0.5, (y - 0.5) / side + 0.5
    if not (0 <= across < 1 and 0 <= down < 1):
        return None
    return (1 - across if settings.mirror else across), down
