"""From a checkpoint to a model folder by the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
import torch

from engines.families.roles import to_bytes
from engines.model_folder import ModelFolder
from tests.checkpoints import sections, write_checkpoint
from tests.networks import configuration, reference, seeded_image
from tools.import_checkpoint import main

if TYPE_CHECKING:
    from engines.spec import RoleName

ROOT = Path(__file__).parents[2]


def run(model: ModelFolder, role: RoleName, inputs: dict[str, Any]) -> dict[str, Any]:
    session = onnxruntime.InferenceSession(str(model.file(role)), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def bytes_of(seed: int) -> np.ndarray:
    return to_bytes(seeded_image(seed)).numpy()


def test_an_imported_model_gives_the_picture_of_the_networks(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "small.pth.tar", sections("mcs", "published"), zipped=False)

    assert main([str(path), "--output", str(tmp_path / "m"), "--licence", "CC0"]) == 0

    folder = ModelFolder.read(tmp_path / "m")
    motions = {}
    for which, seed in (("source", 1), ("target", 2)):
        read = run(folder, "segmenter", {"image": bytes_of(seed)})
        motions |= {f"{which}_{name}": value for name, value in read.items()}
    features = run(folder, "encoder", {"image": bytes_of(1)})
    picture = run(folder, "generator", {**features, **motions})["image"]
    wanted = to_bytes(reference("mcs_small")["absolute.prediction"]).numpy()
    assert np.abs(picture.astype(int) - wanted).max() <= 1
    assert (folder.spec.name, folder.spec.licence, folder.spec.family) == ("small", "CC0", "mcs")
    assert (folder.path / "parts.png").is_file()
    assert not [name for name in folder.spec.part_names if name.startswith("part ")]


def test_a_configuration_file_decides_what_shapes_cannot_tell(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "small.pth.tar", sections("fomm", "published"))
    values = configuration("fomm", "small")
    values["kp_detector_params"] |= {"temperature": 0.5}
    config = tmp_path / "small.yaml"
    config.write_text(json.dumps({"dataset_params": {"frame_shape": [128, 128, 3]}, "model_params": values}))
    options = ["--config", str(config), "--output", str(tmp_path / "m"), "--name", "warm"]

    assert main([str(path), *options]) == 0

    spec = ModelFolder.read(tmp_path / "m").spec
    assert (spec.name, spec.family, spec.size) == ("warm", "fomm", 128)
    assert spec.configuration["kp_detector_params"] == values["kp_detector_params"]
    assert set(spec.roles) == {"segmenter", "encoder", "generator"}
    assert [tensor.name for tensor in spec.roles["segmenter"].outputs] == ["shift", "affine"]
    moved = {f"{which}_{name}" for which in ("source", "target") for name in ("shift", "affine")}
    assert {tensor.name for tensor in spec.roles["generator"].inputs} == {"features", "small_image", *moved}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"GIF89a", "is not a checkpoint"),
        (None, "there is no file"),
        ({"weights": torch.zeros(3)}, "has the sections weights"),
    ],
)
def test_bad_input_ends_with_one_sentence_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object, sentence: str
) -> None:
    path = tmp_path / "a.pth.tar"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        write_checkpoint(path, content)

    assert main([str(path), "--output", str(tmp_path / "m")]) == 2

    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence in last
    assert not (tmp_path / "m").exists()


def test_an_existing_model_is_kept_without_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tiny_model: ModelFolder
) -> None:
    before = (tiny_model.path / "model.json").read_bytes()

    assert main([str(tmp_path / "a.pth.tar"), "--output", str(tiny_model.path)]) == 2

    assert "--force" in capsys.readouterr().err
    assert (tiny_model.path / "model.json").read_bytes() == before


def test_the_tool_runs_by_its_path(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "import_checkpoint.py", tmp_path / "no.pth.tar", "--output", tmp_path / "m"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 2
    assert "there is no file" in done.stderr
    assert "Traceback" not in done.stderr
