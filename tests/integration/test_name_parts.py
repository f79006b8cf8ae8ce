"""Names by the command line, from faces and by hand."""

from __future__ import annotations

import shutil

import pytest

from engines.model_folder import BUNDLED, ModelFolder
from puppet import config, images
from tests.media import flat
from tools.name_parts import main


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(BUNDLED, tmp_path / "model")


def test_faces_name_the_parts_and_a_sheet_shows_them(folder, capsys):
    assert main([str(folder), "--faces", *(str(path) for path in config.avatars()[:3])]) == 0

    names = ModelFolder.read(folder).spec.part_names
    assert len(set(names)) == ModelFolder.read(BUNDLED).spec.parts
    assert "nose" in names, names
    assert images.read_picture(folder / "parts.png").shape[1] == 3 * 256 + 180
    assert f"--names {','.join(names)}" in capsys.readouterr().out


def test_names_may_be_given(folder):
    names = [f"thing_{number}" for number in range(ModelFolder.read(BUNDLED).spec.parts)]

    assert main([str(folder), "--names", ",".join(names), "--faces", str(config.default_avatar())]) == 0
    assert ModelFolder.read(folder).spec.part_names == tuple(names)


def test_bad_input_is_one_sentence(folder, tmp_path, capsys, caplog):
    images.write_picture(tmp_path / "grey.png", flat(90, 90, 90, width=128, height=128))

    assert main([str(folder), "--faces", str(tmp_path / "grey.png")]) == 2
    assert main([str(folder), "--names", "nose"]) == 2
    # Warnings are written only where some other test has set up the log.
    errors = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("warning: ")]
    assert errors[0].startswith("no face was found in the pictures")
    assert errors[1].endswith("give one for each")
