"""One picture into one file, marked as made by AI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from puppet import images, provenance
from puppet.errors import SinkError

if TYPE_CHECKING:
    from pathlib import Path

    from puppet.types import Image


def write_snapshot(
    path: Path, picture: Image, *, kind: provenance.SourceType = "trainedAlgorithmicMedia", force: bool = False
) -> None:
    """Write uint8 (H, W, 3) RGB as PNG, in place at once or not at all.

    Raises:
        SinkError: the name is not a PNG's, is taken, or cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise SinkError(f"{path} is not a name for a snapshot; end it in .png")
    if path.exists() and not force:
        raise SinkError(f"{path} is there already; give another name")
    images.write_bytes(path, provenance.mark_png(images.encode_png(picture), kind))
