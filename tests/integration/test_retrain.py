"""From a folder of videos to framed clips, split by people, without a step done twice."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from engines.training import identity
from tests.drawn_face import DrawnFace
from tests.media import flat, write_video
from tools import retrain

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 2


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Anna, then nothing, then Anna again; Berta; and a file that is no video."""
    folder = tmp_path / "videos"
    folder.mkdir()
    anna = _wide([DrawnFace(x=120.0 + index % 10).draw() for index in range(SECONDS * 25)])
    berta = _wide([DrawnFace(width=48, skin=(150, 105, 80)).draw() for _ in range(SECONDS * 25)])
    write_video(folder / "anna.mp4", [*anna, *[flat(200, 60, 60, width=384, height=288)] * 10, *anna])
    write_video(folder / "berta.mp4", berta)
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would be run after the preparation; identities are not asked for."""
    taken: list[list[str]] = []

    def run(words: list[str]) -> int:
        taken.append(words)
        return 0

    monkeypatch.setattr(retrain, "_run", run)
    monkeypatch.setattr(identity, "why_unavailable", lambda: "identity distance is left out: install dlib-bin")
    return taken


def test_faces_become_framed_clips_split_by_person(
    videos: Path, tmp_path: Path, steps: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"

    assert retrain.main([str(videos), "--output", str(tmp_path / "mine"), "--work", str(work)]) == 0

    with (work / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {row["file"].partition("/")[0]: row["identity"] for row in rows} == {"train": "anna.mp4", "val": "berta.mp4"}
    assert len(rows) == 3
    frames = _frames(work / rows[0]["file"])
    assert frames.shape == (SECONDS * 25, 256, 256, 3)
    assert [words[0].rpartition("/")[2] for words in steps] == ["train.py", "train.py", "evaluate.py"]
    assert "left out:" in (told := capsys.readouterr().err)
    assert "broken.mp4" in told


def test_the_second_call_reads_no_video_again(
    videos: Path, tmp_path: Path, steps: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [str(videos), "--output", str(tmp_path / "mine"), "--work", str(tmp_path / "work")]
    retrain.main(arguments)
    monkeypatch.setattr(retrain, "VideoFile", None)

    assert retrain.main(arguments) == 0
    assert len(steps) == 6


@pytest.mark.parametrize(
    ("more", "sentence"),
    [(["--steps", "0"], "--steps 0 cannot be"), ([], "shows a face for 1.5 s")],
    ids=["steps", "no face"],
)
def test_what_cannot_be_used_is_one_sentence(
    tmp_path: Path, steps: list[list[str]], capsys: pytest.CaptureFixture[str], more: list[str], sentence: str
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    pictures = [flat(90, 90, 90)] * 50 if not more else _wide([DrawnFace().draw()] * 50)
    write_video(folder / "clip.mp4", pictures)

    assert retrain.main([str(folder), "--output", str(tmp_path / "m"), "--work", str(tmp_path / "work"), *more]) == 2
    assert sentence in capsys.readouterr().err


def _wide(faces: list[np.ndarray]) -> list[np.ndarray]:
    """As a camera takes them: the face is a part of the picture."""
    return [np.pad(face, ((16, 16), (64, 64), (0, 0)), mode="edge") for face in faces]


def _frames(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
