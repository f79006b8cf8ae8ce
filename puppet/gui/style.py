"""How the window looks, in the colours of the desktop's scheme."""

from __future__ import annotations

SHEET = """
QMainWindow, #page { background: palette(window); }
#caption { color: palette(mid); font-weight: 600; }
#banner { border-radius: 6px; background: palette(alternate-base); }
#banner[trouble="true"] { background: #b4451f; }
#banner[trouble="true"] QLabel { color: white; }
#side { background: palette(window); }
QListWidget { background: transparent; }
QListWidget::item { border-radius: 8px; padding: 4px; }
QListWidget::item:selected { background: palette(highlight); color: palette(highlighted-text); }
QToolButton#command { padding: 0.5em 0.9em; border: 1px solid palette(midlight); border-radius: 8px;
    background: palette(button); }
QToolButton#command:hover { border-color: palette(highlight); }
QToolButton#command:focus { border: 2px solid palette(highlight); }
QToolButton#command:checked { background: palette(highlight); color: palette(highlighted-text); }
QToolButton#record:checked { background: #c0392b; color: white; }
QStatusBar::item { border: none; }
QStatusBar QLabel { padding: 0.2em 0.6em; }
"""
