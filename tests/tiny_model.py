"""A model folder whose graphs are so small that a test can say what must come out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from engines.model_folder import ModelFolder, sha256, write_spec
from engines.spec import ModelSpec, RoleSpec, TensorSpec

if TYPE_CHECKING:
    from pathlib import Path

SIZE, PARTS, MAP = 32, 2, 8
PART_NAMES = ("left", "right")
TYPES = {"uint8": TensorProto.UINT8, "float32": TensorProto.FLOAT, "bool": TensorProto.BOOL}


def tensor(name: str, *shape: int, dtype: str = "float32") -> TensorSpec:
    return TensorSpec(name=name, shape=shape, dtype=dtype)


IMAGE = tensor("image", 1, SIZE, SIZE, 3, dtype="uint8")
MOTION = (("shift", (1, PARTS, 2)), ("affine", (1, PARTS, 2, 2)), ("segmentation", (1, PARTS + 1, MAP, MAP)))
FEATURES = tensor("features", 1, SIZE, SIZE, 3)
GENERATOR = (FEATURES, *(tensor(f"{side}_{name}", *shape) for side in ("source", "target") for name, shape in MOTION))
SWAPPER = (
    *GENERATOR,
    tensor("driving_image", 1, SIZE, SIZE, 3, dtype="uint8"),
    tensor("parts", 1, PARTS + 1),
    tensor("hard", dtype="bool"),
    tensor("source_mask", dtype="bool"),
)


def segmenter() -> tuple[list, dict[str, np.ndarray]]:
    """Both parts lie where the mean red and green say; affines are the identity, masks are uniform."""
    constants = {
        "axes": np.array([1, 2]),
        "scale": np.float32(2 / 255),
        "one": np.float32(1),
        "where": np.array([1, PARTS, 3]),
        "start": np.array([0]),
        "end": np.array([2]),
        "last": np.array([2]),
        "eye": np.broadcast_to(np.eye(2, dtype=np.float32), (1, PARTS, 2, 2)),
        "mask": np.full((1, PARTS + 1, MAP, MAP), 1 / (PARTS + 1), np.float32),
    }
    return [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float", "axes"], ["mean"], keepdims=1),
        helper.make_node("Mul", ["mean", "scale"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "one"], ["centred"]),
        helper.make_node("Squeeze", ["centred", "start"], ["flat"]),
        helper.make_node("Expand", ["flat", "where"], ["both"]),
        helper.make_node("Slice", ["both", "start", "end", "last"], ["shift"]),
        # Multiplied by one computed from the picture: a graph of constants alone would be folded away.
        helper.make_node("Sub", ["centred", "centred"], ["zero"]),
        helper.make_node("ReduceSum", ["zero"], ["nothing"], keepdims=0),
        helper.make_node("Add", ["eye", "nothing"], ["affine"]),
        helper.make_node("Add", ["mask", "nothing"], ["segmentation"]),
    ], constants


def encoder() -> tuple[list, dict[str, np.ndarray]]:
    """The features are the picture."""
    return [helper.make_node("Cast", ["image"], ["features"], to=TensorProto.FLOAT)], {}


def mover() -> tuple[list, dict[str, np.ndarray]]:
    """`moved`: the features, brighter by 100 times the first part's way to the right; every input is used."""
    nodes, terms = [], []
    for name, _ in MOTION[1:]:
        for side in ("source", "target"):
            nodes.append(helper.make_node("ReduceMin", [f"{side}_{name}"], [f"{side}_{name}_least"], keepdims=0))
            nodes.append(helper.make_node("Mul", [f"{side}_{name}_least", "none"], [f"{side}_{name}_none"]))
            terms.append(f"{side}_{name}_none")
    nodes += [
        helper.make_node("Sub", ["target_shift", "source_shift"], ["way"]),
        helper.make_node("Slice", ["way", "origin", "first"], ["right"]),
        helper.make_node("Mul", ["right", "hundred"], ["brighter"]),
        helper.make_node("Sum", ["features", "brighter", *terms], ["moved"]),
    ]
    constants = {
        "none": np.float32(0),
        "hundred": np.float32(100),
        "origin": np.array([0, 0, 0]),
        "first": np.array([1, 1, 1]),
    }
    return nodes, constants


