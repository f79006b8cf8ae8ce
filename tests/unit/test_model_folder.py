"""Reading and writing model folders."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from engines.errors import ModelFolderError
from engines.model_folder import ModelFolder, replacing_folder, sha256, write_spec
from engines.spec import ModelSpec, RoleSpec, TensorSpec

if TYPE_CHECKING:
    from pathlib import Path

GRAPH = b"not really a graph"


def spec(**changes: object) -> ModelSpec:
    role = RoleSpec(
        file="segmenter.onnx",
        sha256=hashlib.sha256(GRAPH).hexdigest(),
        inputs=(TensorSpec(name="image", shape=(1, 64, 64, 3), dtype="uint8"),),
        outputs=(TensorSpec(name="shift", shape=(1, 2, 2), dtype="float32"),),
    )
    values = {
        "name": "small",
        "family": "mcs",
        "size": 64,
        "parts": 2,
        "part_names": ("one", "two"),
        "align_corners": True,
        "licence": "CC0",
        "provenance": "seeded",
        "configuration": {"size": 64},
        "roles": {"segmenter": role},
    }
    return ModelSpec.model_validate(values | changes)


def write(target: Path, *, force: bool = False, **changes: object) -> Path:
    with replacing_folder(target, force=force) as folder:
        (folder / "segmenter.onnx").write_bytes(GRAPH)
        write_spec(folder, spec(**changes))
    return target


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    model = ModelFolder.read(write(tmp_path / "m"))

    assert model.spec == spec()
    assert model.file("segmenter").read_bytes() == GRAPH
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_changed_graph_is_refused(tmp_path: Path) -> None:
    model = ModelFolder.read(write(tmp_path / "m"))
    (model.path / "segmenter.onnx").write_bytes(GRAPH + b"!")

    with pytest.raises(ModelFolderError, match="was changed"):
        model.file("segmenter")


def test_a_graph_is_hashed_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []
    monkeypatch.setattr("engines.model_folder.sha256", lambda path: hashed.append(path) or sha256(path))
    model = ModelFolder.read(write(tmp_path / "m"))

    model.file("segmenter")
    model.file("segmenter")

    assert hashed == [model.path / "segmenter.onnx"]


def test_a_role_the_model_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="has no swapper; it has segmenter"):
        ModelFolder.read(write(tmp_path / "m")).file("swapper")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "the file"),
        (json.dumps({"format_version": 99}), "has format 99"),
        (json.dumps({"format_version": 1}), "name: Field required"),
        (spec().model_dump_json().replace('"mcs"', '"gan"'), "family"),
        (spec().model_dump_json().replace("segmenter.onnx", "../segmenter.onnx"), "outside its folder"),
        (spec().model_dump_json().replace("segmenter.onnx", "other.onnx"), "lacks other.onnx"),
    ],
)
def test_an_unusable_model_json_gives_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    folder = write(tmp_path / "m")
    (folder / "model.json").write_text(text)

    with pytest.raises(ModelFolderError, match=sentence) as caught:
        ModelFolder.read(folder)

    assert "\n" not in str(caught.value)


def test_a_path_that_holds_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ModelFolderError, match="there is no model folder at"):
        ModelFolder.read(tmp_path / "nothing")
    with pytest.raises(ModelFolderError, match="has no model"):
        ModelFolder.read(tmp_path)
    with pytest.raises(ModelFolderError, match="is not a folder"):
        ModelFolder.read(tmp_path / "file")


def test_a_model_is_replaced_only_by_force(tmp_path: Path) -> None:
    write(tmp_path / "m")

    with pytest.raises(ModelFolderError, match="--force"):
        write(tmp_path / "m", name="second")
    write(tmp_path / "m", name="third", force=True)

    assert ModelFolder.read(tmp_path / "m").spec.name == "third"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_folder_of_something_else_is_left_alone_even_by_force(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "letters.txt").write_text("dear")

    with pytest.raises(ModelFolderError, match="not a model folder"):
        write(tmp_path / "m", force=True)

    assert (tmp_path / "m" / "letters.txt").read_text() == "dear"


def test_a_failure_while_writing_keeps_the_old_model(tmp_path: Path) -> None:
    write(tmp_path / "m")

    def interrupted(folder: Path) -> None:
        (folder / "segmenter.onnx").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), replacing_folder(tmp_path / "m", force=True) as folder:
        interrupted(folder)

    assert ModelFolder.read(tmp_path / "m").file("segmenter").read_bytes() == GRAPH
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
