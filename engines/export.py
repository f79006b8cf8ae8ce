"""From networks to a model folder: ONNX graphs, each compared with the networks in ONNX Runtime."""

from __future__ import annotations

import copy
import logging
import math
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import onnx
import onnxruntime
import onnxslim
import torch

from engines.errors import ExportError
from engines.families.roles import Role, roles
from engines.half import half_precision, rounded_weights
from engines.model_folder import ModelFolder, refuse_existing, replacing_folder, sha256, write_spec
from engines.spec import ModelSpec, Parity, RoleName, RoleSpec, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from engines.families.base import PuppetModel
    from engines.spec import Dtype, Family

log = logging.getLogger(__name__)

OPSET = 18
"""The lowest that the exporter writes without converting; GridSample and Round need 16."""

LEAST_STORED = 1024
"""Constants of fewer numbers stay as they are."""

Precision = Literal["fp32", "fp16"]
PICTURE_LIMITS: Mapping[Precision, float] = {"fp32": 0.05, "fp16": 1.0}
"""Greatest allowed mean difference of a picture, levels of 255: rounding may fall either way on a few pixels."""
TENSOR_LIMITS: Mapping[Precision, float] = {"fp32": 1e-3, "fp16": 2e-2}
"""Greatest allowed difference of other tensors, relative to the greatest value (at least 1)."""


def export_model(
    model: PuppetModel,
    folder: Path,
    *,
    name: str,
    licence: str,
    provenance: str,
    configuration: Mapping[str, Any],
    precision: Precision = "fp32",
    rounded: bool = False,
    force: bool = False,
    progress: Callable[[str], None] | None = None,
) -> ModelFolder:
    """Write a model folder; nothing is left at `folder` unless every graph agrees with the networks.

    Args:
        model: any family, on any device; it is left as it is.
        folder: where the model folder shall be.
        name: of the model.
        licence: of the weights.
        provenance: where the weights come from.
        configuration: what `engines.families.build` takes.
        precision: of the convolutions; coordinates stay float32.
        rounded: round the weights to what float16 holds, so that the files take half the space; sums stay float32.
        force: replace a model that is there.
        progress: called with a few words before each graph.

    Raises:
        ExportError: a graph cannot be written or differs from the networks by more than the limits.
        ModelFolderError: `folder` holds something that may not be replaced, or cannot be written.
    """
    refuse_existing(folder, force=force)
    with replacing_folder(folder, force=force) as filling:
        prepared = _prepared(model, rounded=rounded)
        entries = _export_roles(prepared, filling, precision=precision, progress=progress)
        spec = ModelSpec(
            name=name,
            family=cast("Family", model.family),  # ModelSpec checks it
            size=model.size,
            parts=model.parts,
            part_names=model.part_names,
            align_corners=model.align_corners,
            precision=precision,
            licence=licence,
            provenance=provenance,
            configuration=dict(configuration),
            roles=entries,
        )
        write_spec(filling, spec)
    return ModelFolder.read(folder)


