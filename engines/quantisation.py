"""Eight-bit convolutions for processors without bf16: a model folder's graphs, calibrated on frames, as a new folder.

What says where pixels come from is not rounded: the segmenter and the generator's motion stay float32. Rounded, they
made pictures tremble that were to be still. Only the compact family names its layers so that they can be told apart.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from engines.errors import ExportError
from engines.model_folder import ModelFolder, replacing_folder, sha256, write_spec
from engines.spec import Parity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engines.spec import RoleName, RoleSpec

Array = NDArray[Any]
Feed = dict[str, Array]

FLOAT_ROLES = ("segmenter",)
FLOAT_LAYERS = (".refiner.", ".at_half.", ".final.")
"""Parts of the names of weights that stay float32: motion, and the last layers of the picture. With the one before the
last in eight bits, a still face trembled a fifth more (12 clips: 1.04 times as much as the driver, without it 0.86)."""
STORED = "_stored"
"""Ending of constants that are kept in half the space and cast where they are used."""


def quantise(
    model: ModelFolder,
    clips: Sequence[Sequence[NDArray[np.uint8]]],
    folder: Path,
    *,
    force: bool = False,
    progress: Callable[[str], None] | None = None,
) -> ModelFolder:
    """Write a folder whose encoder and generator convolve in eight bits; inputs and outputs are the model's.

    Args:
        model: of the compact family, exported in fp32.
        clips: frames of each clip, uint8 (S, S, 3) RGB at the model's size; a picture is a clip of one frame.
        folder: where the new model folder shall be.
        force: replace a model that is there.
        progress: called with a few words before each graph.

    Raises:
        ExportError: the model is of another family or precision, or there are no frames.
        ModelFolderError: `folder` holds something that may not be replaced, or cannot be written.
    """
    spec = model.spec
    if spec.family != "compact" or spec.precision != "fp32":
        raise ExportError(f"{model.path} is {spec.family} in {spec.precision}; only compact in fp32 can be quantised")
    if not any(clips):
        raise ExportError("there are no frames to calibrate on; name clips or pictures of faces")
    with replacing_folder(folder, force=force) as filling:
        roles: dict[RoleName, RoleSpec] = {}
        for role, entry in spec.roles.items():
            if role in FLOAT_ROLES:
                shutil.copyfile(model.file(role), filling / entry.file)
                roles[role] = entry
                continue
            if progress is not None:
                progress(f"quantising the {role}")
            roles[role] = _quantise_role(model, role, list(_feeds(model, role, clips)), filling)
        write_spec(filling, spec.model_copy(update={"name": f"{spec.name}-int8", "precision": "int8", "roles": roles}))
    return ModelFolder.read(folder)


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Hands the feeds to the calibration one by one."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds = iter(feeds)

    def get_next(self) -> Feed | None:
        """The next feed, or None at the end."""
        return next(self._feeds, None)


def _quantise_role(model: ModelFolder, role: RoleName, feeds: Sequence[Feed], folder: Path) -> RoleSpec:
    path = folder / f"{role}.onnx"
    graph = _unpacked(onnx.load(model.file(role)))
    convolutions = [node for node in graph.graph.node if node.op_type == "Conv"]
    kept = [node.name for node in convolutions if any(layer in node.input[1] for layer in FLOAT_LAYERS)]
    with tempfile.TemporaryDirectory() as scratch:
        plain, inferred = Path(scratch) / "plain.onnx", Path(scratch) / "inferred.onnx"
        onnx.save(graph, plain)
        quant_pre_process(str(plain), str(inferred), skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(
            str(inferred),
            str(path),
            _Reader(feeds),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=kept,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    entry = model.spec.roles[role]
    wanted, given = _run(model.file(role), feeds[0]), _run(path, feeds[0])
    parity = {name: _difference(given[name], wanted[name]) for name in wanted}
    return entry.model_copy(update={"file": path.name, "sha256": sha256(path), "parity": parity})


def _unpacked(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Constants as float32, where the model folder keeps them in half the space: only plain ones are quantised."""
    constants = {constant.name: constant for constant in graph.graph.initializer}
    nodes = []
    for node in graph.graph.node:
        if node.op_type == "Cast" and node.input[0] in constants and node.input[0].endswith(STORED):
            stored = constants[node.input[0]]
            values = onnx.numpy_helper.to_array(stored).astype(np.float32)
            stored.CopyFrom(onnx.numpy_helper.from_array(values, node.output[0]))
        else:
            nodes.append(node)
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    return graph


def _feeds(model: ModelFolder, role: RoleName, clips: Sequence[Sequence[NDArray[np.uint8]]]) -> Iterator[Feed]:
    """Inputs of a role: every frame, or the first frame of each clip moved like each of them."""
    if role in ("segmenter", "encoder"):
        yield from ({"image": frame[None]} for clip in clips for frame in clip)
        return
    segmenter, encoder = _session(model.file("segmenter")), _session(model.file("encoder"))
    for clip in clips:
        motions = [_outputs(segmenter, {"image": frame[None]}) for frame in clip]
        for frame, motion in zip(clip, motions, strict=True):
            feed = _outputs(encoder, {"image": clip[0][None]})
            feed |= {f"source_{name}": value for name, value in motions[0].items()}
            feed |= {f"target_{name}": value for name, value in motion.items()}
            if role == "swapper":
                feed |= {
                    "driving_image": frame[None],
                    "parts": np.ones((1, model.spec.parts + 1), np.float32),
                    "hard": np.array(False),
                    "source_mask": np.array(False),
                }
            yield feed


def _run(path: Path, feed: Feed) -> Feed:
    return _outputs(_session(path), feed)


def _session(path: Path) -> Any:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def _outputs(session: Any, feed: Feed) -> Feed:
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))


def _difference(given: Array, wanted: Array) -> Parity:
    difference = np.abs(given.astype(np.float64) - wanted.astype(np.float64))
    return Parity(max_difference=float(difference.max()), mean_difference=float(difference.mean()))
