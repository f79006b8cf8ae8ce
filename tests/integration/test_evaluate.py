"""Evaluation from files to report, with drivers whose figures are known and with a model folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from drawn_face import DrawnFace
from rich.console import Console

from engines.errors import TrainingError
from engines.faces import FaceFinder
from engines.training import report
from engines.training.evaluation import Evaluation
from engines.training.evaluation_set import EvaluationSet
from engines.training.judge import FIGURES, Judge
from engines.training.results import EvaluationOptions, EvaluationResult
from tools import evaluate

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FRAMES = 14
PEOPLE = {"anna <b>": {}, "berta": {"width": 48, "skin": (150, 105, 80), "hair": (20, 18, 18)}}
OPTIONS = EvaluationOptions(frames=3, pairs=2, pair_frames=FRAMES, embeddings=2, still_pairs=2)


class Mirror:
    """Gives back the driving frame: nothing is better at reconstruction."""

    def set_avatar(self, image: NDArray[np.uint8]) -> None:
        self.avatar = image

    def set_first(self, image: NDArray[np.uint8]) -> None:
        self.first = image

    def drive(self, image: NDArray[np.uint8], *, relative: bool, masks: str) -> NDArray[np.uint8]:
        return image


class Statue(Mirror):
    """Gives back the avatar: the baseline itself."""

    def drive(self, image: NDArray[np.uint8], *, relative: bool, masks: str) -> NDArray[np.uint8]:
        return self.avatar


class Fog(Mirror):
    """Gives back grey: no face in it."""

    def drive(self, image: NDArray[np.uint8], *, relative: bool, masks: str) -> NDArray[np.uint8]:
        return np.full_like(image, 128)


def write_clip(path: Path, person: dict, rng: np.random.Generator) -> None:
    """A head that nods aside and speaks, and holds still at the end in a camera's noise."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width = stream.height = 256
        for time in np.minimum(np.arange(FRAMES), FRAMES - 4):
            face = DrawnFace(mouth=6 - 6 * np.cos(time), x=128 + 2 * time, roll=8 * np.sin(time / 2), **person)
            noisy = np.clip(face.draw() + rng.normal(0, 1.5, (256, 256, 3)), 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy)))
        container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    (folder / "clips").mkdir()
    (folder / "portraits").mkdir()
    for name, person in PEOPLE.items():
        write_clip(folder / "clips" / f"{name}.mp4", person, np.random.default_rng(3))
    portrait = DrawnFace(width=66, hair=(210, 180, 120)).draw()
    cv2.imwrite(str(folder / "portraits" / "clara.png"), portrait[..., ::-1])
    return folder


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(FaceFinder())


def measured(judge: Judge, clips: Path, driver: Mirror | None) -> tuple[EvaluationResult, Evaluation]:
    evaluation = Evaluation(judge, OPTIONS, driver=driver)
    return evaluation.run(EvaluationSet.read(clips), model="it", backend=None, folder=clips.name), evaluation


@pytest.fixture(scope="module")
def mirror(judge, clips) -> tuple[EvaluationResult, Evaluation]:
    return measured(judge, clips, Mirror())


@pytest.fixture(scope="module")
def statue(judge, clips) -> tuple[EvaluationResult, Evaluation]:
    return measured(judge, clips, Statue())


def test_a_perfect_model_has_no_distance_full_agreement_and_the_drivers_own_flicker(mirror):
    summary = mirror[0].summary

    assert {value for value in summary.result.values() if value is not None} == {0}
    assert summary.baseline["akd"] > 5
    assert summary.flicker_ratio == pytest.approx(1)
    for cross in summary.cross.values():
        assert cross.correlation["mouth"] == cross.gain["mouth"] == pytest.approx(1)
        assert cross.counted["roll"] == cross.pairs == 2


def test_a_model_that_does_nothing_is_the_baseline_and_agrees_with_nobody(statue):
    summary = statue[0].summary

    assert summary.result == summary.baseline
    assert summary.ratio["l1"] == summary.ratio["akd"] == 1
    assert summary.flicker_ratio == 0
    assert summary.cross["avatar"].correlation["mouth"] == 0


