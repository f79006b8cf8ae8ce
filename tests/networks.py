"""The small MCS and FOMM that the reference numbers belong to, with their seeded weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engines import families
from tests.data.seeded import fill, image

if TYPE_CHECKING:
    from engines.families.base import PuppetModel

DATA = Path(__file__).parent / "data"


def table(family: str, name: str) -> dict[str, Any]:
    """`config` and `shapes` of a published or small configuration."""
    found: dict[str, Any] = json.loads((DATA / "shapes.json").read_text())[family][name]
    return found


def configuration(family: str, name: str) -> dict[str, Any]:
    """What the family's `build` takes."""
    values = dict(table(family, name)["config"])
    values.pop("discriminator_params", None)
    return values


def seeded_weights(family: str, name: str) -> dict[str, torch.Tensor]:
    """Weights for every key but the anti-alias kernels, by the key's full name."""
    weights = fill(table(family, name)["shapes"])
    return {key: torch.from_numpy(np.asarray(value)) for key, value in weights.items()}


def seeded_model(family: str, name: str = "small", **changes: Any) -> PuppetModel:
    """A model in eval mode with seeded weights; `changes` are further keys of the configuration."""
    model = families.build(family, configuration(family, name) | changes)
    kernels = {key: value for key, value in model.state_dict().items() if key.endswith("down.weight")}
    model.load_state_dict(seeded_weights(family, name) | kernels, strict=True)
    return model.eval().requires_grad_(False)


def seeded_image(seed: int) -> torch.Tensor:
    """(1, 3, 256, 256) float32 in [0, 1]."""
    return torch.from_numpy(image(seed))[None]


def reference(name: str) -> dict[str, torch.Tensor]:
    """The reference numbers of `mcs_small`, `fomm_small` or `losses_small`."""
    with np.load(DATA / f"{name}.npz") as numbers:
        return {key: torch.from_numpy(np.asarray(numbers[key])) for key in numbers.files}
