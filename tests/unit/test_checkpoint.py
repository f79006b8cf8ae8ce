"""Checkpoints of the three layouts are read safely and strictly."""

from __future__ import annotations

import datetime
import os
from typing import TYPE_CHECKING, Any

import pytest
import torch

from engines import families
from engines.checkpoint import FOMM, MCS_CURRENT, MCS_PUBLISHED, load_model, read_checkpoint
from engines.configuration import read_configuration
from engines.errors import CheckpointError
from tests.checkpoints import sections, write_checkpoint
from tests.networks import configuration, seeded_image, seeded_model

if TYPE_CHECKING:
    from pathlib import Path

    from engines.checkpoint import Layout

LAYOUTS = [("mcs", "current", MCS_CURRENT), ("mcs", "published", MCS_PUBLISHED), ("fomm", "published", FOMM)]


@pytest.mark.parametrize(("family", "layout", "expected"), LAYOUTS)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "torch-1.0"])
def test_every_layout_gives_the_same_motion_and_picture(
    tmp_path: Path, family: str, layout: str, expected: Layout, zipped: bool
) -> None:
    path = write_checkpoint(tmp_path / "a.pth.tar", sections(family, layout), zipped=zipped)

    checkpoint = read_checkpoint(path)
    model = load_model(checkpoint, checkpoint.configuration())

    assert checkpoint.layout is expected
    wanted = seeded_model(family)
    assert all(torch.equal(value, wanted.state_dict()[key]) for key, value in model.state_dict().items())
    torch.testing.assert_close(model.segment(seeded_image(1)).shift, wanted.segment(seeded_image(1)).shift)


@pytest.mark.parametrize(
    ("family", "name"), [("mcs", "vox-5"), ("mcs", "vox-10"), ("mcs", "vox-15"), ("fomm", "vox"), ("fomm", "small")]
)
def test_the_published_configuration_is_inferred(family: str, name: str, tmp_path: Path) -> None:
    with torch.device("meta"):
        shapes = families.build(family, configuration(family, name)).state_dict()
    path = write_checkpoint(tmp_path / "a.pth.tar", sections(family, "published"))
    checkpoint = read_checkpoint(path)
    checkpoint.weights.clear()
    checkpoint.weights.update(shapes)

    with torch.device("meta"):
        inferred = families.build(family, checkpoint.configuration())

    assert inferred.size == 256
    assert {key: value.shape for key, value in inferred.state_dict().items()} == {
        key: value.shape for key, value in shapes.items()
    }


def test_weights_of_data_parallel_lose_their_prefix(tmp_path: Path) -> None:
    wrapped = {
        section: {f"module.{key}": value for key, value in weights.items()}
        for section, weights in sections("mcs", "current").items()
    }

    checkpoint = read_checkpoint(write_checkpoint(tmp_path / "a.pth.tar", wrapped))

    assert "segmentation_module.shift.weight" in checkpoint.weights


def test_the_state_of_optimizers_is_ignored(tmp_path: Path) -> None:
    parameter = torch.nn.Parameter(torch.zeros(3))
    optimizer = torch.optim.Adam([parameter])
    parameter.sum().backward()
    optimizer.step()
    values: dict[str, Any] = {
        **sections("fomm", "published"),
        "optimizer_generator": optimizer.state_dict(),
        "epoch": 7,
    }

    checkpoint = read_checkpoint(write_checkpoint(tmp_path / "a.pth.tar", values))

    assert {key.split(".")[0] for key in checkpoint.weights} == {"kp_detector", "generator"}


def _drop(values: dict[str, Any]) -> None:
    del values["generator"]["final.bias"]


def _add(values: dict[str, Any]) -> None:
    values["kp_detector"]["extra.weight"] = torch.zeros(1)


