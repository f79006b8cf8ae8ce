"""tools/gpu_parts.py on the fake GPU, in a process of its own, as the GPU report starts it.

The first argument is JSON: the model that stands for both, a folder of tests, and what shall become of parts by their
titles: `crash`, `hang` or `fail`.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

from engines.building import benchmark
from tests.fake_gpu import FakeGpu
from tools import gpu_parts

CRASHED = 134


class _ForGood:
    """Patches without undoing."""

    @staticmethod
    def setattr(target: str, value: object) -> None:
        module, _, name = target.rpartition(".")
        setattr(importlib.import_module(module), name, value)


def main() -> int:
    """Do a part, or what it shall come to."""
    wanted: dict[str, Any] = json.loads(sys.argv[1])
    FakeGpu().install(_ForGood())
    if "model" in wanted:
        gpu_parts.BUNDLED = Path(wanted["model"])
        gpu_parts._export = lambda folder: shutil.copytree(wanted["model"], folder)
        gpu_parts.MEASURED_S, gpu_parts.WARM_UP = 0.0, 2
        benchmark.LEAST, benchmark.WARM_UP_S = 2, 0.0
    if "tests" in wanted:
        gpu_parts.TESTS = Path(wanted["tests"])
    title = next(each.removeprefix("--title=") for each in sys.argv if each.startswith("--title="))
    fate = wanted.get("fates", {}).get(title)
    if fate == "crash":
        os.write(2, b"an illegal memory access was encountered\n")
        os._exit(CRASHED)
    if fate == "hang":
        threading.Event().wait()
    if fate == "fail":
        raise MemoryError("CUDA out of memory")
    return gpu_parts.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
