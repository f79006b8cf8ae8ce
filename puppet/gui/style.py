"""How the window looks: one style on every system, in the colours of the desktop's light or dark scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPalette

from puppet.gui.icons import FOLDER

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QApplication, QLabel

Role = QPalette.ColorRole
LIGHT = {
    Role.Window: "#f5f6f8", Role.WindowText: "#1d2129", Role.Base: "#ffffff", Role.AlternateBase: "#e7eaef",
    Role.Text: "#1d2129", Role.Button: "#ffffff", Role.ButtonText: "#1d2129", Role.BrightText: "#ffffff",
    Role.PlaceholderText: "#667085", Role.Mid: "#c3c9d3", Role.Midlight: "#d6dbe3", Role.Light: "#ffffff",
    Role.Dark: "#9aa3b2", Role.Shadow: "#7d8694", Role.Highlight: "#3f63d8", Role.HighlightedText: "#ffffff",
    Role.ToolTipBase: "#1d2129", Role.ToolTipText: "#f5f6f8", Role.Link: "#2f52c4",
}  # fmt: skip
DARK = {
    Role.Window: "#1b1d22", Role.WindowText: "#e6e8ec", Role.Base: "#24272e", Role.AlternateBase: "#2b2f37",
    Role.Text: "#e6e8ec", Role.Button: "#2b2f37", Role.ButtonText: "#e6e8ec", Role.BrightText: "#ffffff",
    Role.PlaceholderText: "#98a1b0", Role.Mid: "#454b57", Role.Midlight: "#3a3f4a", Role.Light: "#4a505c",
    Role.Dark: "#15171b", Role.Shadow: "#0d0e11", Role.Highlight: "#5b7cf0", Role.HighlightedText: "#ffffff",
    Role.ToolTipBase: "#e6e8ec", Role.ToolTipText: "#1b1d22", Role.Link: "#8aa4ff",
}  # fmt: skip
FADED = {Role.WindowText, Role.Text, Role.ButtonText}
"""Fainter where a control is disabled."""

TITLE = 1.4
SHEET = """
QMenuBar { background: palette(window); padding: 0.2em 0.4em; }
QMenuBar::item { padding: 0.3em 0.7em; border-radius: 5px; }
QMenuBar::item:selected { background: palette(alternate-base); }
QMenu { background: palette(base); border: 1px solid palette(midlight); padding: 0.3em; }
QMenu::item { padding: 0.35em 1.6em 0.35em 1.6em; border-radius: 5px; }
QMenu::item:selected { background: palette(highlight); color: palette(highlighted-text); }
QMenu::separator { height: 1px; background: palette(midlight); margin: 0.3em 0.6em; }
QMenu::indicator { width: 0.9em; height: 0.9em; margin-left: 0.4em; }
QMenu::indicator:checked { image: url("ICONS/check.svg"); background: palette(highlight); border-radius: 3px; }
QToolTip { background: palette(window-text); color: palette(window); border: none; padding: 0.3em; }
QLabel#caption { color: palette(placeholder-text); font-weight: 600; }
QLabel#hint, QLabel#lead { color: palette(placeholder-text); }
#banner { border-radius: 8px; background: palette(window-text); }
#banner QLabel { color: palette(window); }
#banner[kind="warning"] { background: #8a5a00; }
#banner[kind="trouble"] { background: #b4451f; }
#banner[kind="warning"] QLabel, #banner[kind="trouble"] QLabel { color: white; }
#banner QPushButton { background: transparent; color: palette(window); border-color: palette(window); }
#banner QPushButton[kind="warning"], #banner QPushButton[kind="trouble"] { color: white; border-color: white; }
#banner QPushButton:hover, #banner QPushButton:focus { background: rgba(255, 255, 255, 50); }
#work { border-radius: 10px; background: palette(window); border: 1px solid palette(midlight); }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }
QListView { background: palette(base); border: 1px solid palette(midlight); border-radius: 8px; outline: none;
    padding: 0.3em; }
QListView::item { border-radius: 6px; padding: 0.35em 0.5em; color: palette(text); border: 2px solid transparent; }
QListView::item:hover { background: palette(alternate-base); }
QListView::item:selected { background: palette(alternate-base); border-color: palette(highlight); }
QListWidget { background: transparent; border: none; padding: 0; }
QListWidget::item { border-radius: 10px; padding: 3px; }
QTableView { border: 1px solid palette(midlight); border-radius: 8px; background: palette(base); outline: none; }
QTableView::item { padding: 0.35em 0.6em; }
QHeaderView { background: palette(base); }
QHeaderView::section { background: palette(base); color: palette(placeholder-text); font-weight: 600; border: none;
    border-bottom: 1px solid palette(midlight); padding: 0.4em 0.6em; }
QPushButton { padding: 0.4em 1.1em; border: 1px solid palette(mid); border-radius: 6px; background: palette(button); }
QPushButton:hover { background: palette(alternate-base); }
QPushButton:focus { border-color: palette(highlight); }
QPushButton:disabled { border-color: palette(midlight); }
QPushButton#primary { background: palette(highlight); border-color: palette(highlight);
    color: palette(highlighted-text); font-weight: 600; }
