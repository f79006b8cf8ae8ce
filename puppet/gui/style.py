"""How the window looks: one style on every system, in the colours of the desktop's light or dark scheme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPalette

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QApplication

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

SHEET = """
QMenuBar { background: palette(window); padding: 0.2em 0.4em; }
QMenuBar::item { padding: 0.3em 0.7em; border-radius: 5px; }
QMenuBar::item:selected { background: palette(alternate-base); }
QLabel#caption { color: palette(placeholder-text); font-weight: 600; }
#banner { border-radius: 8px; background: palette(alternate-base); }
#banner[trouble="true"] { background: #b4451f; }
QLabel[trouble="true"] { color: white; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }
QListWidget { background: transparent; outline: none; }
QListWidget::item { border-radius: 10px; border: 2px solid transparent; padding: 3px; color: palette(text); }
QListWidget::item:hover { background: palette(alternate-base); }
QListWidget::item:selected { border-color: palette(highlight); background: palette(alternate-base); }
QToolButton[command="true"] { padding: 0.55em 1.1em; border: 1px solid palette(midlight); border-radius: 8px;
    background: palette(button); }
QToolButton[command="true"]:hover { background: palette(alternate-base); border-color: palette(mid); }
QToolButton[command="true"]:focus { border-color: palette(highlight); }
QToolButton[command="true"]:checked { background: palette(highlight); border-color: palette(highlight);
    color: palette(highlighted-text); }
QToolButton#record:checked { background: #c0392b; border-color: #c0392b; color: white; }
QStatusBar { color: palette(placeholder-text); }
QStatusBar::item { border: none; }
QStatusBar QLabel { padding: 0.3em 0.6em; color: palette(placeholder-text); }
QStatusBar QLabel#state { color: palette(window-text); font-weight: 600; }
"""


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
