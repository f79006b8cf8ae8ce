"""The recognition network is read as it was stored, and sees aligned faces."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from torch.nn import functional  # noqa: E402

from engines.errors import TrainingError  # noqa: E402
from engines.training.config import TrainConfig, Weights  # noqa: E402
from engines.training.likeness import SIDE, EmbeddingNetwork, LikenessLoss, Resemblance  # noqa: E402
from engines.training.objective import make_likeness  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

FACE = {33: (-0.5, -0.3), 133: (-0.2, -0.3), 362: (0.2, -0.3), 263: (0.5, -0.3), 4: (0, 0), 61: (-0.3, 0.4)}


def node(op: str, name: str, *inputs: str, padding: bytes = b"SAME", stride: int = 2) -> dict[str, Any]:
    attributes: dict[str, Any] = {"padding": {"s": b64encode(padding).decode()}}
    attributes["strides"] = {"list": {"i": ["1", str(stride), str(stride), "1"]}}
    return {"op": op, "name": name, "input": list(inputs), "attr": attributes}


def picture(side: int) -> dict[str, Any]:
    sizes = [{"size": str(size)} for size in (-1, side, side, 3)]
    return {"op": "Placeholder", "name": "picture", "attr": {"shape": {"shape": {"dim": sizes}}}}


def graph(folder: Path, *nodes: dict[str, Any], side: int = SIDE, **weights: np.ndarray) -> Path:
    entries = [{"name": name, "shape": list(w.shape), **kind(w)} for name, w in weights.items()]
    (folder / "net.bin").write_bytes(b"".join(w.tobytes() for w in weights.values()))
    described = {
        "modelTopology": {"node": [picture(side), *nodes]},
        "weightsManifest": [{"paths": ["net.bin"], "weights": entries}],
    }
    path = folder / "net.json"
    path.write_text(json.dumps(described))
    return path


def kind(weight: np.ndarray) -> dict[str, Any]:
    half = {"quantization": {"dtype": "float16", "original_dtype": "float32"}} if weight.dtype == np.float16 else {}
    return {"dtype": "float32" if half else str(weight.dtype), **half}


def pooled(folder: Path) -> Path:
    """Like FaceRes: half precision, factors of their own after a depthwise convolution, more after the embedding."""
    rng = np.random.default_rng(1)
    return graph(
        folder,
        node("Conv2D", "c", "picture", "kernel"),
        node("Add", "b", "c", "bias"),
        node("Relu", "r", "b"),
        node("DepthwiseConv2dNative", "d", "r", "depth"),
        node("Mul", "m", "d", "factor"),
        node("Add", "e", "m", "offset"),
        node("Mean", "out", "e", "axes"),
        node("Softmax", "age", "out"),
        side=224,
        kernel=rng.normal(0, 0.1, (3, 3, 3, 4)).astype(np.float16),
        bias=rng.normal(0, 5, 4).astype(np.float16),
        depth=rng.normal(0, 0.1, (3, 3, 4, 1)).astype(np.float16),
        factor=rng.uniform(0.5, 2, (1, 1, 1, 4)).astype(np.float16),
        offset=rng.normal(0, 5, 4).astype(np.float16),
        axes=np.array([1, 2], np.int32),
    )


def small(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    return graph(
        folder,
        node("Conv2D", "c", "picture", "kernel"),
        node("AddV2", "b", "c", "bias"),
        node("Maximum", "up", "b", "zero"),
        node("Pad", "p", "up", "pads"),
        node("DepthwiseConv2dNative", "d", "p", "depth", padding=b"VALID"),
        node("Reshape", "flat", "d", "shape"),
        node("MatMul", "out", "flat", "last"),
        kernel=rng.normal(0, 0.1, (3, 3, 3, 4)).astype(np.float32),
        bias=rng.normal(0, 5, 4).astype(np.float32),
        zero=np.float32(0).reshape(()),
        pads=np.array([[0, 0], [1, 0], [1, 0], [0, 0]], np.int32),
        depth=rng.normal(0, 0.1, (3, 3, 4, 1)).astype(np.float32),
        shape=np.array([-1, 3136], np.int32),
        last=rng.normal(0, 0.1, (3136, 8)).astype(np.float32),
    )


def stored(network: EmbeddingNetwork, name: str) -> torch.Tensor:
    value = getattr(network, network._names[name])
    assert isinstance(value, torch.Tensor)
    return value


def mesh(moved: tuple[float, float] = (0, 0)) -> torch.Tensor:
    points = torch.zeros(1, 470, 2)
    for index, place in {**FACE, 291: (0.3, 0.4)}.items():
        points[0, index] = torch.tensor(place)
    return points + torch.tensor(moved)


def test_a_stored_network_gives_what_its_operations_say(tmp_path: Path) -> None:
    network = EmbeddingNetwork(small(tmp_path))
    faces = torch.rand(2, 3, SIDE, SIDE)

    kernel, bias, depth, last = (stored(network, name) for name in ("kernel", "bias", "depth", "last"))
    x = functional.conv2d(functional.pad(faces * 255, (0, 1, 0, 1)), kernel.permute(3, 2, 0, 1), stride=2)
    x = functional.pad((x + bias[:, None, None]).relu(), (1, 0, 1, 0))
    x = functional.conv2d(x, depth.permute(2, 3, 0, 1), stride=2, groups=4)
    wanted = functional.normalize(x.permute(0, 2, 3, 1).flatten(1) @ last, dim=1)
    torch.testing.assert_close(network(faces)[0], wanted, atol=1e-5, rtol=1e-4)


def test_a_network_with_more_to_say_is_read_up_to_its_embedding(tmp_path: Path) -> None:
    network = EmbeddingNetwork(pooled(tmp_path))
    faces = torch.rand(2, 3, 224, 224)

    embedding, maps = network(faces)

    kernel, bias, depth, factor, offset = (
        stored(network, name) for name in ("kernel", "bias", "depth", "factor", "offset")
    )
    x = faces.flip(1) * 255 - torch.tensor([103.939, 116.779, 123.68])[:, None, None]
    x = functional.conv2d(functional.pad(x, (0, 1, 0, 1)), kernel.permute(3, 2, 0, 1), stride=2)
    x = functional.pad((x + bias[:, None, None]).relu(), (0, 1, 0, 1))
    x = functional.conv2d(x, depth.permute(2, 3, 0, 1), stride=2, groups=4)
    x = x * factor.reshape(-1, 1, 1) + offset[:, None, None]
    torch.testing.assert_close(embedding, functional.normalize(x.mean(dim=(2, 3)), dim=1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(maps, [x], atol=1e-2, rtol=1e-4)


def test_faces_are_compared_where_they_are(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    loss = LikenessLoss(small(tmp_path / "one"), pooled(tmp_path / "other"))
    torch.manual_seed(0)
    picture, other = torch.rand(1, 3, 128, 128), torch.rand(1, 3, 128, 128, requires_grad=True)

    def compare(result: torch.Tensor, *, is_known: bool = True) -> Resemblance:
        generator = torch.Generator().manual_seed(1)
        return loss(result, picture, mesh(), torch.tensor([is_known]), generator=generator)

    same = compare(picture)
    assert [float(same.likeness), float(same.traits)] == pytest.approx([0, 0], abs=1e-6)
    apart = compare(other)
    (apart.likeness + apart.traits).backward()
    assert apart.likeness.item() > 1e-3
    assert apart.traits.item() > 1e-3
    assert other.grad is not None
    assert float(other.grad.abs().sum()) > 0
    assert [value.item() for value in compare(other, is_known=False)] == [0, 0]


def test_every_step_cuts_faces_a_little_differently(tmp_path: Path) -> None:
    loss = LikenessLoss(small(tmp_path))
    torch.manual_seed(0)
    pictures = torch.rand(2, 1, 3, 128, 128)

    seeds = [torch.Generator().manual_seed(seed) for seed in (1, 1, 2)]
    found = [float(loss(*pictures, mesh(), torch.tensor([True]), generator=seed).likeness) for seed in seeds]

    assert found[0] == found[1] != found[2]


def test_alignment_follows_the_face(tmp_path: Path) -> None:
    loss = LikenessLoss(small(tmp_path))
    here, there = loss.grid(mesh()), loss.grid(mesh((0.2, -0.1)))

    torch.testing.assert_close(there - here, torch.tensor([0.2, -0.1]).expand_as(here), atol=1e-5, rtol=0)
    left, right = here[0, 52, 38], here[0, 52, 74]  # where networks expect the eyes
    torch.testing.assert_close(right[0] - left[0], torch.tensor(0.7), atol=0.15, rtol=0)


@pytest.mark.parametrize("break_it", ["no file", "no weights", "an operation"])
def test_what_cannot_be_read_is_told(tmp_path: Path, break_it: str) -> None:
    path = small(tmp_path)
    if break_it == "no file":
        path = tmp_path / "none.json"
    elif break_it == "no weights":
        (tmp_path / "net.bin").write_bytes(b"\0" * 10)
    else:
        path = graph(tmp_path, node("Softplus", "s", "picture"))
    with pytest.raises(TrainingError, match=r"none.json|weights beside it|Softplus"):
        EmbeddingNetwork(path)


def test_a_weight_without_a_network_is_told() -> None:
    assert make_likeness(TrainConfig()) is None
    with pytest.raises(TrainingError, match="set `recognisers`"):
        make_likeness(TrainConfig(weights=Weights(likeness=1)))
