"""Build TensorRT engines of model folders; see `--help`."""

from __future__ import annotations

import sys

from engines.building.command import main

if __name__ == "__main__":
    sys.exit(main())