def seeded_picture(size: int, *, seed: int) -> Tensor:
    """A smooth picture that is the same everywhere: uint8 (1, size, size, 3) RGB."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size
    waves = rng.uniform(-4, 4, (3, 8, 2))
    phases = rng.uniform(0, 2 * math.pi, (3, 8))
    picture = np.stack(
        [
            sum(np.sin(2 * math.pi * (fx * x + fy * y) + phase) for (fx, fy), phase in zip(wave, shift, strict=True))
            for wave, shift in zip(waves, phases, strict=True)
        ],
        axis=-1,
    )
    levels = 127.5 + 127.5 * picture / np.abs(picture).max()
    return torch.from_numpy(np.rint(levels).astype(np.uint8))[None]


def _prepared(model: PuppetModel, *, rounded: bool) -> PuppetModel:
    """A copy for export, on the CPU."""
    model = copy.deepcopy(model).cpu().eval().requires_grad_(False)
    return rounded_weights(model, _run_all) if rounded else model


def _pictures(model: PuppetModel) -> tuple[Tensor, Tensor]:
    return seeded_picture(model.size, seed=1), seeded_picture(model.size, seed=2)


def _run_all(model: PuppetModel) -> None:
    for role in roles(model, pictures=_pictures(model)):
        role.run()


def _export_roles(
    model: PuppetModel, folder: Path, *, precision: Precision, progress: Callable[[str], None] | None
) -> dict[RoleName, RoleSpec]:
    """Every graph of the model, written and compared."""
    pictures = _pictures(model)
    wanted = roles(model, pictures=pictures)
    exported = model
    if precision == "fp16":
        exported = half_precision(model, lambda some: [role.run() for role in roles(some, pictures=pictures)])
    entries: dict[RoleName, RoleSpec] = {}
    dtypes: dict[str, torch.dtype] = {}
    for reference in wanted:
        log.info("exporting the %s", reference.name)
        if progress is not None:
            progress(f"exporting the {reference.name}")
        role = reference.of(exported, dtypes)
        entry = entries[role.name] = _export_role(role, reference, folder, precision=precision)
        if role.name == "encoder":  # its outputs are what the others take
            dtypes = {tensor.name: getattr(torch, tensor.dtype) for tensor in entry.outputs}
    return entries


def _export_role(role: Role, reference: Role, folder: Path, *, precision: Precision) -> RoleSpec:
    path = folder / f"{role.name}.onnx"
    graph = _slim(_graph(role))
    _store_compactly(graph)
    onnx.checker.check_model(graph)
    path.write_bytes(graph.SerializeToString(deterministic=True))
    return RoleSpec(
        file=path.name,
        sha256=sha256(path),
        inputs=tuple(_tensor_spec(value) for value in graph.graph.input),
        outputs=tuple(_tensor_spec(value) for value in graph.graph.output),
        parity=_compare(path, role, reference, precision=precision),
    )


def _graph(role: Role) -> onnx.ModelProto:
    with _quiet_exporter():
        try:
            program = torch.onnx.export(
                role.module.eval(),
                tuple(role.inputs.values()),
                input_names=list(role.inputs),
                output_names=list(role.outputs),
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise ExportError(f"the {role.name} cannot be written as ONNX ({error})") from error
    assert program is not None
    return program.model_proto


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """The exporter warns about its own deprecated calls and about torchvision, which nothing here needs."""
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        exporter.setLevel(level)


def _slim(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The graph simplified, with no trace of the source files it came from, its inputs and outputs as they were."""
    names = [[value.name for value in values] for values in (graph.graph.input, graph.graph.output)]
    slimmed: onnx.ModelProto = onnxslim.slim(graph)
    if names != [[value.name for value in values] for values in (slimmed.graph.input, slimmed.graph.output)]:
        raise ExportError(
            f"simplifying a graph lost some of {names}; report this with the versions of onnxslim and torch"
        )
    del slimmed.metadata_props[:], slimmed.graph.metadata_props[:]
    slimmed.doc_string = slimmed.graph.doc_string = ""
    for item in (*slimmed.graph.node, *slimmed.graph.input, *slimmed.graph.output, *slimmed.graph.initializer):
        del item.metadata_props[:]
        item.doc_string = ""
    del slimmed.graph.value_info[:]
    return slimmed


def _store_compactly(graph: onnx.ModelProto) -> None:
    """Keep large float32 constants that float16 holds exactly as float16, cast back where they are used."""
    casts = []
    for index, constant in enumerate(graph.graph.initializer):
        values = onnx.numpy_helper.to_array(constant)
        if values.dtype != np.float32 or values.size < LEAST_STORED or np.abs(values).max() > np.finfo(np.float16).max:
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        stored = f"{constant.name}_stored"
        casts.append(onnx.helper.make_node("Cast", [stored], [constant.name], to=onnx.TensorProto.FLOAT))
        graph.graph.initializer[index].CopyFrom(onnx.numpy_helper.from_array(half, stored))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def _compare(path: Path, role: Role, reference: Role, *, precision: Precision) -> dict[str, Parity]:
    """Differences of each output from the float32 networks on the same inputs.

    Raises:
        ExportError: one is above its limit.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feeds = {key: tensor.to(role.inputs[key].dtype).numpy() for key, tensor in reference.inputs.items()}
    outputs = dict(zip(role.outputs, session.run(list(role.outputs), feeds), strict=True))
    with torch.no_grad():
        expected = reference.run()
    return {
        key: _difference(outputs[key], tensor.numpy(), f"{key} of the {role.name}", precision=precision)
        for key, tensor in expected.items()
    }


def _difference(given: NDArray[Any], wanted: NDArray[Any], what: str, *, precision: Precision) -> Parity:
    """How far a graph's output is from the networks'.

    Raises:
        ExportError: it is above its limit, or there are values that are no numbers.
    """
    difference = np.abs(given.astype(np.float64) - wanted.astype(np.float64))
    greatest, mean = float(difference.max()), float(difference.mean())
    if not math.isfinite(greatest):
        raise ExportError(f"{what} holds NaN or infinity on a test picture; check the weights")
    if wanted.dtype == np.uint8:
        amount, limit = mean, PICTURE_LIMITS[precision]
    else:
        amount, limit = greatest / max(1.0, float(np.abs(wanted).max())), TENSOR_LIMITS[precision]
    if amount > limit:
        raise ExportError(
            f"{what} differs from the networks by {amount:.3g}, allowed are {limit:g}; "
            f"check the weights, or export with --precision fp32"
        )
    return Parity(max_difference=greatest, mean_difference=mean)


def _tensor_spec(value: onnx.ValueInfoProto) -> TensorSpec:
    """A graph's input or output; all shapes are fixed."""
    kind = value.type.tensor_type
    dtype = cast("Dtype", str(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)))  # TensorSpec checks it
    return TensorSpec(name=value.name, shape=tuple(axis.dim_value for axis in kind.shape.dim), dtype=dtype)
