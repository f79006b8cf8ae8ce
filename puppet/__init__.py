"""One avatar picture moves as you do. The program is `puppet.app`; `puppet.load` is the way in from Python.

Example:
    import puppet

    with puppet.load() as animator:
        animator.set_avatar("portrait.png")
        picture = animator.render(frame)  # uint8 (H, W, 3) RGB in, (S, S, 3) out
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from puppet.api import Animator

__all__ = ["load"]


def load(model: Path | str | None = None, *, backend: str = "auto", threads: int = 0) -> Animator:
    """Load a model folder, the bundled one by default.

    Args:
        model: the folder that holds `model.json`.
        backend: `auto`, or one that `doctor` lists as usable.
        threads: CPU threads; 0 leaves the choice to the backend.

    Raises:
        EngineError: the folder is not a model, or the backend is not usable here.
    """
    from puppet.api import Animator  # here, so that importing the package costs nothing

    return Animator(model, backend=backend, threads=threads)
