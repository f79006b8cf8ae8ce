"""Checkpoints of MCS and FOMM: read safely, renamed by one table per layout, loaded strictly."""

from __future__ import annotations

import pickle
import re
import struct
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from pydantic import ValidationError
from torch import Tensor

from engines import families
from engines.errors import CheckpointError
from engines.families import fomm, mcs
from engines.model_folder import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from engines.families.base import PuppetModel
    from engines.spec import Family

_NAMED = 4
"""Keys that a message names before it only counts."""
_READ_SIDE = 64
"""Side of the picture that the published networks read motion from, pixels: tells the size when nothing else does."""
_DAMAGE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    AssertionError,
)
"""What torch's readers raise on bytes that are no checkpoint; they promise no single exception."""


@dataclass(frozen=True)
class Layout:
    """How one kind of checkpoint names its weights."""

    description: str
    family: Family
    renames: tuple[tuple[str, str], ...]
    """From the start of a key in the file, its section first, to the start of ours; the first that fits counts."""
    unused: tuple[str, ...] = ()
    """Starts of keys that the family has no use for."""


MCS_CURRENT = Layout(
    "MCS with segmentation_module and reconstruction_module",
    "mcs",
    (("segmentation_module.", "segmentation_module."), ("reconstruction_module.", "reconstruction_module.")),
)
MCS_PUBLISHED = Layout(
    "MCS with kp_detector and generator, as published",
    "mcs",
    (
        ("kp_detector.kp.", "segmentation_module.shift."),
        ("kp_detector.jacobian.", "segmentation_module.affine."),
        ("kp_detector.semantic_seg.", "segmentation_module.segmentation."),
        ("kp_detector.", "segmentation_module."),
        ("generator.", "reconstruction_module."),
    ),
    unused=("generator.dense_motion_network.",),
)
FOMM = Layout(
    "FOMM with kp_detector and generator", "fomm", (("kp_detector.", "kp_detector."), ("generator.", "generator."))
)


