"""TensorRT's timing cache: how long kernels took on this device in this version, so that the next build is quicker.

TensorRT-RTX times nothing when it builds (1.7: "Timing cache operations are no-ops"); there it is not touched.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engines.engine_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engines.engine_spec import Machine

log = logging.getLogger(__name__)


def default_path(folder: Path, target: Machine) -> Path | None:
    """One file for each device and version; None where there is no such cache."""
    if target.backend == "tensorrt-rtx" or target.device is None:
        return None
    device = "".join(letter if letter.isalnum() else "_" for letter in target.device)
    return folder / "timing" / f"{target.backend}-{target.version}-{device}.cache"


@contextmanager
def used(config: Any, path: Path | None) -> Iterator[None]:
    """Build with what the file holds, and write back what was learnt, even if the build was stopped.

    Args:
        config: TensorRT's builder configuration.
        path: of the cache; None uses none.
    """
    if path is None:
        yield
        return
    held = path.read_bytes() if path.is_file() else b""
    cache = config.create_timing_cache(held)
    if not config.set_timing_cache(cache, ignore_mismatch=False):
        log.warning("%s was written by another TensorRT or GPU; it is not used and will be written anew", path)
        config.set_timing_cache(config.create_timing_cache(b""), ignore_mismatch=False)
    try:
        yield
    finally:
        learnt = bytes(config.get_timing_cache().serialize())
        if learnt != held:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, learnt)