def test_a_model_that_loses_the_face_is_all_misses(judge, clips):
    result, evaluation = measured(judge, clips, Fog())

    assert result.summary.result["missed"] == 1
    assert result.summary.result["akd"] is None
    assert result.summary.cross["driving"].missed == 1
    assert result.summary.cross["driving"].correlation["yaw"] is None
    assert report.worst_first(evaluation.samples)[0].akd is None


def test_without_a_model_only_the_baseline_is_measured(judge, clips):
    result, evaluation = measured(judge, clips, None)

    assert result.summary.result is None
    assert result.summary.baseline["l1"] > 0.005
    assert result.pairs == ()
    assert evaluation.samples == []


def test_a_clip_that_cannot_be_read_is_named_and_the_others_still_count(judge, clips, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "whole.mp4").write_bytes((clips / "clips" / "berta.mp4").read_bytes())

    result, _ = measured(judge, tmp_path, None)

    assert [clip.clip for clip in result.clips] == ["whole"]
    assert "broken.mp4 cannot be read as a video" in result.left_out[0]


def test_an_evaluation_without_one_good_clip_says_so(judge, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")

    with pytest.raises(TrainingError, match=r"no clip of .* could be measured: broken.mp4 cannot be read"):
        measured(judge, tmp_path, None)


def test_page_holds_every_picture_itself_and_escapes_names(statue):
    result, evaluation = statue

    page = report.as_html(result, evaluation.samples)

    assert "anna &lt;b&gt;" in page
    assert "anna <b>" not in page
    assert page.count('src="data:image/jpeg;base64,') == page.count("<img") == 3 * (6 + 2 + 4)
    assert "http" not in page


def test_sheet_shows_the_worst_frames_in_order(statue):
    samples = report.worst_first(statue[1].samples)

    sheet = report.contact_sheet(samples[:5], across=2, side=64)

    assert [sample.akd for sample in samples] == sorted((sample.akd for sample in samples), reverse=True)
    assert sheet.shape == (3 * (64 + 20), 2 * 3 * 64, 3)
    assert sheet[20 + 32, 32].max() < 255


def test_tables_name_baseline_model_and_ratio(mirror):
    console = Console(width=140)

    with console.capture() as capture:
        console.print(report.as_text(mirror[0]))

    text = capture.get()
    for words in ("copy the first frame", "ratio", "Flicker", "driving masks: gain", "anna <b>"):
        assert words in text


def test_the_tool_measures_a_model_folder_and_writes_its_files(tiny_model, clips, tmp_path, capsys):
    output = tmp_path / "out"
    flags = [
        "--limit",
        "1",
        "--frames",
        "1",
        "--pairs",
        "1",
        "--pair-frames",
        "3",
        "--worst",
        "2",
        "--backend",
        "onnxrt",
    ]

    code = evaluate.main(["--model", str(tiny_model.path), "--clips", str(clips), "--output", str(output), *flags])

    written = json.loads((output / "evaluation.json").read_text())
    assert code == 0
    assert sorted(path.name for path in output.iterdir()) == ["evaluation.html", "evaluation.json", "worst.png"]
    assert EvaluationResult.model_validate(written).summary.result.keys() == set(FIGURES)
    assert [pair["masks"] for pair in written["pairs"]] == ["driving", "avatar"]
    assert "copy the first frame" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--clips", "nowhere"], "there is no folder nowhere"),
        (["--clips", "."], "holds no files of the kind .avi"),
        (["--clips", "CLIPS", "--model", "nowhere"], "there is no model folder at nowhere"),
        (["--clips", "CLIPS", "--portraits", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_the_tool_answers_a_wrong_folder_with_one_sentence(flags, sentence, clips, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    code = evaluate.main([str(clips) if flag == "CLIPS" else flag for flag in flags])

    error = capsys.readouterr().err
    assert code == 2
    assert sentence in error
    assert error.count("\n") == 1


def test_an_output_that_is_a_file_is_refused_before_anything_is_measured(clips, capsys):
    target = clips / "portraits" / "clara.png"

    assert evaluate.main(["--clips", str(clips), "--output", str(target)]) == 2

    assert f"{target} cannot be written" in capsys.readouterr().err


def test_the_tool_refuses_a_count_that_makes_no_sense(capsys):
    with pytest.raises(SystemExit, match="2"):
        evaluate.main(["--clips", ".", "--frames", "0"])

    assert "0 is less than 1" in capsys.readouterr().err
