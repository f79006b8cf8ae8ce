"""What a model is evaluated on: clips, portraits, who is who, and which portrait each clip drives."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from engines.errors import TrainingError
from engines.training.landmarks68 import at_metric_size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engines.faces import Image

VIDEO_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"}
PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
MANIFEST = "manifest.tsv"
MOST_FRAMES = 600
"""A clip is read no further than this."""


@dataclass(frozen=True)
class ClipFile:
    """A clip; its frames are read when asked for."""

    path: Path
    identity: str
    """By the manifest; without one, each file is a person of its own."""

    @property
    def name(self) -> str:
        """File name without suffix."""
        return self.path.stem

    def frames(self, *, limit: int = MOST_FRAMES) -> list[Image]:
        """The first frames, square from the middle, uint8 (256, 256, 3) RGB.

        Raises:
            TrainingError: it is no video, or holds fewer than two frames.
        """
        try:
            with av.open(str(self.path)) as container:
                frames: list[Image] = []
                for frame in container.decode(video=0):
                    frames.append(square(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)))
                    if len(frames) == limit:
                        break
        except (av.FFmpegError, IndexError) as error:
            raise TrainingError(
                f"{self.path.name} cannot be read as a video ({error}); remove or replace it"
            ) from error
        if len(frames) < min(2, limit):
            raise TrainingError(f"{self.path.name} has {len(frames)} frames; an evaluation needs two or more")
        return frames


@dataclass(frozen=True)
class PortraitFile:
    """A picture to be driven by other people's clips: a picture file, or the first frame of a clip."""

    path: Path
    identity: str

    @property
    def name(self) -> str:
        """File name without suffix."""
        return self.path.stem

    def image(self) -> Image:
        """The picture, square from the middle, uint8 (256, 256, 3) RGB.

        Raises:
            TrainingError: it cannot be read.
        """
        if self.path.suffix.lower() in VIDEO_SUFFIXES:
            return ClipFile(self.path, self.identity).frames(limit=1)[0]
        try:
            data = np.fromfile(self.path, np.uint8)
        except OSError as error:
            raise TrainingError(f"{self.path.name} cannot be read ({error.strerror}); remove or replace it") from error
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        if image is None:
            raise TrainingError(f"{self.path.name} cannot be read as a picture; remove or replace it")
        return square(np.asarray(image[..., ::-1], np.uint8))


@dataclass(frozen=True)
class EvaluationSet:
    """Clips and portraits."""

    clips: tuple[ClipFile, ...]
    portraits: tuple[PortraitFile, ...]

    @classmethod
    def read(cls, clips: Path, portraits: Path | None = None, *, limit: int | None = None) -> EvaluationSet:
        """List the files.

        Args:
            clips: folder of square clips, or one that holds `clips/` and perhaps `portraits/`. A `manifest.tsv` with
                the columns `file` and `identity` in one of the folders above says who is who.
            portraits: folder of square portraits; by default those beside the clips and each clip's first frame.
            limit: no more clips than this, evenly taken.

        Raises:
            TrainingError: a folder is missing or holds nothing of use, or the manifest cannot be read.
        """
        folder = clips / "clips" if (clips / "clips").is_dir() else clips
        people = _identities(folder)
        files = [ClipFile(path, people.get(path.resolve(), path.stem)) for path in _files(folder, VIDEO_SUFFIXES)]
        if limit is not None and limit < len(files):
            files = [files[index * len(files) // limit] for index in range(limit)]
        beside = folder.parent / "portraits" if folder != clips else None
        sources = [portraits] if portraits else [beside] if beside and beside.is_dir() else []
        pictures = [
            PortraitFile(path, _identities(source).get(path.resolve(), path.stem))
            for source in sources
            for path in _files(source, PICTURE_SUFFIXES)
        ]
        if portraits is None:
            pictures += [PortraitFile(clip.path, clip.identity) for clip in files]
        return cls(tuple(files), tuple(pictures))

    def pairs(self, count: int, *, seed: int) -> list[tuple[ClipFile, PortraitFile]]:
        """Each clip in turn with a portrait of another person; every person is as likely, whatever their pictures.

        Args:
            count: no more pairs than this; clips are taken evenly.
            seed: of the choice.
        """
        choice = random.Random(seed)
        people: dict[str, list[PortraitFile]] = {}
        for portrait in self.portraits:
            people.setdefault(portrait.identity, []).append(portrait)
        count = min(count, len(self.clips))
        pairs = []
        for clip in (self.clips[index * len(self.clips) // count] for index in range(count)):
            others = sorted(identity for identity in people if identity != clip.identity)
            if others:
                pairs.append((clip, choice.choice(people[choice.choice(others)])))
        return pairs


def square(image: Image) -> Image:
    """The middle square of a picture at 256 pixels."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return at_metric_size(np.ascontiguousarray(image[top : top + side, left : left + side]))


def evenly(count: int, wanted: int, *, first: bool) -> list[int]:
    """Indices spread evenly over `count` frames; without `first`, frame 0 is never among them."""
    if first:
        return sorted({round(value) for value in np.linspace(0, count - 1, min(wanted, count))})
    return sorted({round(value) for value in np.linspace(0, count - 1, min(wanted, count - 1) + 1)[1:]})


def _files(folder: Path, suffixes: set[str]) -> Sequence[Path]:
    if not folder.is_dir():
        raise TrainingError(f"there is no folder {folder}; give one that holds {_kinds(suffixes)}")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    if not files:
        raise TrainingError(f"{folder} holds no {_kinds(suffixes)}; give another folder")
    return files


def _kinds(suffixes: set[str]) -> str:
    return f"files of the kind {', '.join(sorted(suffixes))}"


def _identities(folder: Path) -> dict[Path, str]:
    """Who is in each file, from the first manifest in this folder or one of the three above it."""
    folder = folder.resolve()
    for parent in [folder, *folder.parents][:4]:
        manifest = parent / MANIFEST
        if manifest.is_file():
            try:
                with manifest.open(encoding="utf-8", newline="") as file:
                    rows = csv.DictReader(file, delimiter="\t")
                    return {(parent / row["file"]).resolve(): row["identity"] for row in rows}
            except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
                raise TrainingError(f"{manifest} needs tab-separated columns file and identity ({error!r})") from error
    return {}
