"""Every command of the window as a row of data; menus, buttons, shortcuts and the sheet of F1 are made from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from PyQt6.QtGui import QAction, QKeySequence

from puppet.config import DEFAULT_MODEL
from puppet.gui import icons

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtWidgets import QWidget

    from puppet.gui.commands import Commands
    from puppet.gui.engines import EngineBuilds
    from puppet.gui.gallery import Gallery
    from puppet.gui.models import Models
    from puppet.gui.motion_dock import MotionDock

DIGITS = 9


class Shell(Protocol):
    """What a row may use of the window."""

    commands: Commands
    trace: MotionDock
    gallery: Gallery
    models: Models
    engines: EngineBuilds

    def ask_video(self) -> None:
        """Choose a video file as the source."""
        ...

    def toggle_panel(self) -> None:
        """Show or hide the settings."""
        ...

    def is_panel_shown(self) -> bool:
        """Whether the settings are there."""
        ...

    def show_shortcuts(self) -> None:
        """List them."""
        ...

    def show_notice(self) -> None:
        """On consent and disclosure."""
        ...

    def show_about(self) -> None:
        """Which program this is."""
        ...

    def show_first_run(self) -> None:
        """Camera, avatar, calibration, step by step."""
        ...

    def close(self) -> bool:
        """End."""
        ...


@dataclass(frozen=True)
class Row:
    """One command."""

    key: str
    text: str
    shortcut: str
    run: Callable[[Shell], object]
    description: str
    menu: str
    """Where it stands; empty: in no menu, because the strip of avatars shows it."""
    is_on: Callable[[Shell], bool] | None = None
    """Of a command that is on or off."""


ROWS: tuple[Row, ...] = (
    Row(
        "calibrate", "Calibrate", "C", lambda shell: shell.commands.calibrate(),
        "After a countdown, your pose of that moment counts as the avatar's own", "Live",
        lambda shell: shell.commands.is_calibrating,
    ),
    Row(
        "find_reference", "Find best reference", "B", lambda shell: shell.commands.find_reference(),
        "Watches you for four seconds and calibrates on the moment nearest to the avatar's pose", "Live",
    ),
    Row(
        "show_parts", "Show parts", "O", lambda shell: shell.commands.toggle_parts(),
        "Paints the model's parts over the avatar, in colour; click one to swap it", "Live",
        lambda shell: shell.commands.settings.output.overlay > 0,
    ),
    Row(
        "open_video", "Drive with a video…", "Ctrl+D", lambda shell: shell.ask_video(),
        "Takes a video file, played over and over, instead of the camera", "Live",
    ),
    Row(
        "choose_model", "Choose a model…", "Ctrl+M", lambda shell: shell.models.ask(),
        "Drives the avatar by the model in another folder", "Model",
    ),
    Row(
        "bundled_model", "Bundled model", "Ctrl+B", lambda shell: shell.models.load(DEFAULT_MODEL),
        "Drives the avatar by the program's own model, the larger of two where the machine is fast enough",
        "Model", lambda shell: shell.models.path is None and not shell.models.is_light,
    ),
    Row(
        "light_model", "Light bundled model", "Ctrl+Shift+B",
        lambda shell: shell.models.load(DEFAULT_MODEL, is_light=True),
        "Drives the avatar by the smaller of the program's models, and leaves more of the machine to others", "Model",
        lambda shell: shell.models.path is None and shell.models.is_light,
    ),
    Row(
        "import_checkpoint", "Import a checkpoint…", "Ctrl+I", lambda shell: shell.models.ask_checkpoint(),
        "Makes a model folder of published weights of MCS or FOMM, and drives the avatar by it", "Model",
    ),
    Row(
        "build_engines", "Build engines for the GPU", "Ctrl+G", lambda shell: shell.engines.ask(),
        "Builds what an NVIDIA GPU needs to run the model with TensorRT; the picture goes on meanwhile", "Model",
        lambda shell: shell.engines.is_building,
    ),
    Row(
        "virtual_camera", "Virtual camera", "V", lambda shell: shell.commands.toggle_virtual_camera(),
        "Other programs see the result as a webcam's picture", "Output",
        lambda shell: shell.commands.virtual_camera is not None,
    ),
    Row(
        "record", "Record", "R", lambda shell: shell.commands.toggle_recording(),
        "Records the result as a video file in your folder of videos", "Output",
        lambda shell: shell.commands.recorder is not None,
    ),
    Row(
        "snapshot", "Snapshot", "S", lambda shell: shell.commands.take_snapshot(),
        "Saves the result of this moment in your folder of pictures", "Output",
    ),
    Row(
        "pass_through", "Pass-through", "P", lambda shell: shell.commands.toggle_show("camera"),
        "Others see your camera's own picture instead of the avatar", "Output",
        lambda shell: shell.commands.settings.output.show == "camera",
    ),
    Row(
        "hide", "Hide", "H", lambda shell: shell.commands.toggle_show("nothing"),
        "Others see nothing but the background", "Output",
        lambda shell: shell.commands.settings.output.show == "nothing",
    ),
    Row(
        "mirror", "Mirror output", "M", lambda shell: shell.commands.toggle_mirror(),
        "Turns the output left and right round for others", "Output",
        lambda shell: shell.commands.settings.output.mirror,
    ),
    Row(
        "add_avatars", "Add avatars…", "Ctrl+O", lambda shell: shell.gallery.ask(),
        "Adds pictures of your own to the strip, which can be dropped on it, too, or short clips of one face", "Avatar",
    ),
    Row(
        "watch_folder", "Watch a folder…", "Ctrl+Shift+O", lambda shell: shell.gallery.toggle_folder(),
        "Shows a folder's pictures on the strip, and follows what comes and goes there", "Avatar",
        lambda shell: shell.gallery.folder is not None,
    ),
    Row(
        "crop_avatar", "Crop…", "E", lambda shell: shell.gallery.ask_crop(),
        "Chooses by hand which part of the picture is driven", "Avatar",
    ),
    Row(
        "remove_avatar", "Remove from the strip", "Del", lambda shell: shell.gallery.remove(),
        "Takes a picture that you added off the strip; the file stays", "Avatar",
    ),
    Row(
        "next_avatar", "Next", "Right", lambda shell: shell.gallery.strip.step(1),
        "Drives the next picture of the strip", "Avatar",
    ),
    Row(
        "previous_avatar", "Previous", "Left", lambda shell: shell.gallery.strip.step(-1),
        "Drives the picture before", "Avatar",
    ),
    Row(
        "panel", "Settings panel", "Ctrl+P", lambda shell: shell.toggle_panel(),
        "Shows or hides the settings beside the result", "Window",
        lambda shell: shell.is_panel_shown(),
    ),
    Row(
        "motion", "Motion plot", "Ctrl+T", lambda shell: shell.trace.toggle(),
        "Shows or hides a plot of the last seconds: what is read, what is shown, and where limits act", "Window",
        lambda shell: not shell.trace.isHidden(),
    ),
    Row(
        "reset", "Reset settings", "Ctrl+0", lambda shell: shell.commands.reset(),
        "Sets everything in the panel to what comes with the program", "Window",
    ),
    Row("quit", "Quit", "Ctrl+Q", lambda shell: shell.close(), "Ends the program", "Window"),
    Row(
        "shortcuts", "Shortcuts", "F1", lambda shell: shell.show_shortcuts(),
        "Lists what every key does", "Help",
    ),
    Row(
        "set_up", "Set-up…", "F2", lambda shell: shell.show_first_run(),
        "Camera, avatar and calibration step by step, as at the first start", "Help",
    ),
    Row(
        "notice", "Consent and disclosure", "Shift+F1", lambda shell: shell.show_notice(),
        "What to bear in mind with pictures of people", "Help",
    ),
    Row(
        "about", "About Puppet", "Ctrl+F1", lambda shell: shell.show_about(),
        "Says which version this is, and under which licence", "Help",
    ),
    *(
        Row(
            f"avatar_{number}", f"Avatar {number}", str(number),
            lambda shell, number=number: shell.gallery.strip.pick(number - 1),  # type: ignore[misc]
            f"Drives picture {number} of the strip", "",
        )
        for number in range(1, DIGITS + 1)
    ),
)  # fmt: skip


def make_actions(shell: Shell, parent: QWidget) -> dict[str, QAction]:
    """An action a row, by key; the shortcuts work from then on."""
    actions = {}
    for row in ROWS:
        action = QAction(icons.icon(row.key), row.text, parent)
        action.setIconVisibleInMenu(False)
        action.setShortcut(QKeySequence(row.shortcut))
        action.setToolTip(f"{row.description} ({shortcut_text(row)})")
        action.setStatusTip(row.description)
        action.setCheckable(row.is_on is not None)
        action.triggered.connect(partial(_run, row, shell))
        parent.addAction(action)
        actions[row.key] = action
    return actions


def shortcut_text(row: Row) -> str:
    """As this system writes it."""
    return QKeySequence(row.shortcut).toString(QKeySequence.SequenceFormat.NativeText)


def follow(actions: dict[str, QAction], shell: Shell) -> None:
    """Let what is on or off look so."""
    for row in ROWS:
        action = actions[row.key]
        if row.is_on is not None and action.isChecked() != row.is_on(shell):
            action.setChecked(row.is_on(shell))


def _run(row: Row, shell: Shell, *_: object) -> None:
    row.run(shell)
