"""The real program on real devices: one boot of the machine runs all checks of guest.py, each reported here."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from puppet import images
from tests.vm import guest, machine, program

pytestmark = [pytest.mark.vm, pytest.mark.timeout(0)]

FACTOR = os.environ.get(program.TIME_FACTOR, "1")
TIMEOUT_S = 1500.0 * float(FACTOR)
"""Of the whole run."""
BUSY = 1.6
"""Load a core, over five minutes; the machine alone makes it 1."""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, str]:
    """By check, why it failed; empty if it did not."""
    if "vm" not in request.config.getoption("-m"):
        pytest.skip("takes minutes; run: pytest -m vm tests/vm")
    reason = machine.why_not()
    if reason is not None:
        pytest.skip(reason)
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train)")
    from tests.tiny_model import write

    shared = tmp_path_factory.mktemp("vm")
    write(shared / "model")
    images.write_picture(shared / "avatar.png", np.full((64, 64, 3), program.AVATAR, np.uint8))
    result = machine.Machine(shared).run(
        ["env", f"{program.TIME_FACTOR}={FACTOR}", sys.executable, "-m", "tests.vm.guest", str(machine.SHARED)],
        timeout_s=TIMEOUT_S,
    )
    sys.stdout.write(result.output)
    _keep(shared)
    written = shared / "report.json"
    assert written.exists(), f"no check was made:\n{result.output}\nthe console ends with:\n{result.console[-3000:]}"
    return json.loads(written.read_text())


def _keep(shared: Path) -> None:
    """Copy the log, and the pictures of the window, to the folder where they are wanted."""
    wanted = os.environ.get("PUPPET_VM_LOG")
    if wanted:
        Path(wanted).mkdir(parents=True, exist_ok=True)
        for path in (shared / "output", *shared.glob("window*.png")):
            if path.exists():
                shutil.copy(path, wanted)


@pytest.mark.parametrize("check", [name for _, name in guest.CHECKS])
def test_in_the_machine(report: dict[str, str], check: str) -> None:
    is_busy = os.getloadavg()[1] > BUSY * (os.cpu_count() or 1)
    if check not in report and is_busy:
        pytest.skip("the host is too busy: the run ended before this check")
    assert check in report, "the run ended before this check"
    failure = report[check]

    if failure.startswith(guest.SLOW):
        # An emulated processor promises no times, not even on a host with nothing else to do.
        pytest.skip(f"the machine was too slow ({failure})")
    assert not failure, failure
