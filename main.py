"""Starts the program; `python main.py --help` says how."""

from __future__ import annotations

import sys

from puppet.app import main

if __name__ == "__main__":
    sys.exit(main())
