"""What takes long, over the result: a line of text, a bar that moves, and a way to call it off."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

QUIET_S = 0.4
"""What is over sooner is not shown."""
COUNTED_S = 3.0
"""What takes longer shows its seconds."""


class WorkBar(QWidget):
    """Hidden while there is nothing to wait for."""

    cancelled = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("work")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._label = QLabel()
        self._label.setAccessibleName("What is being done")
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)  # neither loading nor exporting knows how long it takes
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress")
        self.button = QPushButton()
        self.button.setAccessibleName("Call off")
        self.button.setAccessibleDescription("calls off what is being done")
        self.button.clicked.connect(self.cancelled)
        unit = self.fontMetrics().height()
        row = QHBoxLayout()
        row.setSpacing(unit)
        row.addWidget(self._bar, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, unit, unit, unit)
        column.setSpacing(unit // 2)
        column.addWidget(self._label)
        column.addLayout(row)
        self.setMinimumWidth(26 * unit)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def follow(self, text: str | None, seconds: float = 0.0, way_out: str = "") -> None:
        """Show what has been going on for so many seconds, None: nothing, and how it is called off, if it can be."""
        if text is None or seconds < QUIET_S:
            self.hide()
            return
        counted = f" ({seconds:.0f} s)" if seconds >= COUNTED_S else ""
        self._label.setText(f"{text[:1].upper()}{text[1:]}{counted}")
        self.button.setText(way_out)
        self.button.setVisible(bool(way_out))
        self.show()
