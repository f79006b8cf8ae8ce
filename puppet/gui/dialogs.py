"""Questions and notes in windows of their own; none of them stops the program."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from puppet.gui import icons
from puppet.gui.actions import shortcut_text
from puppet.gui.widgets import PICTURES
from puppet.sources import video_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from puppet.gui.actions import Row

VIDEOS = f"Videos ({' '.join('*' + suffix for suffix in video_file.SUFFIXES)})"
AVATARS = f"Pictures and clips ({PICTURES.partition('(')[2][:-1]} {VIDEOS.partition('(')[2]}"
CHECKPOINTS = "Checkpoints (*.tar *.pth *.pt *.ckpt)"
NUMBERS = "Avatars by number"
PACKAGE = "puppet-live"
ABOUT = """<h2>Puppet</h2><p>Version {version}</p>
<p>One picture moves as you do, on this machine alone.</p>
<p>Free software under the GNU General Public License,<br>version 3 or later; without any warranty.</p>"""
NOTICE = """<p>This program makes a picture move as you do. Use pictures of people only with their consent, and do
not pass yourself off as someone else.</p>
<p>Those who watch should know what they see: a small sign in the corner says that the picture is made by AI, and
recordings and snapshots carry the same in their metadata.</p>
<p>The camera's picture stays on this machine.</p>"""


def ask_pictures(parent: QWidget | None, take: Callable[[list[Path]], None]) -> None:
    """Let the user choose pictures, or clips whose frames become views of one avatar."""
    dialog = QFileDialog(parent, "Add pictures or short clips of one face", "", f"{AVATARS};;{PICTURES};;{VIDEOS}")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.filesSelected.connect(lambda names: take([Path(name) for name in names]))
    _open(dialog)


def ask_folder(parent: QWidget | None, take: Callable[[Path], None]) -> None:
    """Let the user choose a folder of pictures."""
    dialog = QFileDialog(parent, "Watch a folder of pictures")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(lambda name: take(Path(name)))
    _open(dialog)


def ask_model(parent: QWidget, take: Callable[[Path], None]) -> None:
    """Let the user choose a model folder."""
    dialog = QFileDialog(parent, "Choose a model folder (it holds model.json)")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.fileSelected.connect(lambda name: take(Path(name)))
    _open(dialog)


def ask_checkpoint(parent: QWidget, take: Callable[[Path], None]) -> None:
    """Let the user choose a file of published weights."""
    dialog = QFileDialog(parent, "Import a checkpoint of MCS or FOMM", "", CHECKPOINTS)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(lambda name: take(Path(name)))
    _open(dialog)


def ask_video(parent: QWidget, take: Callable[[str], None]) -> None:
    """Let the user choose a video file."""
    dialog = QFileDialog(parent, "Drive with a video", "", VIDEOS)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(take)
    _open(dialog)


def show_shortcuts(parent: QWidget, rows: Sequence[Row]) -> None:
    """List what every key does."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("Shortcuts")
    table = QTableWidget(0, 3)
    table.setAccessibleName("Shortcuts")
    table.setHorizontalHeaderLabels(["Key", "Command", "What it does"])
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setShowGrid(False)
    menus = dict.fromkeys(row.menu or NUMBERS for row in rows)
    for menu in menus:
        _add_row(table, menu)
        for row in (row for row in rows if (row.menu or NUMBERS) == menu):
            _add_row(table, shortcut_text(row), row.text.rstrip("…"), row.description)
    vertical, horizontal = table.verticalHeader(), table.horizontalHeader()
    if vertical is not None and horizontal is not None:
        vertical.hide()
        vertical.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        horizontal.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        horizontal.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        horizontal.setStretchLastSection(True)
    unit = dialog.fontMetrics().height()
    table.setMinimumSize(54 * unit, 30 * unit)
    _finish(dialog, table, "Close")


def _add_row(table: QTableWidget, *texts: str) -> None:
    """A line of the sheet; with one text alone a caption over those that follow."""
    number = table.rowCount()
    table.insertRow(number)
    for column, text in enumerate(texts):
        table.setItem(number, column, QTableWidgetItem(text))
    caption = table.item(number, 0)
    if len(texts) == 1 and caption is not None:
        table.setSpan(number, 0, 1, table.columnCount())
        font = caption.font()
        font.setBold(True)
        caption.setFont(font)


def show_about(parent: QWidget) -> None:
    """Which program this is."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("About Puppet")
    side = 5 * dialog.fontMetrics().height()
    icon, text = QLabel(), QLabel(ABOUT.format(version=_version()))
    icon.setPixmap(icons.program_icon().pixmap(side, side))
    text.setTextFormat(Qt.TextFormat.RichText)
    text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    content = QWidget()
    row = QHBoxLayout(content)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(dialog.fontMetrics().height())
    row.addWidget(icon)
    row.addWidget(text, 1)
    _finish(dialog, content, "Close")


def show_notice(parent: QWidget, agree: Callable[[], None]) -> None:
    """On consent and disclosure; `agree` is called when it was read."""
    dialog = QDialog(parent)
    dialog.setWindowTitle("Consent and disclosure")
    text = QLabel(NOTICE)
    text.setWordWrap(True)
    text.setTextFormat(Qt.TextFormat.RichText)
    text.setMinimumWidth(30 * dialog.fontMetrics().height())
    dialog.accepted.connect(agree)
    _finish(dialog, text, "I understand")


def _version() -> str:
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return "of a folder that was not installed"


def _finish(dialog: QDialog, content: QWidget, answer: str) -> None:
    box = QDialogButtonBox()
    button = box.addButton(answer, QDialogButtonBox.ButtonRole.AcceptRole)
    if button is not None:
        button.setDefault(True)
        button.setObjectName("primary")
    box.accepted.connect(dialog.accept)
    column = QVBoxLayout(dialog)
    margin = dialog.fontMetrics().height()
    column.setContentsMargins(margin, margin, margin, margin)
    column.setSpacing(margin)
    column.addWidget(content)
    column.addWidget(box)
    _open(dialog)


def _open(dialog: QDialog) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
