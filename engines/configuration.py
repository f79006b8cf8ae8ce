"""Configuration files (YAML) in the form that MCS and FOMM publish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import yaml

from engines.errors import CheckpointError

if TYPE_CHECKING:
    from pathlib import Path

    from engines.spec import Family

SECTIONS = frozenset(
    {"dataset_params", "model_params", "train_params", "reconstruction_params", "animate_params", "visualizer_params"}
)
"""What a published file may hold; only the first two describe the networks."""


def read_configuration(path: Path, *, family: Family) -> dict[str, object]:
    """What `engines.families.build` takes, from a published configuration file.

    Args:
        path: of the YAML file.
        family: FOMM's files also describe a discriminator, which is left out.

    Raises:
        CheckpointError: the file cannot be read, is no such configuration, or holds an unknown section.
    """
    values = _read(path)
    unknown = sorted(str(key) for key in values if key not in SECTIONS)
    if unknown:
        raise CheckpointError(f"{path}: unknown key {', '.join(unknown)}; known are {', '.join(sorted(SECTIONS))}")
    model = values.get("model_params")
    if not isinstance(model, Mapping):
        raise CheckpointError(
            f"{path} has no model_params; give the configuration that the checkpoint was trained with"
        )
    found: dict[str, object] = {str(key): value for key, value in model.items()}
    if family == "fomm":
        found.pop("discriminator_params", None)
    size = _size(path, values.get("dataset_params"))
    return found if size is None else {"size": size, **found}


def _read(path: Path) -> Mapping[object, object]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no file {path}; give the path of a configuration (.yaml)") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); give the path of a configuration (.yaml)") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(f"{path} is not YAML ({reason}); give the path of a configuration") from error
    if not isinstance(values, Mapping):
        raise CheckpointError(f"{path} is not a configuration; it should hold model_params")
    return values


def _size(path: Path, dataset: object) -> int | None:
    """The side of the pictures; MCS calls their shape `image_shape`, FOMM `frame_shape`."""
    if not isinstance(dataset, Mapping):
        return None
    shape = dataset.get("frame_shape", dataset.get("image_shape"))
    if shape is None:
        return None
    if not isinstance(shape, list) or len(shape) < 2 or shape[0] != shape[1] or not isinstance(shape[0], int):
        raise CheckpointError(f"{path}: pictures of shape {shape} are not square; only square ones can be used")
    return shape[0]
