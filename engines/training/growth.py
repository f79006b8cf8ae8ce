"""Grows a trained model into wider networks that give the same pictures at first (Net2Net; Chen et al., 2016).

New channels are drawn at random and read by nobody yet: what was there reads them with weights of zero, which training
then moves. New residual blocks begin as the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engines.errors import TrainingError
from engines.families.compact import Compact, build
from engines.model_folder import SPEC_FILE, ModelFolder
from engines.training.weights import load_weights

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from engines.families.base import PuppetModel


@torch.no_grad()
def grow(small: Compact, large: Compact) -> None:
    """Put a model's weights into a larger one of the same family.

    Args:
        small: trained.
        large: fresh; no network of it is narrower or shallower.

    Raises:
        TrainingError: it is smaller somewhere.
    """
    before, after = small.state_dict(), large.state_dict()
    joined_before, joined_after = small.joined_inputs(), large.joined_inputs()
    for name, value in after.items():
        if name not in before:
            if name.endswith("norm.weight"):  # of a residual block that was not there
                value.zero_()
            continue
        old = before[name]
        if any(now < then for now, then in zip(value.shape, old.shape, strict=True)):
            raise TrainingError(
                f"{name} has shape {tuple(old.shape)}, which cannot shrink to {tuple(value.shape)}: take larger ones"
            )
        if old.dim() < 2:
            value[(...,) if old.dim() == 0 else slice(len(old))] = old
            continue
        places = _places(
            joined_before.get(name, (old.shape[1],)), joined_after.get(name, (value.shape[1],)), device=value.device
        )
        value[: len(old)] = 0
        value[: len(old), places] = old
    missing = before.keys() - after.keys()
    if missing:
        raise TrainingError(f"there is no {min(missing)} in the larger model; give it as many blocks at least")


def begin_with(model: PuppetModel, path: Path) -> None:
    """Put the weights of a file into a model; a smaller one, as `model.json` beside the file describes it, is grown.

    Raises:
        TrainingError: the file cannot be read, or belongs to networks that do not fit.
        ModelFolderError: `model.json` beside it cannot be used.
    """
    spec = ModelFolder.read(path.parent).spec if (path.parent / SPEC_FILE).exists() else None
    if spec is None or spec.family != Compact.family or not isinstance(model, Compact):
        load_weights(model, path)
        return
    small = build(spec.configuration)
    load_weights(small, path)
    grow(small, model)


def _places(before: tuple[int, ...], after: tuple[int, ...], *, device: torch.device) -> Tensor:
    """Where the channels of joined inputs lie once each of them is wider."""
    places, start = [], 0
    for old, new in zip(before, after, strict=True):
        places.append(torch.arange(start, start + old, device=device))
        start += new
    return torch.cat(places)
