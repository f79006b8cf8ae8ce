"""What the window consists of, and where it stands."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from PyQt6.QtCore import QByteArray, QSize, Qt
from PyQt6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from puppet.gui.actions import ROWS
from puppet.gui.avatars import AvatarStrip
from puppet.gui.banner import Banner
from puppet.gui.controls import ControlPanel
from puppet.gui.presets import TITLE, SwapPresets
from puppet.gui.preview import PictureView
from puppet.gui.sources import SourcePicker
from puppet.gui.status import StatusLine
from puppet.gui.widgets import Slider
from puppet.gui.work import WorkBar

if TYPE_CHECKING:
    from PyQt6.QtGui import QAction

    from puppet.gui.start import Start
    from puppet.gui.tasks import Tasks
    from puppet.gui.window import Window

BUTTONS = ("calibrate", "virtual_camera", "record", "snapshot", "pass_through", "hide")
WIDE = 16 / 9
ROOMY, MOST_OF_SCREEN = 1.2, 0.9
"""Size at the first start: over the size that is asked for, and at most over the screen's."""
SIDE = 54
"""Letters' widths: of the column at the right."""


class Parts:
    """The widgets of a window, by name."""

    def __init__(self, window: Window, actions: dict[str, QAction], tasks: Tasks, start: Start) -> None:
        """Make them and lay them out."""
        self.banner = Banner()
        self.work = WorkBar()
        self.result = PictureView("Result", aspect=WIDE, units=118)
        self.camera = PictureView("Camera", aspect=WIDE, units=28)
        self.avatar = PictureView("Avatar", aspect=1.0, units=16)
        self.picker = SourcePicker()
        self.ghost = Slider("Ghost", "lays the avatar faintly over your picture, to line up with", bounds=(0.0, 1.0))
        self.ghost.set_value(start.saved.ghost)
        self.panel = ControlPanel(window.commands.settings)
        self.panel.add_row("camera", "Ghost", self.ghost)
        self.presets = SwapPresets(window.commands, start.saved.swap_presets)
        self.panel.add_row("live", TITLE, self.presets)
        self.strip = AvatarStrip(tasks, bundled=start.avatars, added=start.saved.added_avatars, crops=start.saved.crops)
        self.status = StatusLine()
        self.side = self._side()
        self.page = QWidget()
        self.page.setObjectName("page")
        columns = QHBoxLayout(self.page)
        columns.addLayout(self._stage(actions), 1)
        columns.addWidget(self.side)
        gap = self.page.fontMetrics().height()
        columns.setContentsMargins(gap, gap, gap, 0)
        columns.setSpacing(gap)
        window.setCentralWidget(self.page)
        window.setStatusBar(self.status)
        _add_menus(window, actions)

    def _stage(self, actions: dict[str, QAction]) -> QVBoxLayout:
        """Result, commands, avatars."""
        column = QVBoxLayout()
        gap = self.result.fontMetrics().height()
        column.setSpacing(round(0.7 * gap))
        view = QGridLayout()  # the banner lies over the result, so that nothing jumps when it comes and goes
        view.addWidget(self.result, 0, 0)
        view.addWidget(self.banner, 0, 0, Qt.AlignmentFlag.AlignTop)
        view.addWidget(self.work, 0, 0, Qt.AlignmentFlag.AlignCenter)
        column.addLayout(view, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(gap // 4)
        buttons.addStretch()
        for key in BUTTONS:
            button = _button(actions[key])
            button.setObjectName(key)
            buttons.addWidget(button)
        buttons.addStretch()
        column.addLayout(buttons)
        self.strip.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        for key in ("crop_avatar", "remove_avatar", "add_avatars", "watch_folder"):
            self.strip.addAction(actions[key])
        gallery = QHBoxLayout()
        gallery.addWidget(self.strip, 1)
        add = _button(actions["add_avatars"])
        add.setObjectName("add")
        add.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        gallery.addWidget(add)
        column.addLayout(gallery)
        return column

    def _side(self) -> QWidget:
        """What drives, what is driven, and how."""
        side = QWidget()
        side.setObjectName("side")
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(_caption("Driven by"))
        column.addWidget(self.picker)
        views = QHBoxLayout()
        views.addWidget(self.camera, 16)
        views.addWidget(self.avatar, 9)
        column.addLayout(views)
        column.addWidget(self.panel, 1)
        side.setFixedWidth(side.fontMetrics().averageCharWidth() * SIDE)
        side.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        return side


def place(window: QMainWindow, geometry: str) -> None:
    """Put a window where it was, as Qt wrote it in base64; one that was nowhere yet becomes as large as is good."""
    if geometry and window.restoreGeometry(QByteArray(base64.b64decode(geometry))):
        return
    screen, size = window.screen(), window.sizeHint() * ROOMY
    window.resize(size if screen is None else size.boundedTo(screen.availableSize() * MOST_OF_SCREEN))


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setProperty("command", True)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
    size = round(1.5 * button.fontMetrics().height())
    button.setIconSize(QSize(size, size))
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setAccessibleName(action.text())
    button.setAccessibleDescription(action.statusTip())
    return button


def _caption(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("caption")
    return label


def _add_menus(window: QMainWindow, actions: dict[str, QAction]) -> None:
    bar = window.menuBar()
    if bar is None:
        return
    menus = {name: bar.addMenu(f"&{name}") for name in dict.fromkeys(row.menu for row in ROWS if row.menu)}
    for row in ROWS:
        menu = menus.get(row.menu)
        if menu is not None:
            menu.setToolTipsVisible(True)
            menu.addAction(actions[row.key])
