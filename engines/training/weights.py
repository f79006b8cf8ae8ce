"""Weights of a trained model in one file, to go on from: safetensors, the large tensors in float16."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engines.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from engines.families.base import PuppetModel

FILE = "weights.safetensors"
"""Its name in a model folder."""
LEAST_ROUNDED = 1024
"""Tensors of fewer numbers, statistics of batch norms among them, stay float32."""


def save_weights(model: PuppetModel, path: Path) -> None:
    """Write a model's weights; the file appears whole or not at all.

    Raises:
        TrainingError: it cannot be written.
    """
    unfinished = path.with_name(path.name + ".part")
    try:
        save_file({name: _stored(value) for name, value in model.state_dict().items()}, unfinished)
        os.replace(unfinished, path)
    except (OSError, SafetensorError) as error:
        unfinished.unlink(missing_ok=True)
        raise TrainingError(f"{path} cannot be written ({error}); make room, or choose another folder") from error


def load_weights(model: PuppetModel, path: Path) -> None:
    """Put the weights of a file into a model of the same sizes.

    Raises:
        TrainingError: the file is missing or broken, or belongs to other networks.
    """
    try:
        model.load_state_dict({name: _restored(value) for name, value in load_file(path).items()})
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{path} cannot be read ({error}); name a {FILE} of a model folder") from error
    except RuntimeError as error:
        raise TrainingError(f"{path} belongs to other networks ({error}); give the configuration it has") from error


def _stored(value: Tensor) -> Tensor:
    is_large = value.dtype == torch.float32 and value.numel() >= LEAST_ROUNDED
    return (value.half() if is_large else value).contiguous()


def _restored(value: Tensor) -> Tensor:
    return value.float() if value.dtype == torch.float16 else value
