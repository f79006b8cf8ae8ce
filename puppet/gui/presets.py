"""Ways to swap parts that are called by a name: some that come with the program, and the user's own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QInputDialog, QMenu, QPushButton
from typing_extensions import override

from puppet.errors import ConfigError
from puppet.gui.widgets import Control
from puppet.saved_settings import MOST_PRESETS
from puppet.settings import LiveSettings, SwapPreset
from puppet.swap_options import REGIONS, select_parts

if TYPE_CHECKING:
    from puppet.gui.commands import Commands

TITLE = "Swap presets"
TEXT = "takes hair, eyes, mouth or the face from the avatar, or a choice of parts that you saved"


class SwapPresets(Control):
    """A menu of presets. The user's own are its value."""

    def __init__(self, commands: Commands, saved: dict[str, SwapPreset]) -> None:
        self.button = QPushButton("Choose…")
        super().__init__(TITLE, TEXT, self.button)
        self._commands = commands
        self._saved = dict(saved)
        self._parts: tuple[str, ...] = ()
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill)
        self.button.setMenu(self._menu)

    def offer(self, part_names: tuple[str, ...]) -> None:
        """The parts of the model; none if it cannot swap."""
        self._parts = part_names
        self.setEnabled(bool(part_names))

    def fill(self) -> None:
        """Put the menu together, as it is called for."""
        self._menu.clear()
        for region in REGIONS:
            parts = self._region(region)
            if parts:
                self._add(region.capitalize(), partial(self._commands.change_live, swap=parts))
        self._add("Nothing", partial(self._commands.change_live, swap=()))
        self._menu.addSeparator()
        for name, preset in self._saved.items():
            self._add(name, partial(self.apply, preset))
        self._menu.addSeparator()
        if self._commands.settings.live.swap:
            self._add("Save this choice…", self._ask)
        for name in self._saved:
            self._add(f"Forget {name}", partial(self.forget, name))

    def apply(self, preset: SwapPreset) -> None:
        """Swap as the preset says, as far as the model has its parts."""
        known = tuple(name for name in preset.swap if name in self._parts)
        if not known:
            self._commands.say(f"this model has none of the preset's parts ({', '.join(preset.swap)}); choose others")
            return
        self._commands.change_live(**{**preset.model_dump(), "swap": known})

    def save(self, name: str) -> None:
        """Keep the present choice under a name; an older one of that name is replaced."""
        name = name.strip()[:40]
        if not name:
            return
        if name not in self._saved and len(self._saved) >= MOST_PRESETS:
            self._commands.say(f"there are {MOST_PRESETS} presets already; forget one first")
            return
        live: LiveSettings = self._commands.settings.live
        self._saved[name] = SwapPreset(**{field: getattr(live, field) for field in SwapPreset.model_fields})
        self._commands.say(f"saved as {name}")

    def forget(self, name: str) -> None:
        """Throw a preset away."""
        self._saved.pop(name, None)

    @override
    def value(self) -> dict[str, SwapPreset]:
        return dict(self._saved)

    @override
    def set_value(self, value: dict[str, SwapPreset]) -> None:
        self._saved = dict(value)

    def _region(self, region: str) -> tuple[str, ...]:
        try:
            return select_parts((region,), self._parts)
        except ConfigError:
            return ()

    def _ask(self) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle(TITLE)
        dialog.setLabelText("Name of the preset")
        dialog.textValueSelected.connect(self.save)
        dialog.open()

    def _add(self, text: str, run: object) -> None:
        action = self._menu.addAction(text)
        if action is not None and callable(run):
            action.triggered.connect(lambda _=False: run())
