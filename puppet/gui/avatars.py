"""The strip of avatars: thumbnails to choose from, added by dialog or by dropping files on the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QIcon, QPainter, QPixmap, QWheelEvent
from PyQt6.QtWidgets import QFrame, QListView, QListWidget, QListWidgetItem
from typing_extensions import override

from puppet import avatar_pictures, framing, images
from puppet.gui.preview import as_qimage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from PyQt6.QtCore import QMimeData

    from puppet.framing import Square
    from puppet.gui.tasks import Tasks
    from puppet.types import Image

PATH = Qt.ItemDataRole.UserRole
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
MOST_WATCHED = 200
"""Pictures of a folder that are shown."""
SIDE = 10
"""Letters' widths: of a thumbnail."""
PLACE_HOLDER = QColor(128, 134, 146, 60)
SIGN = QColor(128, 134, 146)
MOST_TEXT = 1.4
"""Width of a name, over a thumbnail's side; a longer one is cut in the middle."""
ROUNDING = 0.2
"""Radius of its corners, over its side."""


class AvatarStrip(QListWidget):
    """Emits the path that was chosen, once it is another one."""

    chosen = pyqtSignal(Path)

    def __init__(
        self,
        tasks: Tasks,
        *,
        bundled: Sequence[Path],
        added: Sequence[Path],
        crops: Mapping[Path, Square] | None = None,
    ) -> None:
        """Show pictures.

        Args:
            tasks: read the thumbnails.
            bundled: come with the program; they stay.
            added: by the user.
            crops: parts of pictures that were chosen by hand.
        """
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
        self.watched: dict[Path, float] = {}
        """Pictures of a folder, with the time when each was changed."""
        self.crops = dict(crops or {})
        for path in bundled:
            self._insert(self.count(), path)
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
        """Put pictures behind those added before; returns those that are files and were not there yet."""
        new = []
        for path in (path.absolute() for path in paths):
            if path not in self.paths and path.is_file():
                self._insert(self.count() - len(self.watched), path)
                self.added.append(path)
                new.append(path)
        return new

    def watch(self, found: Mapping[Path, float]) -> None:
        """Show a folder's pictures at the end, as they are now: path, and when it was changed."""
        for path in [path for path in self.watched if path not in found]:
            del self.watched[path]
            self._drop(path)
        for path, changed_at in found.items():
            if path in self.watched:
                if self.watched[path] != changed_at:
                    self._read(self._item(path), path)
            elif path not in self.paths:
                self._insert(self.count(), path)
            else:
                continue  # bundled, or added by hand
            self.watched[path] = changed_at

    def crop(self, path: Path, square: Square) -> None:
        """Use that part of a picture from now on."""
        self.crops[path] = square
        if path in self.paths:
            self._read(self._item(path), path)

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

    def _item(self, path: Path) -> QListWidgetItem:
        item = self.item(self.paths.index(path))
        assert item is not None
        return item

    def _insert(self, row: int, path: Path) -> None:
        name = path.stem.replace("_", " ").replace("-", " ").capitalize()
        room = round(MOST_TEXT * self._side)
        item = QListWidgetItem(self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, room))
        item.setData(PATH, str(path))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, name)
        item.setIcon(_icon(None, self._side))
        self.insertItem(row, item)
        self._read(item, path)

    def _drop(self, path: Path) -> None:
        """Take it off; if it was chosen, it is driven until something else is."""
        row = self.paths.index(path)
        with QSignalBlocker(self):
            if row == self.currentRow():
                self.setCurrentRow(-1)
            self.takeItem(row)

    def _read(self, item: QListWidgetItem, path: Path) -> None:
        """Make the thumbnail; a file that is no picture (yet) says so when pointed at."""
        item.setToolTip(str(path))
        square = self.crops.get(path)
        self._tasks.run(
            lambda: thumbnail(path, 2 * self._side, square),
            then=lambda picture: item.setIcon(_icon(picture, self._side)),
            failed=lambda sentence: self._mark_unreadable(item, sentence),
            is_slow=True,
        )

    def _mark_unreadable(self, item: QListWidgetItem, sentence: str) -> None:
        item.setIcon(_icon(None, self._side, sign="?"))
        item.setToolTip(sentence)


def thumbnail(path: Path, side: int, square: Square | None = None) -> Image:
    """A part of a picture or clip, its middle if none is named; uint8 (side, side, 3) RGB.

    Raises:
        PuppetError: it cannot be read.
    """
    picture = avatar_pictures.read_whole(path)
    height, width = picture.shape[:2]
    if square is None or not framing.is_within(square, width, height):
        square = framing.centre_square(width, height)
    return images.crop(picture, square, size=side)


def pictures_in(folder: Path) -> dict[Path, float]:
    """Picture files of a folder in the order of their names, with the time when each was changed; the first few.

    Raises:
        OSError: the folder cannot be read.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    return {path.absolute(): path.stat().st_mtime for path in paths[:MOST_WATCHED]}


def dropped_paths(data: QMimeData | None) -> list[Path]:
    """Local files and folders among what is being dropped."""
    if data is None or not data.hasUrls():
        return []
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def _icon(picture: Image | None, side: int, *, sign: str = "") -> QIcon:
    """Rounded; a faint place holder, with a sign on it, while there is no picture."""
    rounded = QPixmap(2 * side, 2 * side)
    rounded.fill(Qt.GlobalColor.transparent)
    painter = QPainter(rounded)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(PLACE_HOLDER if picture is None else QBrush(as_qimage(picture)))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(rounded.rect(), side * ROUNDING, side * ROUNDING)
    if sign:
        font = painter.font()
        font.setPixelSize(side)
        painter.setFont(font)
        painter.setPen(SIGN)
        painter.drawText(rounded.rect(), Qt.AlignmentFlag.AlignCenter, sign)
    painter.end()
    icon = QIcon(rounded)
    icon.addPixmap(rounded, QIcon.Mode.Selected)  # else it would be tinted
    return icon
