"""Which picture is driven: the strip of avatars, pictures that are added, cropped or found in a watched folder."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from puppet.gui import dialogs
from puppet.gui.avatars import SUFFIXES, pictures_in
from puppet.gui.crop import CropDialog
from puppet.sources.video_file import is_video

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PyQt6.QtWidgets import QWidget

    from puppet.avatar import Avatar
    from puppet.framing import Square
    from puppet.gui.avatars import AvatarStrip
    from puppet.gui.commands import Commands
    from puppet.pipeline import Pipeline
    from puppet.types import Image

LOOK_S = 3.0
"""How often the folder is looked at. Asking again and again works on every disk, which notifications do not."""


class Gallery:
    """Used from the Qt thread alone; waits for nothing."""

    def __init__(self, strip: AvatarStrip, commands: Commands, pipeline: Pipeline, *, folder: Path | None) -> None:
        """Take what it acts upon."""
        self.strip: AvatarStrip = strip
        self.folder: Path | None = folder
        """That is watched."""
        self.on_avatar: Callable[[Avatar], None] = lambda avatar: None
        self._commands = commands
        self._pipeline = pipeline
        self._wanted: Path | None = None
        self._is_loading = self._is_looking = False
        self._looked_at = -math.inf
        strip.chosen.connect(self.load)

    def tick(self, now: float) -> None:
        """Look at the folder, now and then."""
        folder = self.folder
        if folder is None or self._is_looking or now - self._looked_at < LOOK_S:
            return
        self._looked_at, self._is_looking = now, True
        self._commands.tasks.run(
            lambda: pictures_in(folder),
            then=lambda found: self._show_folder(folder, found),
            failed=lambda sentence: self._lose_folder(folder, sentence),
            is_slow=True,
        )

    def pick_path(self, path: Path) -> None:
        """Drive that picture; it joins the strip, unless it comes with the watched folder."""
        path = path.absolute()
        if path.parent == self.folder and path not in self.strip.paths and path.is_file():
            self.strip.watch({**self.strip.watched, path: path.stat().st_mtime})
        self.strip.add([path])
        self.strip.select(path)
        self.load(path)

    def add(self, paths: Sequence[Path]) -> None:
        """Put pictures on the strip and drive the last of them."""
        new = self.strip.add(paths)
        if new:
            self.pick_path(new[-1])

    def takes(self, path: Path) -> bool:
        """Whether it may be dropped here: a picture, a clip, or a folder to watch."""
        return path.suffix.lower() in SUFFIXES or is_video(path) or path.is_dir()

    def drop(self, paths: Sequence[Path], *, is_on_strip: bool) -> list[Path]:
        """Add pictures, and watch the first folder, if there is one.

        Returns:
            The clips, which are for somebody else; those that are dropped on the strip are added, too.
        """
        clips = [] if is_on_strip else [path for path in paths if is_video(path)]
        self.add([path for path in paths if path not in clips and not path.is_dir() and self.takes(path)])
        folder = next((path for path in paths if path.is_dir()), None)
        if folder is not None:
            self.watch(folder)
        return clips

    def ask(self) -> None:
        """Add pictures by a dialog."""
        dialogs.ask_pictures(self._window(), self.add)

    def remove(self) -> None:
        """Take the chosen one off the strip."""
        if self.strip.current in self.strip.watched:
            self._commands.say("that picture lies in the watched folder; remove it there, or stop watching the folder")
        elif not self.strip.remove_current():
            self._commands.say("only pictures that you added can be removed")

    def toggle_folder(self) -> None:
        """Watch a folder that is asked for, or stop it."""
        if self.folder is None:
            dialogs.ask_folder(self._window(), self.watch)
        else:
            self.folder = None
            self.strip.watch({})

    def watch(self, folder: Path) -> None:
        """Show that folder's pictures from now on."""
        self.folder, self._looked_at = folder, -math.inf
        self._commands.say(f"pictures in {folder} come and go on the strip by themselves")

    def ask_crop(self) -> None:
        """Choose by hand which part of the chosen picture is the avatar."""
        path = self.strip.current
        if path is None:
            self._commands.say("choose a picture first")
            return
        self._commands.tasks.watch(self._pipeline.frame_avatar(path), then=lambda framed: self._show_crop(path, framed))

    def reload(self) -> None:
        """Load the chosen picture again, for another model."""
        if self.strip.current is not None:
            self.load(self.strip.current)

    def load(self, path: Path) -> None:
        """The newest wish wins; while one is being read, no other is ordered."""
        self._wanted = path
        if self._is_loading:
            return
        self._wanted, self._is_loading = None, True
        self._commands.tasks.watch(
            self._pipeline.load_avatar(path, self.strip.crops.get(path)),
            then=self._end_loading,
            failed=lambda sentence: self._end_loading(None),
        )

    def _window(self) -> QWidget | None:
        return self.strip.window()

    def _end_loading(self, avatar: Avatar | None) -> None:
        self._is_loading = False
        if avatar is not None:
            self.on_avatar(avatar)
        if self._wanted is not None:
            self.load(self._wanted)

    def _show_crop(self, path: Path, framed: tuple[Image, Square]) -> None:
        picture, found = framed

        def take(square: Square) -> None:
            self.strip.crop(path, square)
            self.load(path)

        CropDialog(self._window(), picture, found=found, chosen=self.strip.crops.get(path), take=take).open()

    def _show_folder(self, folder: Path, found: dict[Path, float]) -> None:
        self._is_looking = False
        if folder == self.folder:
            self.strip.watch(found)

    def _lose_folder(self, folder: Path, sentence: str) -> None:
        self._is_looking = False
        if folder == self.folder:
            self.folder = None
            self.strip.watch({})
            self._commands.say(f"{folder} cannot be watched any more ({sentence}); choose another folder")
