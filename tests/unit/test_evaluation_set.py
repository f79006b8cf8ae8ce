"""What a model is evaluated on, and who drives whom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.errors import TrainingError
from engines.training.evaluation_set import ClipFile, EvaluationSet, PortraitFile, evenly, square
from engines.training.landmarks68 import at_metric_size


@pytest.mark.parametrize(("count", "wanted"), [(2, 6), (7, 6), (300, 6), (100, 1)])
def test_frames_are_taken_evenly_and_leave_out_the_avatars(count, wanted):
    indices = evenly(count, wanted, first=False)

    assert len(indices) == min(wanted, count - 1)
    assert indices[-1] == count - 1
    assert indices[0] > 0
    assert evenly(count, 3, first=True)[0] == 0


def test_square_takes_the_middle_at_metric_size(rng):
    wide = np.zeros((100, 300, 3), np.uint8)
    wide[:, 100:200] = 200

    assert square(wide).shape == (256, 256, 3)
    assert (square(wide) == 200).all()
    assert at_metric_size(rng.integers(0, 256, (512, 512, 3), dtype=np.uint8)).shape == (256, 256, 3)


def test_pairs_never_join_a_person_with_a_picture_of_theirs_and_are_the_same_every_time():
    clips = tuple(ClipFile(Path(f"{index}.mp4"), f"person {index % 3}") for index in range(12))
    portraits = tuple(PortraitFile(Path(f"{index}.jpg"), f"person {index % 4}") for index in range(8))
    files = EvaluationSet(clips, portraits)

    pairs = files.pairs(9, seed=4)

    assert len(pairs) == 9
    assert all(clip.identity != portrait.identity for clip, portrait in pairs)
    assert files.pairs(9, seed=4) == pairs != files.pairs(9, seed=5)


def test_there_are_no_pairs_where_everyone_is_one_person():
    files = EvaluationSet((ClipFile(Path("a.mp4"), "her"),), (PortraitFile(Path("b.jpg"), "her"),))

    assert files.pairs(5, seed=0) == []


def test_people_come_from_the_manifest_above_the_folder(tmp_path):
    (tmp_path / "set" / "clips").mkdir(parents=True)
    for name in ("a", "b"):
        (tmp_path / "set" / "clips" / f"{name}.mp4").touch()
    (tmp_path / "manifest.tsv").write_text("file\tidentity\nset/clips/a.mp4\tshe\n", encoding="utf-8")

    files = EvaluationSet.read(tmp_path / "set")

    assert [clip.identity for clip in files.clips] == ["she", "b"]
    assert [portrait.identity for portrait in files.portraits] == ["she", "b"]


def test_a_manifest_without_its_columns_is_refused_by_name(tmp_path):
    (tmp_path / "a.mp4").touch()
    (tmp_path / "manifest.tsv").write_text("name\twho\na.mp4\tshe\n", encoding="utf-8")

    with pytest.raises(TrainingError, match=r"manifest.tsv needs tab-separated columns file and identity"):
        EvaluationSet.read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_portrait_that_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "her.png"
    path.write_bytes(content)

    with pytest.raises(TrainingError, match=r"her.png cannot be read as a picture"):
        PortraitFile(path, "her").image()