@dataclass(frozen=True)
class Checkpoint:
    """The weights of a checkpoint under our names."""

    path: Path
    layout: Layout
    sha256: str
    weights: dict[str, Tensor] = field(repr=False)
    theirs: dict[str, str] = field(repr=False)
    """By our name, the name in the file."""

    @property
    def family(self) -> Family:
        """The family that the weights belong to."""
        return self.layout.family

    def configuration(self) -> dict[str, object]:
        """The configuration inferred from the shapes of the weights.

        Raises:
            CheckpointError: a key that is needed for it is missing.
        """
        shapes = {key: tuple(value.shape) for key, value in self.weights.items()}
        infer = {"mcs": mcs.configuration_from_shapes, "fomm": fomm.configuration_from_shapes}[self.family]
        try:
            found = infer(shapes)
        except (KeyError, IndexError) as error:
            raise CheckpointError(f"{self.path} lacks {error}; it is not a whole {self.layout.description}") from error
        reader = found["segmentation_module_params" if self.family == "mcs" else "kp_detector_params"]
        assert isinstance(reader, dict)
        return {"size": round(_READ_SIDE / reader["scale_factor"]), **found}


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint of any known layout; only tensors are ever unpickled.

    Raises:
        CheckpointError: it is missing, no checkpoint, cut off, of no known layout, or holds more than tensors.
    """
    sections = _sections(path, _load(path))
    layout = _layout(path, sections)
    weights, theirs = {}, {}
    for section in sorted({theirs.split(".")[0] for theirs, _ in layout.renames}):
        for key, value in _tensors(path, section, sections[section]).items():
            full = f"{section}.{key}"
            if full.startswith(layout.unused):
                continue
            name = _renamed(full, layout)
            weights[name] = value
            theirs[name] = full
    return Checkpoint(path, layout, sha256(path), weights, theirs)


def load_model(checkpoint: Checkpoint, configuration: Mapping[str, object]) -> PuppetModel:
    """The family's model with the checkpoint's weights, in eval mode.

    Raises:
        CheckpointError: the configuration is wrong, or a key is missing, unexpected or of another shape,
            or a weight is no finite number.
    """
    try:
        with torch.device("meta"):
            planned = families.build(checkpoint.family, configuration).state_dict()
        _compare(checkpoint, planned)
        model = families.build(checkpoint.family, configuration)
    except ValidationError as error:
        raise CheckpointError(f"configuration for {checkpoint.path.name}: {describe(error)}") from error
    broken = [checkpoint.theirs[key] for key, value in checkpoint.weights.items() if not torch.isfinite(value).all()]
    if broken:
        raise CheckpointError(f"{checkpoint.path} holds NaN or infinity in {_some(broken)}; give an earlier checkpoint")
    model.load_state_dict(checkpoint.weights, strict=True)
    return model.eval()


def describe(error: ValidationError) -> str:
    """All that a configuration has wrong, in one line, unknown keys by name."""
    parts = []
    for item in error.errors():
        place = ".".join(str(step) for step in item["loc"])
        if item["type"] == "extra_forbidden":
            parts.append(f"unknown key {place}")
        elif item["type"] == "missing":
            parts.append(f"missing key {place}")
        else:
            parts.append(f"{place}: {item['msg']}" if place else item["msg"])
    return "; ".join(parts)


def _load(path: Path) -> object:
    if not path.is_file():
        raise CheckpointError(f"there is no file {path}; give the path of a checkpoint (.pth.tar)")
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns about its own old formats
            return torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise CheckpointError(_why_unreadable(path, start, str(error))) from error


def _why_unreadable(path: Path, start: bytes, reason: str) -> str:
    """One sentence from a file's first bytes and torch's reason."""
    by_torch = start.startswith((b"PK\x03\x04", b"\x80\x02\x8a\x0a"))  # zip; the magic number of older torch
    named = re.search(r"GLOBAL ([\w.]+)", reason)
    if named or (by_torch and "Unsupported" in reason):
        what = f" ({named[1]})" if named else ""
        return f"{path} holds more than tensors{what}, which could run code; ask for one with tensors only"
    if by_torch:
        return f"{path} is cut off or damaged; download it again"
    return f"{path} is not a checkpoint; give a file that torch.save wrote (.pth.tar)"


def _sections(path: Path, loaded: object) -> Mapping[str, object]:
    if not isinstance(loaded, Mapping) or not all(isinstance(key, str) for key in loaded):
        raise CheckpointError(
            f"{path} holds a {type(loaded).__name__}, not named sections; give an MCS or FOMM checkpoint"
        )
    return loaded


def _layout(path: Path, sections: Mapping[str, object]) -> Layout:
    if "segmentation_module" in sections and "reconstruction_module" in sections:
        return MCS_CURRENT
    if "kp_detector" in sections and "generator" in sections:
        keys = _tensors(path, "kp_detector", sections["kp_detector"])
        return MCS_PUBLISHED if any(key.startswith("semantic_seg.") for key in keys) else FOMM
    raise CheckpointError(
        f"{path} has the sections {_some(list(sections)) or 'of nothing'}; expected segmentation_module and "
        f"reconstruction_module, or kp_detector and generator"
    )


def _tensors(path: Path, section: str, values: object) -> dict[str, Tensor]:
    """A section's weights, without the prefix that DataParallel puts before every key."""
    if not isinstance(values, Mapping):
        raise CheckpointError(f"{path}: {section} is a {type(values).__name__}, not weights; give another checkpoint")
    for key, value in values.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f"{path}: {section}.{key} is a {type(value).__name__}, not a tensor; give another checkpoint"
            )
    wrapped = bool(values) and all(key.startswith("module.") for key in values)
    tensors: dict[str, Any] = {key.removeprefix("module.") if wrapped else key: value for key, value in values.items()}
    return tensors


def _renamed(key: str, layout: Layout) -> str:
    theirs, ours = next(pair for pair in layout.renames if key.startswith(pair[0]))
    return ours + key.removeprefix(theirs)


def _compare(checkpoint: Checkpoint, planned: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError that names what is missing, unexpected and of another shape, as the file calls it."""
    weights, theirs = checkpoint.weights, checkpoint.theirs
    wrong = [
        f"{theirs[key]} is {tuple(weights[key].shape)}, expected {tuple(value.shape)}"
        for key, value in planned.items()
        if key in weights and weights[key].shape != value.shape
    ]
    complaints = [
        ("missing", [_original(key, checkpoint.layout) for key in planned if key not in weights]),
        ("unexpected", [theirs[key] for key in weights if key not in planned]),
        ("of another shape", wrong),
    ]
    text = "; ".join(f"{kind}: {_some(keys)}" for kind, keys in complaints if keys)
    if text:
        raise CheckpointError(f"{checkpoint.path} does not fit the configuration: {text}")


def _original(key: str, layout: Layout) -> str:
    theirs, ours = next(pair for pair in layout.renames if key.startswith(pair[1]))
    return theirs + key.removeprefix(ours)


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
