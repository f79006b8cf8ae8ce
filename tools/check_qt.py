"""Says in one sentence which Debian packages the window lacks; says nothing if it lacks none.

The PyQt6 wheel brings Qt itself, but not the system libraries that Qt opens a window with.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

OBJECTS = (
    "lib/libQt6Widgets.so.6",
    "lib/libQt6DBus.so.6",
    "plugins/platforms/libqoffscreen.so",
    "plugins/platforms/libqxcb.so",
    "plugins/xcbglintegrations/libqxcb-glx-integration.so",
)
"""What is loaded to show a window under X11, or to draw without a screen."""
WAYLAND = "plugins/platforms/libqwayland.so"

PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
}
"""Debian's package of each library, bookworm's names; newer releases know them too."""


def main(arguments: list[str] | None = None) -> int:
    """Report; 0 whatever is found, because videos can be rendered without a window."""
    parser = argparse.ArgumentParser(prog="check_qt", description=__doc__)
    parser.add_argument("--names", action="store_true", help="print only the names of the missing packages")
    options = parser.parse_args(arguments)
    libraries = missing_libraries()
    packages = sorted({PACKAGES.get(library, library) for library in libraries})
    if options.names:
        for package in packages:
            if package in PACKAGES.values():
                print(package)
    elif packages:
        print(sentence(packages), file=sys.stderr)
    return 0


def sentence(packages: list[str]) -> str:
    """What is missing and what to do, for a person to read."""
    names = " ".join(packages)
    if shutil.which("apt-get"):
        return f"Qt lacks system libraries for a window (videos render without): sudo apt-get install {names}"
    return f"Qt lacks system libraries for a window (videos render without); Debian calls their packages {names}"


def missing_libraries() -> set[str]:
    """Names of the shared libraries that the system's loader does not find for Qt; empty where it cannot be asked."""
    qt = _qt_folder()
    if qt is None or shutil.which("ldd") is None:
        return set()
    objects = [*OBJECTS, WAYLAND] if os.environ.get("WAYLAND_DISPLAY") else OBJECTS
    paths = [path for name in objects if (path := qt / name).exists()]
    if not paths:
        return set()
    found = subprocess.run(["ldd", *map(str, paths)], capture_output=True, text=True, check=False)
    return {line.split()[0] for line in found.stdout.splitlines() if line.rstrip().endswith("not found")}


def _qt_folder() -> Path | None:
    if not sys.platform.startswith("linux"):
        return None
    spec = find_spec("PyQt6")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "Qt6"


if __name__ == "__main__":
    sys.exit(main())