QPushButton#primary:hover, QPushButton#primary:focus { border-color: palette(window-text); }
QPushButton#primary:disabled { background: palette(midlight); border-color: palette(midlight);
    color: palette(placeholder-text); }
QPushButton::menu-indicator { image: url("ICONS/chevron.svg"); width: 0.8em; height: 0.8em;
    subcontrol-position: right center; right: 0.5em; }
QComboBox { padding: 0.3em 0.6em; border: 1px solid palette(mid); border-radius: 6px; background: palette(button); }
QComboBox:hover { background: palette(alternate-base); }
QComboBox:focus { border-color: palette(highlight); }
QComboBox:disabled { border-color: palette(midlight); }
QComboBox::drop-down { border: none; width: 1.7em; }
QComboBox::down-arrow { image: url("ICONS/chevron.svg"); width: 0.8em; height: 0.8em; }
QComboBox QAbstractItemView { border: 1px solid palette(midlight); border-radius: 0; background: palette(base); }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QSlider { min-height: 1.4em; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: palette(midlight); }
QSlider::sub-page:horizontal { background: palette(highlight); border-radius: 2px; }
QSlider::sub-page:horizontal:disabled { background: palette(mid); }
QSlider::handle:horizontal { width: 12px; height: 12px; margin: -5px 0; border-radius: 7px; background: white;
    border: 1px solid palette(dark); }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { border: 2px solid palette(highlight);
    width: 10px; height: 10px; }
QSlider::handle:horizontal:disabled { background: palette(midlight); border-color: palette(mid); }
QCheckBox { spacing: 0.6em; }
QCheckBox::indicator { width: 1em; height: 1em; border: 1px solid palette(placeholder-text); border-radius: 4px;
    background: palette(base); }
QCheckBox::indicator:checked { background: palette(highlight); border-color: palette(highlight);
    image: url("ICONS/check.svg"); }
QCheckBox::indicator:focus { border-color: palette(window-text); }
QCheckBox::indicator:disabled { border-color: palette(midlight); }
QCheckBox::indicator:checked:disabled { background: palette(mid); }
QTabWidget::pane { border: none; border-top: 1px solid palette(midlight); }
QTabBar { qproperty-drawBase: 0; }
QTabBar::tab { padding: 0.5em 0.9em; border: none; border-bottom: 2px solid transparent;
    color: palette(placeholder-text); }
QTabBar::tab:hover { color: palette(window-text); }
QTabBar::tab:selected { color: palette(window-text); border-bottom-color: palette(highlight); }
QTabBar::tab:focus { background: palette(alternate-base); border-radius: 5px; }
QToolButton[command="true"] { padding: 0.5em 0.3em; border: 1px solid transparent; border-radius: 8px;
    background: transparent; }
QToolButton[command="true"]:hover { background: palette(alternate-base); }
QToolButton[command="true"]:focus { border-color: palette(highlight); }
QToolButton[command="true"]:checked { background: palette(highlight); border-color: palette(highlight);
    color: palette(highlighted-text); }
QToolButton#record:checked { background: #c0392b; border-color: #c0392b; color: white; }
QToolButton#add { border-color: palette(midlight); }
QScrollBar:vertical { width: 10px; background: transparent; margin: 0; }
QScrollBar::handle:vertical { background: palette(mid); border-radius: 4px; min-height: 2em; margin: 1px; }
QScrollBar::handle:vertical:hover { background: palette(dark); }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { border: none; border-radius: 3px; background: palette(midlight); max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: palette(highlight); border-radius: 3px; }
QDockWidget::title { background: palette(window); padding: 0.4em 1em; }
QStatusBar { color: palette(placeholder-text); }
QStatusBar::item { border: none; }
QStatusBar QLabel { padding: 0.3em 0.4em; color: palette(placeholder-text); }
QStatusBar QLabel#state { color: palette(window-text); font-weight: 600; }
""".replace("ICONS", FOLDER.as_posix())


def apply(application: QApplication) -> None:
    """Take the style, and follow the desktop from now on."""
    application.setStyle("Fusion")
    hints = application.styleHints()
    if hints is None:
        return
    wear(application, is_dark=hints.colorScheme() == Qt.ColorScheme.Dark)
    hints.colorSchemeChanged.connect(lambda scheme: wear(application, is_dark=scheme == Qt.ColorScheme.Dark))


def wear(application: QApplication, *, is_dark: bool) -> None:
    """Take the colours of one scheme."""
    application.setPalette(palette(is_dark=is_dark))
    application.setStyleSheet("")  # the same sheet would not be read again, with the new colours
    application.setStyleSheet(SHEET)


def enlarge(label: QLabel, times: float) -> None:
    """Write larger, and bolder where it is a title's size."""
    font = label.font()
    font.setPointSizeF(font.pointSizeF() * times)
    font.setBold(times >= TITLE)
    label.setFont(font)


def palette(*, is_dark: bool) -> QPalette:
    """All colours of one scheme."""
    made = QPalette()
    for role, name in (DARK if is_dark else LIGHT).items():
        made.setColor(role, QColor(name))
        if role in FADED:
            faded = QColor(name)
            faded.setAlphaF(0.38)
            made.setColor(QPalette.ColorGroup.Disabled, role, faded)
    made.setColor(QPalette.ColorGroup.Disabled, Role.Highlight, made.color(Role.Mid))
    return made
