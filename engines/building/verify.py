"""A saved engine against ONNX Runtime in float32, on the same inputs: what differs, by how much, and whether it may."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engines import engine_files
from engines.backends.trt import open_engine
from engines.building.graph import prepared
from engines.building.samples import feeds, for_engine
from engines.engine_spec import EngineParity
from engines.errors import BackendError, BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from engines.building.samples import Feed
    from engines.engine_files import EngineFile
    from engines.engine_spec import EnginePrecision
    from engines.model_folder import ModelFolder


@dataclass(frozen=True)
class Limits:
    """What an engine may be off by."""

    psnr: float
    """Of pictures at least, dB."""
    difference: float
    """Of other tensors at most, over the greatest value (at least 1)."""


LIMITS: Mapping[EnginePrecision, Limits] = {
    "fp32": Limits(psnr=55.0, difference=2e-3),
    "fp16": Limits(psnr=45.0, difference=2e-2),
    "bf16": Limits(psnr=32.0, difference=1.5e-1),
}
"""Shifts of 0.02 are two and a half pixels at 256; what is seen in fp16 is a tenth of it."""


NOT_A_NUMBER = 1e30
"""Stands for a difference that is none: JSON has no NaN."""


def verify(file: EngineFile, model: ModelFolder, images: Sequence[NDArray[np.uint8]]) -> dict[str, EngineParity]:
    """Compare an engine; one that fails is deleted.

    Args:
        file: the engine; it is loaded as the program loads it.
        model: that it was built from.
        images: uint8 (1, S, S, 3) RGB.

    Returns:
        How far every output is off.

    Raises:
        BuildError: an output is off by more than its limit; the sentence says which.
        BackendError: the engine cannot be loaded or run here.
    """
    try:
        found = parity(file, model, images)
        check(found, file)
    except BuildError as error:
        engine_files.remove(file.path)
        raise BuildError(f"{error}; the engine was deleted, {_advice(file)}") from error
    except BackendError:
        engine_files.remove(file.path)
        raise
    return found


def parity(file: EngineFile, model: ModelFolder, images: Sequence[NDArray[np.uint8]]) -> dict[str, EngineParity]:
    """How far every output is off, however far that is; arguments as of `verify`.

    Raises:
        BackendError: the engine cannot be loaded or run here.
    """
    role = file.spec.role
    given = feeds(model, role, images)
    with open_engine(file, model.spec.roles[role]) as engine:
        outputs = [{name: value.copy() for name, value in engine.run(for_engine(feed)).items()} for feed in given]
    return compared(outputs, _reference(file, model, given))


def compared(given: Sequence[Feed], wanted: Sequence[Feed]) -> dict[str, EngineParity]:
    """How far outputs are from those that are right, by name, over all runs."""
    return {name: _parity([each[name] for each in given], [each[name] for each in wanted]) for name in wanted[0]}


def check(found: Mapping[str, EngineParity], file: EngineFile) -> None:
    """Raise BuildError, naming the output, if one is off by more than its limit."""
    limits = LIMITS[file.spec.options.precision]
    for name, each in found.items():
        if each.psnr is not None and not each.psnr >= limits.psnr:
            raise BuildError(
                f"{name} of {file.path.name} has {each.psnr:.1f} dB against ONNX Runtime, {limits.psnr:.0f} are wanted"
            )
        if each.psnr is None and not each.max_difference <= limits.difference:
            raise BuildError(
                f"{name} of {file.path.name} differs from ONNX Runtime by {each.max_difference:.3g}, allowed are "
                f"{limits.difference:g}"
            )


def _advice(file: EngineFile) -> str:
    return "report this with both versions" if file.spec.options.precision == "fp32" else "build it with more precision"


def _reference(file: EngineFile, model: ModelFolder, given: Iterable[Feed]) -> list[Feed]:
    """What the same graph gives in float32; the folder's own, if it was exported in half precision."""
    import onnxruntime

    role = file.spec.role
    precision: EnginePrecision = "fp16" if model.spec.precision == "fp16" else "fp32"
    graph = prepared(model.file(role), model.spec.roles[role], precision).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return [dict(zip(names, session.run(names, feed), strict=True)) for feed in given]


def _parity(given: Sequence[NDArray[np.generic]], wanted: Sequence[NDArray[np.generic]]) -> EngineParity:
    """Pictures by their levels, other tensors relative to the greatest value."""
    exact = np.stack([each.astype(np.float64) for each in wanted])
    difference = np.abs(np.stack([each.astype(np.float64) for each in given]) - exact)
    greatest, mean = float(difference.max()), float(difference.mean())
    if not math.isfinite(greatest):
        return EngineParity(
            max_difference=1e30, mean_difference=1e30, psnr=0.0 if wanted[0].dtype == np.uint8 else None
        )
    if wanted[0].dtype == np.uint8:
        squared = float((difference**2).mean())
        psnr = 10 * math.log10(255**2 / squared) if squared else 120.0
        return EngineParity(max_difference=greatest, mean_difference=mean, psnr=round(psnr, 2))
    scale = max(1.0, float(np.abs(exact).max()))
    return EngineParity(max_difference=greatest / scale, mean_difference=mean / scale, psnr=None)
