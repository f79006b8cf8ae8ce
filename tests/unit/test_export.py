"""Exported graphs keep the contract of model folders and agree with the networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from engines import families
from engines.errors import ExportError, ModelFolderError
from engines.export import export_model, seeded_picture
from engines.families.roles import from_bytes, roles, to_bytes
from engines.half import half_precision
from tests.networks import configuration, seeded_image, seeded_model

if TYPE_CHECKING:
    from pathlib import Path

    from engines.families.base import PuppetModel
    from engines.model_folder import ModelFolder
    from engines.spec import RoleName

PICTURES = (seeded_picture(256, seed=1), seeded_picture(256, seed=2))
MOTION = {"shift": (1, 4, 2), "affine": (1, 4, 2, 2), "segmentation": (1, 5, 64, 64)}
BOTH_MOTIONS = {f"{which}_{name}": shape for which in ("source", "target") for name, shape in MOTION.items()}
IMAGE = {"image": (1, 256, 256, 3)}
FEATURES = {"features": (1, 32, 64, 64)}
SWAP = {**FEATURES, **BOTH_MOTIONS, "driving_image": (1, 256, 256, 3), "parts": (1, 5), "hard": (), "source_mask": ()}
CONTRACT: list[tuple[RoleName, dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]] = [
    ("segmenter", IMAGE, MOTION),
    ("encoder", IMAGE, FEATURES),
    ("generator", {**FEATURES, **BOTH_MOTIONS}, IMAGE),
    ("swapper", SWAP, IMAGE),
]


@pytest.mark.parametrize(("role", "inputs", "outputs"), CONTRACT)
def test_names_shapes_and_types_are_the_contracts(
    small_model: ModelFolder, role: RoleName, inputs: dict[str, tuple[int, ...]], outputs: dict[str, tuple[int, ...]]
) -> None:
    spec = small_model.spec.roles[role]
    session = onnxruntime.InferenceSession(str(small_model.file(role)), providers=["CPUExecutionProvider"])

    for graph, told, wanted in (
        (session.get_inputs(), spec.inputs, inputs),
        (session.get_outputs(), spec.outputs, outputs),
    ):
        assert {tensor.name: tensor.shape for tensor in told} == wanted
        assert {tensor.name: tuple(tensor.shape) for tensor in graph} == wanted
        for tensor in told:
            picture, switch = tensor.name.endswith("image"), tensor.name in ("hard", "source_mask")
            assert tensor.dtype == ("uint8" if picture else "bool" if switch else "float32")


def test_every_output_has_its_parity_and_graphs_name_no_files(small_model: ModelFolder) -> None:
    for role, entry in small_model.spec.roles.items():
        graph = onnx.load(small_model.file(role))

        assert set(entry.parity) == {tensor.name for tensor in entry.outputs}
        assert graph.opset_import[0].version >= 17
        assert not [item for node in graph.graph.node for item in node.metadata_props]
        assert b".py" not in graph.SerializeToString()
        assert "MatMul" not in {node.op_type for node in graph.graph.node}


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("source_mask", [False, True])
def test_the_swapper_takes_its_switches_at_run_time(small_model: ModelFolder, hard: bool, source_mask: bool) -> None:
    model = seeded_model("mcs")
    role = next(role for role in roles(model, pictures=PICTURES) if role.name == "swapper")
    parts = torch.tensor([[0.0, 1.0, 0.0, 1.0, 0.0]])
    inputs = {**role.inputs, "parts": parts, "hard": torch.tensor(hard), "source_mask": torch.tensor(source_mask)}
    session = onnxruntime.InferenceSession(str(small_model.file("swapper")), providers=["CPUExecutionProvider"])

    (picture,) = session.run(["image"], {name: tensor.numpy() for name, tensor in inputs.items()})

    wanted = role.module(*inputs.values())[0].numpy()
    difference = np.abs(picture.astype(int) - wanted.astype(int))
    assert difference.mean() < 0.05
    assert difference.max() <= 2


def test_half_precision_keeps_coordinates_in_float32(tmp_path: Path) -> None:
    small = {"num_kp": 2, "num_channels": 3, "estimate_jacobian": True}
    values = configuration("fomm", "small") | {"size": 128, "common_params": small}
    torch.manual_seed(0)

    model = families.build("fomm", values).eval()
    folder = export_model(
        model, tmp_path / "m", name="m", licence="CC0", provenance="-", configuration=values, precision="fp16"
    )

    dtypes = {tensor.name: tensor.dtype for entry in folder.spec.roles.values() for tensor in entry.outputs}
    assert dtypes["features"] == "float16"
    assert dtypes["shift"] == dtypes["affine"] == "float32"
    graph = onnx.load(folder.file("generator")).graph
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    weights = {types[node.input[1]] for node in graph.node if node.op_type == "Conv"}
    assert weights == {onnx.TensorProto.FLOAT16}
    assert "swapper" not in folder.spec.roles


@pytest.mark.parametrize(("family", "quality"), [("mcs", 55.0), ("fomm", 50.0)])
def test_half_precision_costs_little(family: str, quality: float) -> None:
    model = seeded_model(family)
    halved = half_precision(model, lambda some: [role.run() for role in roles(some, pictures=PICTURES)])

    pictures = [painted(some) for some in (model, halved)]

    error = float((pictures[0] - pictures[1]).square().mean())
    assert -10 * np.log10(error) > quality  # dB


def painted(model: PuppetModel) -> torch.Tensor:
    avatar = from_bytes(PICTURES[0])
    motions = model.segment(avatar), model.segment(from_bytes(PICTURES[1]))
    return model.generate(model.encode(avatar), *motions)["image"]


def test_weights_that_are_no_numbers_are_refused_and_nothing_is_left(tmp_path: Path) -> None:
    model = seeded_model("mcs", size=128)
    model.get_parameter("segmentation_module.shift.bias").fill_(float("nan"))

    with pytest.raises(ExportError, match="shift of the segmenter holds NaN"):
        export_model(model, tmp_path / "m", name="m", licence="-", provenance="-", configuration={})

    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "letter.txt").touch()

    with pytest.raises(ModelFolderError, match="not a model folder"):
        export_model(seeded_model("fomm"), tmp_path / "m", name="m", licence="-", provenance="-", configuration={})


def test_bytes_come_back_as_they_went_in() -> None:
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(-1, -1, -1, 3)

    assert torch.equal(to_bytes(from_bytes(levels)), levels)
    assert to_bytes(torch.full((1, 3, 1, 1), 1.5)).max() == 255
    assert to_bytes(torch.full((1, 3, 1, 1), -0.5)).max() == 0
    assert to_bytes(torch.full((1, 3, 1, 1), 100.6 / 255)).unique().item() == 101
    assert torch.equal(from_bytes(to_bytes(seeded_image(1))), seeded_image(1))


def test_rounded_weights_take_half_the_space(tmp_path: Path) -> None:
    model = seeded_model("mcs")
    arguments = {
        "name": "small",
        "licence": "none",
        "provenance": "seeded",
        "configuration": configuration("mcs", "small"),
    }

    plain = export_model(model, tmp_path / "plain", **arguments)
    rounded = export_model(model, tmp_path / "rounded", rounded=True, **arguments)

    assert rounded.file("segmenter").stat().st_size < 0.6 * plain.file("segmenter").stat().st_size
    assert rounded.spec.precision == "fp32"
    parity = rounded.spec.roles["segmenter"].parity["shift"]
    assert parity.max_difference < 1e-5


def test_the_compact_generator_gives_the_moved_pixels_and_how_they_were_moved() -> None:
    model = families.build("compact", {"size": 128}).eval()
    pictures = (seeded_picture(128, seed=1), seeded_picture(128, seed=2))
    role = next(role for role in roles(model, pictures=pictures) if role.name == "generator")

    with torch.no_grad():
        given = role.run()

    assert {name: (tuple(each.shape), each.dtype) for name, each in given.items()} == {
        "image": ((1, 128, 128, 3), torch.uint8),
        "warped": ((1, 128, 128, 3), torch.uint8),
        "deformation": ((1, 127, 127, 2), torch.float32),
    }
    read = torch.nn.functional.interpolate(
        given["deformation"].permute(0, 3, 1, 2), 128, mode="bilinear", align_corners=True
    )
    moved = torch.nn.functional.grid_sample(
        from_bytes(pictures[0]), read.permute(0, 2, 3, 1), padding_mode="border", align_corners=True
    )
    assert torch.equal(given["warped"], to_bytes(moved))
