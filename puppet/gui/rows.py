"""The rows of another list once more: what is chosen here is chosen there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QAbstractItemView, QListView
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable

    from PyQt6.QtCore import QAbstractItemModel
    from PyQt6.QtGui import QKeyEvent

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Rows(QListView):
    """The arrow keys go through it, Enter or a click chooses; Enter on what is chosen is left to the dialog."""

    def __init__(self, name: str, model: QAbstractItemModel | None, pick: Callable[[int], object]) -> None:
        """Take the other list's model, and what chooses one of its rows."""
        super().__init__()
        self.setAccessibleName(name)
        self.setModel(model)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSpacing(self.fontMetrics().height() // 6)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self._pick = pick
        self._marked: tuple[int, int] | None = None
        self.clicked.connect(lambda index: pick(index.row()))

    def mark(self, row: int) -> None:
        """Mark what is chosen, if that is another one than before: the arrow keys go where they like meanwhile."""
        model = self.model()
        if model is None:
            return
        known = (row, model.rowCount())
        if self._marked != known or not self.selectedIndexes():
            self.setCurrentIndex(model.index(row, 0))
            self._marked = known

    @override
    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        row = self.currentIndex().row()
        if event is not None and event.key() in ENTER and self._marked is not None and row != self._marked[0]:
            self._pick(row)
            event.accept()
        else:
            super().keyPressEvent(event)
