"""Controls for one value each. `changed` is emitted when the user changes it, not when the program does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PyQt6.QtCore import QEvent, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QColor, QIcon, QKeyEvent, QPixmap, QWheelEvent
from PyQt6.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSlider,
    QTabBar,
    QWidget,
)
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = 100
PICTURES = "Pictures (*.png *.jpg *.jpeg *.webp *.bmp *.tif *.tiff)"
ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)


class Control(QWidget):
    """One value. Its accessible name is the field's title."""

    changed = pyqtSignal()
    has_own_title = False
    """Whether it shows the title itself."""

    def __init__(self, title: str, description: str, inner: QWidget) -> None:
        super().__init__()
        self.setToolTip(description[:1].upper() + description[1:])
        inner.setAccessibleName(title)
        inner.setAccessibleDescription(description)
        self.setFocusProxy(inner)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(inner, 1)
        self.inner = inner

    def value(self) -> Any:
        """What is shown."""
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show it; `changed` is not emitted."""
        raise NotImplementedError


class Switch(Control):
    """On or off."""

    has_own_title = True

    def __init__(self, title: str, description: str) -> None:
        self.box = QCheckBox(title)
        super().__init__(title, description, self.box)
        self.box.toggled.connect(self.changed)

    @override
    def value(self) -> bool:
        return self.box.isChecked()

    @override
    def set_value(self, value: bool) -> None:
        with QSignalBlocker(self.box):
            self.box.setChecked(value)


class PlainSlider(QSlider):
    """Keeps the arrow keys while it has the focus, and leaves the wheel to the page that it lies on."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)

    @override
    def event(self, event: QEvent | None) -> bool:
        return _takes_arrow(event) or super().event(event)

    @override
    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is not None:
            event.ignore()


class PlainTabs(QTabBar):
    """Keeps the arrow keys while it has the focus."""

    @override
    def event(self, event: QEvent | None) -> bool:
        return _takes_arrow(event) or super().event(event)


def _takes_arrow(event: QEvent | None) -> bool:
    """Whether a key is an arrow that would be a shortcut of the window; then it is none."""
    if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.ShortcutOverride or event.key() not in ARROWS:
        return False
    event.accept()
    return True


class Slider(Control):
    """A number between bounds, with its value beside it."""

    def __init__(self, title: str, description: str, *, bounds: tuple[float, float]) -> None:
        self.slider = PlainSlider()
        self.slider.setRange(0, STEPS)
        self.slider.setPageStep(STEPS // 10)
        super().__init__(title, description, self.slider)
        self._low, self._high = bounds
        self._value = bounds[0]
        self._number = QLabel()
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._number.setMinimumWidth(self.fontMetrics().horizontalAdvance("-0.00"))
        layout = self.layout()
        if layout is not None:
            layout.addWidget(self._number)
        self.slider.valueChanged.connect(self._move)

    @override
    def value(self) -> float:
        return self._value

    @override
    def set_value(self, value: float) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(round((value - self._low) / (self._high - self._low) * STEPS))
        self._show(value)

    def _move(self, step: int) -> None:
        self._show(round(self._low + step / STEPS * (self._high - self._low), 4))
        self.changed.emit()

    def _show(self, value: float) -> None:
        self._value = value
        self._number.setText(f"{value:.2f}")


class PlainChoice(QComboBox):
    """Leaves the wheel to the page that it lies on."""

    @override
    def wheelEvent(self, event: QWheelEvent | None) -> None:
        if event is not None:
            event.ignore()


class Choice(Control):
    """One of a few."""

    def __init__(self, title: str, description: str, *, choices: Sequence[str | int]) -> None:
        self.box = PlainChoice()
        super().__init__(title, description, self.box)
        for choice in choices:
            self.box.addItem(str(choice).capitalize(), choice)
        self.box.currentIndexChanged.connect(self.changed)

    @override
    def value(self) -> Any:
        return self.box.currentData()

    @override
    def set_value(self, value: str | int) -> None:
        with QSignalBlocker(self.box):
            self.box.setCurrentIndex(self.box.findData(value))


class Parts(Control):
    """Any of the model's parts, in a menu."""

    def __init__(self, title: str, description: str) -> None:
        self.button = QPushButton()
        super().__init__(title, description, self.button)
        self.names: tuple[str, ...] = ()
        self._chosen: tuple[str, ...] = ()
        self._menu = QMenu(self)
        self.button.setMenu(self._menu)
        self._tell()

    def offer(self, names: Sequence[str]) -> None:
        """What there is to choose from."""
        self.names = tuple(names)
        self._menu.clear()
        for name in self.names:
            action = QAction(name.replace("_", " ").capitalize(), self._menu)
            action.setCheckable(True)
            action.setData(name)
            action.setChecked(name in self._chosen)
            action.toggled.connect(self._gather)
            self._menu.addAction(action)
        self._tell()

    @override
    def value(self) -> tuple[str, ...]:
        return self._chosen

    @override
    def set_value(self, value: tuple[str, ...]) -> None:
        self._chosen = tuple(value)
        for action in self._menu.actions():
            with QSignalBlocker(action):
                action.setChecked(action.data() in self._chosen)
        self._tell()

    def _gather(self) -> None:
        self._chosen = tuple(str(action.data()) for action in self._menu.actions() if action.isChecked())
        self._tell()
        self.changed.emit()

    def _tell(self) -> None:
        if not self._chosen:
            self.button.setText("None")
        else:
            self.button.setText(f"{len(self._chosen)} of {len(self.names)}" if self.names else "…")


class Colour(Control):
    """A colour, chosen in Qt's dialog."""

    def __init__(self, title: str, description: str) -> None:
        self.button = QPushButton()
        super().__init__(title, description, self.button)
        self._value = (0, 0, 0)
        self._dialog: QColorDialog | None = None
        self.button.clicked.connect(self._ask)

    @override
    def value(self) -> tuple[int, int, int]:
        return self._value

    @override
    def set_value(self, value: tuple[int, int, int]) -> None:
        self._value = value
        swatch = QPixmap(self.button.iconSize())
        swatch.fill(QColor(*value))
        self.button.setIcon(QIcon(swatch))
        self.button.setText(QColor(*value).name())

    def choose(self, colour: QColor) -> None:
        """As if it had been chosen in the dialog."""
        self.set_value((colour.red(), colour.green(), colour.blue()))
        self.changed.emit()

    def _ask(self) -> None:
        self._dialog = QColorDialog(QColor(*self._value), self)
        self._dialog.colorSelected.connect(self.choose)
        self._dialog.open()


class File(Control):
    """A picture file, or none."""

    def __init__(self, title: str, description: str) -> None:
        self.button = QPushButton()
        super().__init__(title, description, self.button)
        self._value: Path | None = None
        self._dialog: QFileDialog | None = None
        self.button.clicked.connect(self._ask)
        self.set_value(None)

    @override
    def value(self) -> Path | None:
        return self._value

    @override
    def set_value(self, value: Path | None) -> None:
        self._value = value
        name = value.name if value else "Choose…"
        self.button.setText(name if len(name) <= 20 else f"{name[:18]}…")

    def choose(self, name: str) -> None:
        """As if it had been chosen in the dialog."""
        self.set_value(Path(name))
        self.changed.emit()

    def _ask(self) -> None:
        self._dialog = QFileDialog(self, self.inner.accessibleName(), "", PICTURES)
        self._dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._dialog.fileSelected.connect(self.choose)
        self._dialog.open()
