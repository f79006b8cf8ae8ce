"""Which sentence the banner shows: of all that is wrong, was told, or should be known, the most important."""

from __future__ import annotations

from typing import TYPE_CHECKING

from puppet.gui import status
from puppet.gui.banner import Offer

if TYPE_CHECKING:
    from puppet.gui.banner import Kind
    from puppet.gui.commands import Commands
    from puppet.state import LiveState

FOUND = "calibrated: the avatar moves from the moment that was nearest to its pose"
SEEN = "others see your camera's own picture, not the avatar"


class News:
    """Chooses between the pipeline's state and what the commands have to tell."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._was_searching = False
        # Made once, so that the banner sees that nothing has changed.
        self._recalibrate = Offer("Calibrate", commands.calibrate)
        self._show_avatar = Offer("Show the avatar", lambda: commands.toggle_show("camera"))

    def latest(self, state: LiveState) -> tuple[str | None, Kind, Offer | None]:
        """What to show now: what does not work, else what was told, else what does not look as it should."""
        commands, trouble = self._commands, status.trouble(state)
        if self._was_searching and not state.is_searching:
            commands.say(FOUND)
        self._was_searching = state.is_searching
        is_urgent = state.failure is not None or state.source.trouble is not None
        if trouble and (is_urgent or not commands.message):
            return trouble, "trouble", None
        if commands.message:
            return commands.message, "note", commands.offer
        if commands.settings.output.show == "camera" and any(sink.is_open for sink in state.sinks):
            return SEEN, "warning", self._show_avatar
        return status.warning(state), "warning", self._recalibrate if state.face.sentence else None
