"""Shows how a build goes: a bar in a terminal, plain lines elsewhere, JSON lines for the window."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from engines.building.monitor import BuildProgress

PLAIN_EVERY_S = 5.0
JSON_EVERY_S = 0.2


class Teller:
    """Takes progress from TensorRT's threads, and what is to be said beside it."""

    def __init__(self, *, as_json: bool = False) -> None:
        """Choose how to show it: JSON goes to stdout, everything else to stderr."""
        self._as_json = as_json
        self._console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
        self._bar: Any = None
        self._task: Any = None
        self._title = ""
        self._told_at = 0.0

    def __enter__(self) -> Self:
        if not self._as_json and self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"))
            self._bar = Bar(*columns, TextColumn("{task.fields[left]}"), console=self._console, transient=True)
            self._task = self._bar.add_task("building engines", total=1.0, left="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def progress(self, now: BuildProgress) -> None:
        """Show how far it is; most calls show nothing."""
        left = "" if now.left_s is None else f"{now.left_s:.0f} s left"
        if self._bar is not None:
            self._bar.update(self._task, completed=now.fraction, description=f"{now.title}: {now.phase}", left=left)
            return
        moment = time.perf_counter()
        every = JSON_EVERY_S if self._as_json else PLAIN_EVERY_S
        if now.title == self._title and moment - self._told_at < every:
            return
        self._title, self._told_at = now.title, moment
        if self._as_json:
            self._write({"title": now.title, "phase": now.phase, "fraction": now.fraction, "left_s": now.left_s})
        else:
            ending = f", {left}" if left else ""
            self._console.print(f"{now.title}: {now.phase}, {100 * now.fraction:.0f} %{ending}")

    def say(self, sentence: str) -> None:
        """A sentence beside the progress."""
        if self._as_json:
            self._write({"note": sentence})
        else:
            self._console.print(sentence)

    def fail(self, sentence: str) -> None:
        """The last sentence, of what went wrong."""
        if self._as_json:
            self._write({"error": sentence})
        else:
            self._console.print(f"error: {sentence}")

    def _write(self, values: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(values) + "\n")
        sys.stdout.flush()
