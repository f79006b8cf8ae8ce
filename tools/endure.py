"""Runs the live program for long, without a window, and watches that its memory stays flat.

    python tools/endure.py --minutes 30
    python tools/endure.py --minutes 30 -- --camera 0 --virtual-camera --record long.mp4

What follows `--` are flags of `live`; without any, the bundled clip drives the bundled avatar and nothing is kept. For
Linux and macOS.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[1]
CLIP = ROOT / "puppet" / "assets" / "demo" / "driving.mp4"
SAMPLES = 600
"""Of the memory, over the run."""
WARM_UP = 0.1
"""Share of the run before memory counts: the model is loaded, buffers are filled."""
COMPARED = 0.2
"""Share of the rest, at its beginning and at its end, that are compared."""
MOST_GROWTH = 0.03
HARMLESS = ("running:", "face:")
"""Beginnings of lines on stderr that say nothing of a fault."""
PATIENCE_S = 180.0
"""For the start and the end together."""


@dataclass
class Run:
    """What was seen of one run."""

    memory: list[float] = field(default_factory=list)
    """MiB that are resident, at even times."""
    status: list[str] = field(default_factory=list)
    """Lines on stdout."""
    faults: list[str] = field(default_factory=list)
    """Lines on stderr that are not harmless."""
    code: int | None = None

    @property
    def growth(self) -> float:
        """From the beginning of the warm part to its end, as a share."""
        warm = self.memory[round(WARM_UP * len(self.memory)) :]
        count = max(1, round(COMPARED * len(warm)))
        return fmean(warm[-count:]) / fmean(warm[:count]) - 1

    @property
    def delays(self) -> list[float]:
        """Milliseconds from camera to output, the median of the seconds before each status line."""
        found = [re.search(r"latency p50 ([\d.]+)", line) for line in self.status]
        return [float(match.group(1)) for match in found if match]

    @property
    def is_good(self) -> bool:
        """Ended in order, with no fault, and flat."""
        return self.code == 0 and not self.faults and bool(self.memory) and abs(self.growth) <= MOST_GROWTH


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; returns 0 if the run was good, else 1."""
    parser = argparse.ArgumentParser(description="Runs the live program for long and watches its memory.")
    parser.add_argument("--minutes", type=float, default=30.0, metavar="N", help="how long (default: 30)")
    parser.add_argument("flags", nargs="*", metavar="-- FLAG", help="of live, instead of the bundled clip")
    chosen = parser.parse_args(arguments)
    if not 0 < chosen.minutes <= 24 * 60:
        parser.error(f"--minutes {chosen.minutes:g}: choose more than 0, and no more than a day")
    run = watch(chosen.flags or ["--camera", str(CLIP)], seconds=60 * chosen.minutes)
    print(report(run))
    return 0 if run.is_good else 1


def watch(flags: Sequence[str], *, seconds: float) -> Run:
    """Run `live` for so long in a process of its own."""
    command = [sys.executable, str(ROOT / "main.py"), "live", "--no-window", "--seconds", f"{seconds:g}", *flags]
    run = Run()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        listeners = [
            threading.Thread(target=_listen, args=(process.stdout, run.status, ())),
            threading.Thread(target=_listen, args=(process.stderr, run.faults, HARMLESS)),
        ]
        for listener in listeners:
            listener.start()
        ends = time.monotonic() + seconds + PATIENCE_S
        while process.poll() is None:
            if run.status:  # the first status line says that all is loaded
                run.memory.append(_resident(process.pid))
            if time.monotonic() > ends:
                run.faults.append(f"it did not end within {PATIENCE_S:g} s")
                process.kill()
            time.sleep(seconds / SAMPLES)
        for listener in listeners:
            listener.join()
    # The process may end between being asked for and being looked at.
    run.memory = [memory for memory in run.memory if memory > 0]
    run.code = process.returncode
    return run


def report(run: Run) -> str:
    """What was seen, in a few lines."""
    lines = [*run.status[-2:], *(f"fault: {fault}" for fault in run.faults)]
    if run.memory:
        warm = run.memory[round(WARM_UP * len(run.memory)) :]
        lines.append(
            f"memory: {warm[0]:.1f} MiB warm, {warm[-1]:.1f} at the end, {min(warm):.1f} to {max(warm):.1f} between, "
            f"{100 * run.growth:+.2f} % (at most {100 * MOST_GROWTH:g})"
        )
    if len(run.delays) > 1:
        half = len(run.delays) // 2
        first, second = median(run.delays[:half]), median(run.delays[half:])
        lines.append(f"delay: {first:.1f} ms in the first half, {second:.1f} in the second")
    lines.append(f"exit code {run.code}, {len(run.faults)} faults: {'good' if run.is_good else 'NOT good'}")
    return "\n".join(lines)


def _listen(pipe: IO[str] | None, lines: list[str], ignored: tuple[str, ...]) -> None:
    assert pipe is not None
    lines.extend(line.rstrip("\n") for line in pipe if not line.startswith(ignored))


def _resident(process: int) -> float:
    """MiB of memory that a process holds; 0 if it has just ended."""
    if sys.platform.startswith("linux"):
        try:
            pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    asked = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], capture_output=True, text=True, check=False)
    return int(asked.stdout or 0) / 1024


if __name__ == "__main__":
    sys.exit(main())