def _reshape(values: dict[str, Any]) -> None:
    values["generator"]["final.bias"] = torch.zeros(4)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_drop, r"missing: generator\.final\.bias$"),
        (_add, r"unexpected: kp_detector\.extra\.weight$"),
        (_reshape, r"of another shape: generator\.final\.bias is \(4,\), expected \(3,\)$"),
        (lambda values: values["generator"]["final.bias"].fill_(float("nan")), r"NaN or infinity in generator\.final"),
    ],
)
@pytest.mark.parametrize("family", ["mcs", "fomm"])
def test_a_wrong_key_is_named_as_the_file_calls_it(tmp_path: Path, change: Any, sentence: str, family: str) -> None:
    values = sections(family, "published")
    change(values)
    checkpoint = read_checkpoint(write_checkpoint(tmp_path / "a.pth.tar", values))

    with pytest.raises(CheckpointError, match=sentence):
        load_model(checkpoint, configuration(family, "small"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (torch.zeros(3), "holds a Tensor, not named sections"),
        ({"weights": {}}, "has the sections weights; expected"),
        ({"kp_detector": {}, "generator": 3}, "generator is a int, not weights"),
        ({"kp_detector": {"kp.weight": 1.0}, "generator": {}}, r"kp_detector\.kp\.weight is a float, not a tensor"),
        ({"generator": datetime.date(2020, 1, 1)}, r"holds more than tensors \(datetime\.date\)"),
        ({"generator": os.system}, r"holds more than tensors \((posix|nt)\.system\)"),
        ({"kp_detector": {}, "generator": {}}, "lacks"),
    ],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "torch-1.0"])
def test_what_is_no_checkpoint_of_these_families_is_told_so(
    tmp_path: Path, content: object, sentence: str, zipped: bool
) -> None:
    path = write_checkpoint(tmp_path / "a.pth.tar", content, zipped=zipped)

    with pytest.raises(CheckpointError, match=sentence) as caught:
        read_checkpoint(path).configuration()

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "torch-1.0"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.99, 0.9999])
def test_a_checkpoint_that_is_cut_off_is_told_so(tmp_path: Path, zipped: bool, kept: float) -> None:
    path = write_checkpoint(tmp_path / "a.pth.tar", sections("mcs", "current"), zipped=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])

    with pytest.raises(CheckpointError, match="cut off or damaged"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"\x80", b"\x80\x04K\x01.", bytes(range(256)) * 40, b"<html>not found</html>", b"(lp0\n."],
)
def test_a_file_that_is_no_checkpoint_is_told_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pth.tar"
    path.write_bytes(content)

    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        read_checkpoint(path)


def test_a_missing_file_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no file"):
        read_checkpoint(tmp_path / "a.pth.tar")


def test_a_published_configuration_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(
        "dataset_params: {frame_shape: [256, 256, 3], root_dir: x}\n"
        "model_params:\n  common_params: {num_kp: 4}\n  discriminator_params: {sn: true}\ntrain_params: {}\n"
    )

    assert read_configuration(path, family="fomm") == {"size": 256, "common_params": {"num_kp": 4}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("model_params: {}\nmodle: 1", "unknown key modle"),
        ("dataset_params: {}", "has no model_params"),
        ("{", "is not YAML"),
        ("- 1", "is not a configuration"),
        ("model_params: {}\ndataset_params: {image_shape: [256, 128, 3]}", "not square"),
        ("a: !!python/object/apply:os.getcwd []", "is not YAML"),
    ],
)
def test_an_unusable_configuration_gives_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)

    with pytest.raises(CheckpointError, match=sentence) as caught:
        read_configuration(path, family="mcs")

    assert "\n" not in str(caught.value)


def test_an_unknown_key_of_the_networks_is_named(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_checkpoint(tmp_path / "a.pth.tar", sections("mcs", "current")))
    values = configuration("mcs", "small")
    values["common_params"] = {"num_segments": 4, "num_regions": 4}

    with pytest.raises(CheckpointError, match=r"unknown key common_params\.num_regions"):
        load_model(checkpoint, values)
