"""Runs inside the machine: the real program between the kernel's webcam driver and a real virtual camera.

Every check leaves a line in the report, so that one boot serves them all: python -m tests.vm.guest FOLDER
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

from tests.vm.headless import HeadlessChecks
from tests.vm.program import CAMERA, SlowError, log, run, wait
from tests.vm.windowed import WindowChecks

GROUPS = (HeadlessChecks, WindowChecks)
CHECKS = tuple((kind, name) for kind in GROUPS for name in vars(kind) if not name.startswith("_"))
"""In the order in which they are run."""
SLOW = "slow: "
"""Begins the entry of a check that a busy host may have spoilt."""


def main(folder: Path) -> int:
    """Run all checks in order; returns how many failed."""
    run("modprobe", "vivid", "n_devs=1", "node_types=0x1")
    wait(CAMERA.exists, str(CAMERA))
    report: dict[str, str] = {}
    groups = {kind: kind(folder) for kind in GROUPS}
    for kind, name in CHECKS:
        started = time.monotonic()
        try:
            getattr(groups[kind], name)()
            report[name] = ""
        except (SlowError, subprocess.TimeoutExpired) as reason:
            report[name] = f"{SLOW}{reason}"
        except Exception:  # noqa: BLE001 - reported, and the next check is run
            report[name] = traceback.format_exc()
        log(f"{name}: {report[name] or 'passed'} ({time.monotonic() - started:.0f} s)")
        (folder / "report.json").write_text(json.dumps(report))
    return sum(bool(entry) for entry in report.values())


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    # The program's thread that listens may still wait if the program never started properly.
    os._exit(code)
