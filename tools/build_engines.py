"""Build TensorRT engines of model folders; see `--help`. Engines are also compared on the bundled avatars."""

from __future__ import annotations

import sys

from engines.building.command import main
from puppet import config

if __name__ == "__main__":
    sys.exit(main(pictures=config.avatars()[:2]))
