"""Train the bundled model further on your own videos.

Finds and frames the faces, keeps some people for the measurement, trains, writes a model folder and measures it. Run
the same command again to go on where it stopped.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import cv2
import numpy as np
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from engines.errors import EngineError, TrainingError
from engines.faces import FaceFinder
from engines.model_folder import BUNDLED, refuse_existing
from engines.training import identity
from engines.training.config import TrainConfig
from engines.training.footage import LEAST_S, Segment, Sighting, held_out, people, segments
from puppet import framing, images
from puppet.errors import PuppetError, SourceError
from puppet.sources.video_file import SUFFIXES, VideoFile, is_video

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engines.training.footage import Box
    from puppet.types import Image

TOOLS = Path(__file__).parent
SIDE = 256
"""Of the clips, pixels."""
RATE = 25
"""Frames a second of the clips; of faster videos frames are left out."""
EMBEDDED = 3
"""Frames of a clip whose embeddings make up the clip's."""
LOOK = (32, 18)
FINISHED = "clips.json"


class Cut(NamedTuple):
    """One framed clip."""

    file: str
    video: str
    embedding: list[float] | None
    """None where identities cannot be told."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every step that is not done yet; 0 if it went well, 2 if what was given cannot be used."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        refuse_existing(options.output, force=options.force)
        config = _config(options.steps)
        _prepare(options, console)
        return _train(options, console, config)
    except (EngineError, PuppetError) as error:
        console.print(str(error))
        return 2
    except OSError as error:
        console.print(f"{error.filename or options.work} cannot be written or read ({error.strerror})")
        return 2
    except KeyboardInterrupt:
        console.print(f"stopped; the same command goes on from {options.work}")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="retrain.py", description=__doc__)
    parser.add_argument("videos", type=Path, help="folder with your videos, one person in view at a time")
    parser.add_argument("--output", type=Path, required=True, help="model folder to write")
    parser.add_argument("--work", type=Path, required=True, help="folder for clips, checkpoints and the report")
    parser.add_argument("--steps", type=int, default=3000, help="of four pairs each (3000)")
    parser.add_argument("--start-from", type=Path, default=BUNDLED / "weights.safetensors", metavar="FILE")
    parser.add_argument("--held-out", type=float, default=0.15, metavar="SHARE", help="of the clips, to measure with")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads, 0 for all")
    parser.add_argument("--licence", default="unknown", help="of the weights: what the rights in your videos allow")
    parser.add_argument("--force", action="store_true", help="replace a model folder that is there")
    return parser


def _prepare(options: argparse.Namespace, console: Console) -> None:
    """Framed clips below WORK/train and WORK/val, with a manifest of who is who."""
    if (options.work / "manifest.tsv").exists():
        return
    if not options.videos.is_dir():
        raise TrainingError(f"there is no folder {options.videos}; name one with your videos")
    videos = sorted(file for file in options.videos.rglob("*") if is_video(file))
    if not videos:
        raise TrainingError(f"{options.videos} holds no videos ({', '.join(sorted(SUFFIXES))}); name another folder")
    reason = identity.why_unavailable()
    if reason is not None:
        console.print(f"people cannot be told apart, so each video counts as one person ({reason.partition(': ')[2]})")
    cutter = _Cutter(options.work / "clips", None if reason is not None else identity.IdentityNet())
    cuts: list[Cut] = []
    columns = (TextColumn("framing {task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(videos))
        for number, video in enumerate(videos):
            progress.update(task, description=video.name[:40], completed=number)
            try:
                cuts += cutter.cut(video, number)
            except SourceError as error:
                console.print(f"left out: {error}")
        progress.update(task, completed=len(videos))
    if not cuts:
        raise TrainingError(f"no video in {options.videos} shows a face for {LEAST_S:g} s; film head and shoulders")
    _split(cuts, options, console)


class _Cutter:
    """Writes the clips of one video after the other; a video that was finished is not read again."""

    def __init__(self, folder: Path, network: identity.IdentityNet | None) -> None:
        self._folder = folder
        self._network = network
        self._finder = FaceFinder()

    def cut(self, video: Path, number: int) -> list[Cut]:
        folder = self._folder / f"{number:04d}"
        if (folder / FINISHED).exists():
            return [Cut(*entry) for entry in json.loads((folder / FINISHED).read_text())]
        folder.mkdir(parents=True, exist_ok=True)
        cuts = []
        for index, segment in enumerate(segments(self._sightings(VideoFile(video)))):
            square = framing.around_faces(segment.boxes)
            pictures = [images.crop(image, square, size=SIDE) for image in _between(VideoFile(video), segment)]
            name = f"{number:04d}/{video.stem}_{index}.mp4"
            _write_clip(self._folder / name, pictures)
            cuts.append(Cut(name, video.name, self._embedding(pictures)))
        _write_text(folder / FINISHED, json.dumps(cuts))
        return cuts

    def _sightings(self, video: VideoFile) -> Iterator[Sighting]:
        box: Box | None = None
        for image, seconds in _steady(video):
            box = framing.find_face(image, self._finder, near=box)
            yield Sighting(seconds, box, cv2.resize(image, LOOK, interpolation=cv2.INTER_AREA))

    def _embedding(self, pictures: list[Image]) -> list[float] | None:
        if self._network is None:
            return None
        found = []
        for picture in (pictures[index * len(pictures) // EMBEDDED] for index in range(EMBEDDED)):
            faces = self._finder.find(picture)
            if faces:
                found.append(self._network.embed(picture, self._finder.mesh(picture, faces[0])))
        return [float(value) for value in np.mean(found, axis=0)] if found else None


def _steady(video: VideoFile) -> Iterator[tuple[Image, float]]:
    """Frames and their seconds, no more than `RATE` a second."""
    due = -1.0
    for frame in video.frames():
        if frame.captured_at >= due - 0.25 / RATE:
            due = max(due + 1 / RATE, frame.captured_at + 0.5 / RATE)
            yield frame.image, frame.captured_at


def _between(video: VideoFile, segment: Segment) -> Iterator[Image]:
    for image, seconds in _steady(video):
        if seconds > segment.stop:
            return
        if seconds >= segment.start:
            yield image


def _write_clip(path: Path, pictures: Sequence[Image]) -> None:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(RATE), options={"crf": "17"})
        stream.width = stream.height = SIDE
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _split(cuts: list[Cut], options: argparse.Namespace, console: Console) -> None:
    """Copy clips into train and val; the manifest is written last and says that all is done."""
    known = [cut for cut in cuts if cut.embedding is not None]
    labels = people([np.array(cut.embedding, np.float32) for cut in known])
    by_face = {cut.file: f"person{label:03d}" for cut, label in zip(known, labels, strict=True)}
    who = [by_face.get(cut.file, cut.video) for cut in cuts]
    measured = held_out(who, share=options.held_out)
    if not measured:
        console.print("all clips show one person: nothing can be kept for a measurement of others")
    rows = []
    for cut, person in zip(cuts, who, strict=True):
        place = Path("val" if person in measured else "train") / "clips" / cut.file.replace("/", "_")
        target = options.work / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(options.work / "clips" / cut.file, target)
        rows.append((place.as_posix(), person, cut.video))
    unfinished = options.work / "manifest.tsv.part"
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t").writerows([("file", "identity", "video"), *rows])
    os.replace(unfinished, options.work / "manifest.tsv")
    console.print(f"{len(cuts)} clips of {len(set(who))} people, {len(measured)} of them kept for the measurement")


def _train(options: argparse.Namespace, console: Console, configuration: str) -> int:
    """The tools that do one thing each, one after the other; each goes on where it stopped."""
    run = options.work / "run"
    config = options.work / "config.json"
    if not config.exists():
        _write_text(config, configuration)
    train = [TOOLS / "train.py", "--output", run, "--threads", options.threads]
    from_where = ["--data", options.work / "train", "--config", config, "--start-from", options.start_from]
    export = ["--export", options.output, "--name", options.output.name, "--licence", options.licence, "--rounded"]
    steps = [[*train, *from_where], [*train, *export, *(["--force"] if options.force else [])]]
    if (options.work / "val").is_dir():
        report = options.work / "report"
        steps.append(
            [TOOLS / "evaluate.py", "--model", options.output, "--clips", options.work / "val", "--output", report]
        )
    for step in steps:
        code = _run([str(word) for word in step])
        if code:
            return code
    console.print(f"model folder: {options.output}; use it with --model {options.output}")
    return 0


def _run(words: list[str]) -> int:
    """One tool, to its end even if it is interrupted: it then saves what it has."""
    path = os.pathsep.join(filter(None, [str(TOOLS.parent), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen([sys.executable, *words], env={**os.environ, "PYTHONPATH": path}) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise


def _config(steps: int) -> str:
    """A run that goes on from trained weights: the later part of the schedule, at full size."""
    try:
        config = TrainConfig.model_validate(
            {
                "stages": [{"steps": steps, "size": SIDE, "batch": 4}],
                "learning_rate": 4e-4,
                "warm_up": 100,
                "begun": 0.6,
            }
        )
    except ValidationError as error:
        raise TrainingError(f"--steps {steps} cannot be: {error.errors()[0]['msg']}") from error
    return config.model_dump_json(indent=1)


def _write_text(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


if __name__ == "__main__":
    sys.exit(main())
