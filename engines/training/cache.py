"""Reads clips and portraits once into one array of frames with their mesh points, so that training never decodes.

A cache is a folder: `frames.npy` uint8 (N, size, size, 3) RGB, `points.npy` float32 (N, 470, 2) in [-1, 1],
`scores.npy` float32 (N,), and `index.json` that says which rows belong to which clip.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from engines.errors import TrainingError
from engines.irises import POINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engines.faces import FaceFinder, Mesh
    from engines.irises import IrisFinder

Image = NDArray[np.uint8]

VIDEOS = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi"})
PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
LEAST_SCORE = 0.5
"""Frames of clips with a less certain mesh are left out; a portrait keeps its row and is trained without guidance."""


@dataclass(frozen=True)
class Span:
    """Rows of one clip or portrait."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True, eq=False)
class Cache:
    """An opened cache; frames stay on disk and are mapped."""

    frames: Image
    """(N, size, size, 3) RGB."""
    points: NDArray[np.float32]
    """(N, 470, 2): the mesh, then both irises; x then y, [-1, 1] between the centres of the corner pixels."""
    scores: NDArray[np.float32]
    """(N,) probability that the mesh is right."""
    clips: tuple[Span, ...]
    portraits: tuple[Span, ...]

    @property
    def size(self) -> int:
        """Side of the frames, pixels."""
        return int(self.frames.shape[1])

    @classmethod
    def open(cls, folder: Path) -> Cache:
        """Map a cache that `build` wrote.

        Raises:
            TrainingError: it is missing or incomplete.
        """
        try:
            index = json.loads((folder / "index.json").read_text())
            spans = [Span(**entry) for entry in index["spans"]]
            return cls(
                np.load(folder / "frames.npy", mmap_mode="r"),
                np.load(folder / "points.npy").reshape(-1, POINTS, 2),
                np.load(folder / "scores.npy"),
                tuple(span for span in spans if span.stop - span.start > 1),
                tuple(span for span in spans if span.stop - span.start == 1),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"{folder} is no training cache ({error}); build it anew with --rebuild-cache"
            ) from error


def build(
    sources: list[Path],
    folder: Path,
    *,
    size: int = 256,
    most_frames: int = 120,
    progress: Callable[[int, int], None] | None = None,
) -> Cache:
    """Read every video and picture below `sources`, find the meshes, and write the cache.

    Args:
        sources: folders or files; pictures are expected framed as the program frames them.
        folder: where the cache goes; `index.json` is written last and makes it valid.
        size: side of the stored frames, pixels.
        most_frames: frames kept of a clip, spread evenly.
        progress: called with files done and files in all.

    Raises:
        TrainingError: there is nothing to read.
    """
    from engines.faces import FaceFinder
    from engines.irises import IrisFinder

    files = sorted({file for source in sources for file in _files(source)})
    if not files:
        raise TrainingError(f"no video or picture in {', '.join(map(str, sources))}; name a folder that holds some")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.json").unlink(missing_ok=True)
    with (folder / "frames.npy").open("wb") as stream:
        _write_header(stream, (0, size, size, 3))
        rows = _Rows(stream, FaceFinder(), IrisFinder())
        for done, file in enumerate(files):
            rows.add(file, size=size, most=most_frames)
            if progress is not None:
                progress(done + 1, len(files))
        # NumPy leaves room in the header for the first axis to grow.
        stream.seek(0)
        _write_header(stream, (len(rows.scores), size, size, 3))
    if not rows.spans:
        raise TrainingError(f"no frame with a face in {', '.join(map(str, sources))}")
    np.save(folder / "points.npy", np.stack(rows.points))
    np.save(folder / "scores.npy", np.array(rows.scores, np.float32))
    unfinished = folder / "index.json.part"
    unfinished.write_text(json.dumps({"spans": [vars(span) for span in rows.spans]}, indent=1))
    os.replace(unfinished, folder / "index.json")
    return Cache.open(folder)


class _Rows:
    """Frames go to the stream as they are read; their points and scores are collected."""

    def __init__(self, stream: BinaryIO, finder: FaceFinder, irises: IrisFinder) -> None:
        self.spans: list[Span] = []
        self.points: list[NDArray[np.float32]] = []
        self.scores: list[float] = []
        self._stream = stream
        self._finder = finder
        self._irises = irises

    def add(self, file: Path, *, size: int, most: int) -> None:
        """Every frame of a video with a face in it, or a picture whatever it shows."""
        start = len(self.scores)
        for image in _frames(file, size=size, most=most):
            mesh = _mesh(self._finder, image)
            if mesh is None and file.suffix.lower() in VIDEOS:
                continue
            self._stream.write(image.tobytes())
            self.points.append(self._points(image, mesh))
            self.scores.append(0.0 if mesh is None else mesh.score)
        if len(self.scores) > start:
            self.spans.append(Span(file.name, start, len(self.scores)))

    def _points(self, image: Image, mesh: Mesh | None) -> NDArray[np.float32]:
        if mesh is None:
            return np.zeros((POINTS, 2), np.float32)
        points = np.concatenate([mesh.points[:, :2], self._irises.find(image, mesh)])
        return np.asarray(points * (2 / (image.shape[0] - 1)) - 1, np.float32)


def _files(source: Path) -> Iterator[Path]:
    candidates = [source] if source.is_file() else sorted(source.rglob("*"))
    return (file for file in candidates if file.suffix.lower() in VIDEOS | PICTURES)


def _frames(file: Path, *, size: int, most: int) -> Iterator[Image]:
    if file.suffix.lower() in PICTURES:
        image = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
        if image is not None:
            yield _square(np.asarray(image, np.uint8), size)
        return
    with av.open(str(file)) as container:
        stream = container.streams.video[0]
        total = stream.frames or round(
            float((container.duration or 0) / av.time_base) * float(stream.average_rate or 25)
        )
        stride = max(1, -(-total // most))
        for index, frame in enumerate(container.decode(stream)):
            if index % stride == 0:
                yield _square(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), size)


def _square(image: Image, size: int) -> Image:
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    square = image[top : top + side, left : left + side]
    if side == size:
        return np.ascontiguousarray(square)
    flag = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (size, size), interpolation=flag), np.uint8)


def _mesh(finder: FaceFinder, image: Image) -> Mesh | None:
    faces = finder.find(image)
    if not faces:
        return None
    mesh = finder.mesh(image, faces[0])
    return mesh if mesh.score >= LEAST_SCORE else None


def _write_header(stream: BinaryIO, shape: tuple[int, ...]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
