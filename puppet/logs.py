"""Logging of the program: warnings as plain sentences on stderr, everything with `--verbose`."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    _TextHandler = logging.StreamHandler[TextIO]
else:
    _TextHandler = logging.StreamHandler  # takes no type at run time before Python 3.11


def setup(*, verbose: bool) -> None:
    """Send log records to stderr. Called once, by the command line.

    Args:
        verbose: every record with its logger and time, instead of warnings alone.
    """
    handler = _StderrHandler()
    handler.setFormatter(logging.Formatter("%(relativeCreated)7.0f ms %(name)s: %(message)s") if verbose else _Plain())
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _StderrHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO if verbose else logging.WARNING)
    logging.captureWarnings(capture=True)
    if not verbose:
        # Warnings of packages are for their callers; ours come through our own loggers.
        logging.getLogger("py.warnings").setLevel(logging.ERROR)
        logging.getLogger("libav").setLevel(logging.CRITICAL)


class _StderrHandler(_TextHandler):
    """Looks stderr up each time, so that a progress bar may put its own in place and lines come out above it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


class _Plain(logging.Formatter):
    """`warning: sentence`."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {super().format(record)}"