def as_picture(name: str) -> list:
    return [
        helper.make_node("Round", [name], ["round"]),
        helper.make_node("Clip", ["round", "black", "white"], ["clipped"]),
        helper.make_node("Cast", ["clipped"], ["image"], to=TensorProto.UINT8),
    ]


def generator() -> tuple[list, dict[str, np.ndarray]]:
    """`moved` as a picture."""
    nodes, constants = mover()
    return nodes + as_picture("moved"), constants | {"black": np.float32(0), "white": np.float32(255)}


def enlargeable() -> tuple[list, dict[str, np.ndarray]]:
    """The generator, with the avatar's pixels beside its picture and a deformation that leaves them where they are."""
    nodes, constants = generator()
    nodes += [
        helper.make_node("Cast", ["features"], ["warped"], to=TensorProto.UINT8),
        helper.make_node("ReduceSum", ["moved"], ["total"], keepdims=0),
        helper.make_node("Mul", ["total", "none"], ["nothing"]),
        helper.make_node("Add", ["still", "nothing"], ["deformation"]),
    ]
    nodes_of_map = np.linspace(-1, 1, MAP, dtype=np.float32)
    return nodes, constants | {"still": np.stack(np.meshgrid(nodes_of_map, nodes_of_map), axis=-1)[None]}


def swapper() -> tuple[list, dict[str, np.ndarray]]:
    """Driving picture plus 10 for the background, 20 for the left part, 40 for the right, 3 if hard, 5 if source's."""
    nodes, constants = mover()
    nodes += [
        helper.make_node("Cast", ["driving_image"], ["driving"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["parts", "worth"], ["worths"]),
        helper.make_node("ReduceSum", ["worths"], ["sum"], keepdims=0),
        helper.make_node("Where", ["hard", "three", "none"], ["if_hard"]),
        helper.make_node("Where", ["source_mask", "five", "none"], ["if_source"]),
        helper.make_node("Mul", ["moved", "none"], ["unseen"]),
        helper.make_node("Sum", ["driving", "sum", "if_hard", "if_source", "unseen"], ["total"]),
    ]
    constants |= {"worth": np.float32([[10, 20, 40]]), "three": np.float32(3), "five": np.float32(5)}
    return nodes + as_picture("total"), constants | {"black": np.float32(0), "white": np.float32(255)}


ROLES = {
    "segmenter": (segmenter, (IMAGE,), tuple(tensor(name, *shape) for name, shape in MOTION)),
    "encoder": (encoder, (IMAGE,), (FEATURES,)),
    "generator": (generator, GENERATOR, (IMAGE,)),
    "swapper": (swapper, SWAPPER, (IMAGE,)),
}


def value_info(spec: TensorSpec) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(spec.name, TYPES[spec.dtype], spec.shape)


BESIDE = (IMAGE.model_copy(update={"name": "warped"}), tensor("deformation", 1, MAP, MAP, 2))


def write(folder: Path, *, can_enlarge: bool = False) -> ModelFolder:
    """Write the four graphs and `model.json`."""
    folder.mkdir(parents=True)
    roles = {}
    made = ROLES | ({"generator": (enlargeable, GENERATOR, (IMAGE, *BESIDE))} if can_enlarge else {})
    for role, (make, inputs, outputs) in made.items():
        nodes, constants = make()
        initialisers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
        graph = helper.make_graph(
            nodes, role, [value_info(spec) for spec in inputs], [value_info(spec) for spec in outputs], initialisers
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        path = folder / f"{role}.onnx"
        onnx.save(model, path)
        roles[role] = RoleSpec(file=path.name, sha256=sha256(path), inputs=inputs, outputs=outputs)
    spec = ModelSpec(
        name="tiny", family="mcs", size=SIZE, parts=PARTS, part_names=PART_NAMES, align_corners=True,
        licence="CC0-1.0", provenance="made by the tests", roles=roles,
    )  # fmt: skip
    write_spec(folder, spec)
    return ModelFolder.read(folder)
