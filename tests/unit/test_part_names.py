"""Parts are called what they cover, on a bundled face whose mesh the real network finds."""

from __future__ import annotations

import numpy as np
import pytest

from engines.errors import ModelFolderError
from engines.faces import FaceFinder
from engines.model_folder import ModelFolder, rename_parts
from engines.part_names import CANDIDATES, UNUSED, name_parts, places
from puppet import config, framing, images
from tests.tiny_model import write

SIDE, SIZE = 256, 64


@pytest.fixture(scope="module")
def mesh():
    finder = FaceFinder()
    picture = images.read_picture(config.default_avatar())
    picture = images.crop(picture, framing.frame_picture(picture, finder, name="avatar"), size=SIDE)
    return finder.mesh(picture, finder.find(picture)[0])


def masks_of(mesh, parts: list[tuple[str, ...]]) -> np.ndarray:
    """A mask a part, which covers the places of these names, softly."""
    where = places(mesh, side=SIDE, size=SIZE)
    own = np.stack([np.any([where[name] for name in names], axis=0) for names in parts]) * np.float32(0.9)
    return np.concatenate([1 - own.max(axis=0, keepdims=True), own]).astype(np.float32)


def test_places_do_not_overlap_and_stand_where_they_should(mesh):
    where = places(mesh, side=SIDE, size=SIZE)

    assert np.sum(list(where.values()), axis=0).max() == 1
    rows = {name: np.argwhere(place).mean(axis=0) for name, place in where.items()}
    down = [rows[name][0] for name in ("hair", "forehead", "right_eye", "nose", "upper_lip", "chin", "body")]
    assert down == sorted(down)
    assert rows["right_eye"][1] < rows["nose"][1] < rows["left_eye"][1], "the person's own right is the picture's left"


@pytest.mark.parametrize("count", [5, 10, 15])
def test_every_published_number_of_segments_gets_names(mesh, count):
    chosen = [CANDIDATES[index] for index in np.linspace(0, len(CANDIDATES) - 1, count).astype(int)]

    names = name_parts([masks_of(mesh, [places for _, places in chosen])], [mesh], sides=[SIDE])

    assert len(set(names)) == count
    assert [name.removesuffix("_2") for name in names] == [name for name, _ in chosen]


def test_parts_that_are_not_there_or_lie_nowhere_are_told(mesh):
    masks = masks_of(mesh, [("nose",), ("hair",), ("chin",)])
    masks[2] *= 0.05
    masks[3] = 0
    masks[3, 0, ::9] = 1

    assert name_parts([masks], [mesh], sides=[SIDE]) == ("nose", UNUSED, "part_3")


def test_names_are_written_and_what_cannot_be_one_is_refused(tmp_path):
    folder = write(tmp_path / "model").path

    assert rename_parts(folder, ("hair", "face")).spec.part_names == ("hair", "face")
    assert ModelFolder.read(folder).spec.part_names == ("hair", "face")
    assert not list(folder.glob(".names*"))
    for names, sentence in (
        (("hair",), "has 2 parts, and 1 names"),
        (("hair", "hair"), "no name twice"),
        (("hair", "Two words"), "'Two words' cannot be"),
        (("hair", "background"), "not background"),
    ):
        with pytest.raises(ModelFolderError, match=sentence):
            rename_parts(folder, names)
