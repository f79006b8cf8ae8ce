"""The strip of avatars: thumbnails to choose from, added by dialog or by dropping files on the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QIcon, QPainter, QPixmap, QWheelEvent
from PyQt6.QtWidgets import QFrame, QListView, QListWidget, QListWidgetItem
from typing_extensions import override

from puppet import framing, images
from puppet.gui.preview import as_qimage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from PyQt6.QtCore import QMimeData

    from puppet.gui.tasks import Tasks
    from puppet.types import Image

PATH = Qt.ItemDataRole.UserRole
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
SIDE = 10
"""Letters' widths: of a thumbnail."""
ROUNDING = 0.2
"""Radius of its corners, over its side."""


class AvatarStrip(QListWidget):
    """Emits the path that was chosen, once it is another one."""

    chosen = pyqtSignal(Path)

    def __init__(self, tasks: Tasks, *, bundled: Sequence[Path], added: Sequence[Path]) -> None:
        super().__init__()
        self.setAccessibleName("Avatars")
        self.setAccessibleDescription("pictures that can be driven; choose one with the arrow keys or 1 to 9")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setWrapping(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # the wheel and the keys scroll
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._tasks = tasks
        self._side = SIDE * self.fontMetrics().averageCharWidth()
        self.setIconSize(QSize(self._side, self._side))
        self.setSpacing(self.fontMetrics().height() // 4)
        self.setFixedHeight(self._side + round(2.0 * self.fontMetrics().height()) + 4 * self.spacing())
        self.added: list[Path] = []
        for path in bundled:
            self._append(path)
        self.add(added)
        self.currentItemChanged.connect(self._choose)

    @property
    def paths(self) -> list[Path]:
        """All of them, from left to right."""
        return [self._path(index) for index in range(self.count())]

    @property
    def current(self) -> Path | None:
        """The one that is chosen."""
        return self._path(self.currentRow()) if self.currentRow() >= 0 else None

    def add(self, paths: Iterable[Path]) -> list[Path]:
        """Put pictures at the end; returns those that are files and were not there yet."""
        new = []
        for path in (path.absolute() for path in paths):
            if path not in self.paths and path.is_file():
                self._append(path)
                self.added.append(path)
                new.append(path)
        return new

    def remove_current(self) -> bool:
        """Take it off, if the user added it; returns whether it was."""
        path = self.current
        if path is None or path not in self.added:
            return False
        self.added.remove(path)
        self.takeItem(self.currentRow())
        return True

    def select(self, path: Path) -> None:
        """Mark it as chosen without emitting."""
        with QSignalBlocker(self):
            self.setCurrentRow(self.paths.index(path) if path in self.paths else -1)

    def pick(self, index: int) -> None:
        """Choose by number, from 0; nothing happens if there is none."""
        if 0 <= index < self.count():
            self.setCurrentRow(index)

    def step(self, step: int) -> None:
        """Go on, round the ends."""
        if self.count():
            self.setCurrentRow((self.currentRow() + step) % self.count())

    @override
    def wheelEvent(self, event: QWheelEvent | None) -> None:
        bar = self.horizontalScrollBar()
        if event is not None and bar is not None:
            turned = event.angleDelta()
            bar.setValue(bar.value() - (turned.y() or turned.x()))
            event.accept()

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(4 * self._side, self.height())

    def _choose(self) -> None:
        if self.current is not None:
            self.chosen.emit(self.current)

    def _path(self, index: int) -> Path:
        item = self.item(index)
        return Path(item.data(PATH)) if item is not None else Path()

    def _append(self, path: Path) -> None:
        item = QListWidgetItem(path.stem.replace("_", " ").replace("-", " ").capitalize())
        item.setData(PATH, str(path))
        item.setToolTip(str(path))
        item.setIcon(_icon(None, self._side))
        self.addItem(item)
        self._tasks.run(
            lambda: thumbnail(path, 2 * self._side),
            then=lambda picture: item.setIcon(_icon(picture, self._side)),
            failed=item.setToolTip,
        )


def thumbnail(path: Path, side: int) -> Image:
    """The middle of a picture, uint8 (side, side, 3) RGB.

    Raises:
        AvatarError: it cannot be read.
    """
    picture = images.read_picture(path)
    square = framing.centre_square(picture.shape[1], picture.shape[0])
    return images.crop(picture, square, size=side)


def dropped_pictures(data: QMimeData | None) -> list[Path]:
    """Picture files among what is being dropped."""
    if data is None or not data.hasUrls():
        return []
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() in SUFFIXES]


def _icon(picture: Image | None, side: int) -> QIcon:
    if picture is None:
        blank = QPixmap(side, side)
        blank.fill(Qt.GlobalColor.transparent)
        return QIcon(blank)
    rounded = QPixmap(2 * side, 2 * side)
    rounded.fill(Qt.GlobalColor.transparent)
    painter = QPainter(rounded)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QBrush(as_qimage(picture)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(rounded.rect(), side * ROUNDING, side * ROUNDING)
    painter.end()
    icon = QIcon(rounded)
    icon.addPixmap(rounded, QIcon.Mode.Selected)  # else it would be tinted
    return icon
