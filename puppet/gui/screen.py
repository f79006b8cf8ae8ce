"""Whether Qt can show a window here; it would end the program without a word that a user understands."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import PyQt6

from puppet.errors import PuppetError

PLUGIN = Path(PyQt6.__file__).parent / "Qt6" / "plugins" / "platforms" / "libqxcb.so"
HELP = "or run without a window: python main.py live --no-window"


def require() -> None:
    """Look where it can be told beforehand: under X11.

    Raises:
        PuppetError: a library is missing, or no screen answers.
    """
    is_x11 = sys.platform.startswith("linux") and not os.environ.get("WAYLAND_DISPLAY")
    if not is_x11 or os.environ.get("QT_QPA_PLATFORM", "xcb") != "xcb":
        return
    try:
        if PLUGIN.exists():
            ctypes.CDLL(str(PLUGIN))
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        raise PuppetError(
            f"Qt cannot show a window ({error}); python tools/check_qt.py names the packages, {HELP}"
        ) from error
    if not _answers(xcb):
        display = os.environ.get("DISPLAY", "")
        raise PuppetError(f"no screen answers at DISPLAY={display}; set it to the one you sit at, {HELP}")


def _answers(xcb: ctypes.CDLL) -> bool:
    """Whether the X server takes a connection; a connection is to be freed even if it failed."""
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not failed
