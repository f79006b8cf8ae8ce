"""`python -m engines.building`: what the window runs to have engines built, and `tools/build_engines.py` too."""

from __future__ import annotations

import sys

from engines.building.command import main

if __name__ == "__main__":
    sys.exit(main())
