"""Finds faces and their 468 mesh points with MediaPipe's two small networks, run by OpenVINO.

BlazeFace (Bazarevsky et al., 2019) proposes boxes with six key points; the face mesh (Kartynnik et al., 2019)
reads 468 points off a crop turned upright by the eye line.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

MODELS = Path(__file__).parent / "models" / "faces"
DETECTOR_SIDE = 128
MESH_SIDE = 192
MESH_POINTS = 468
RIGHT_EYE_CORNER, LEFT_EYE_CORNER = 33, 263
"""Outer corners, the person's own right and left, as mesh indices."""


@dataclass(frozen=True, eq=False)
class Face:
    """One detected face, in pixels of the picture."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom."""
    score: float
    """Probability in [0, 1]."""
    key_points: Floats
    """(6, 2): right eye, left eye, nose tip, mouth, right ear, left ear (the person's own sides)."""


@dataclass(frozen=True, eq=False)
class Mesh:
    """Points of one face, in pixels of the picture."""

    points: Floats
    """(468, 3): x, y, and depth in the same unit, nearer is smaller."""
    score: float
    """Probability in [0, 1] that the crop held a face."""
    irises: Floats | None = None
    """(2, 2): x, y of the right and the left one, where they were looked for."""


class FaceFinder:
    """Both networks, compiled once; not for use from several threads at a time."""

    def __init__(self, *, threads: int = 1) -> None:
        self._detector = compiled("face_detection_short_range.tflite", threads=threads)
        self._mesh = compiled("face_landmark.tflite", threads=threads)
        self._anchors = _anchors()

    def find(self, image: Image, *, threshold: float = 0.5) -> list[Face]:
        """All faces, the most certain first.

        Args:
            image: uint8 (H, W, 3) RGB.
            threshold: least probability.
        """
        height, width = image.shape[:2]
        side = max(height, width)
        # Letterboxed: the detector wants a square and the face undistorted.
        scale = DETECTOR_SIDE / side
        inside = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(image, inside, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        left, top = (DETECTOR_SIDE - inside[0]) // 2, (DETECTOR_SIDE - inside[1]) // 2
        square = np.zeros((DETECTOR_SIDE, DETECTOR_SIDE, 3), np.uint8)
        square[top : top + inside[1], left : left + inside[0]] = small
        offset = np.array([left, top], np.float32) / scale
        outputs = self._detector(square[None].astype(np.float32) / 127.5 - 1)
        by_width = {value.shape[-1]: np.asarray(value) for value in outputs.values()}
        scores = 1 / (1 + np.exp(-np.clip(by_width[1][0, :, 0], -80, 80)))
        keep = np.flatnonzero(scores >= threshold)
        decoded = by_width[16][0, keep].reshape(-1, 8, 2) / DETECTOR_SIDE
        decoded[:, 0] += self._anchors[keep]
        decoded[:, 2:] += self._anchors[keep][:, None]
        boxes = np.concatenate([decoded[:, 0] - decoded[:, 1] / 2, decoded[:, 0] + decoded[:, 1] / 2], axis=1)
        faces = []
        for members in _clusters(boxes, scores[keep]):
            weight = scores[keep][members]
            weight = (weight / weight.sum()).astype(np.float32)
            points = np.tensordot(weight, decoded[members][:, 2:], 1) * side - offset
            x0, y0, x1, y1 = (weight @ boxes[members]) * side - np.tile(offset, 2)
            best = float(scores[keep][members].max())
            faces.append(Face((float(x0), float(y0), float(x1), float(y1)), best, points.astype(np.float32)))
        return faces

    def mesh(self, image: Image, face: Face, *, refinements: int = 2) -> Mesh:
        """Mesh points of a detected face; each refinement crops again by the points found so far."""
        left, top, right, bottom = face.box
        centre = np.array([(left + right) / 2, (top + bottom) / 2], np.float32)
        mesh = self._read(image, centre, 1.5 * max(right - left, bottom - top), face.key_points[1] - face.key_points[0])
        return self.track(image, mesh, refinements=refinements)

    def track(self, image: Image, last: Mesh, *, refinements: int = 1) -> Mesh:
        """Mesh points found near those of the last frame, without the detector."""
        for _ in range(refinements):
            points = last.points[:, :2]
            low, high = points.min(axis=0), points.max(axis=0)
            eyes = points[LEFT_EYE_CORNER] - points[RIGHT_EYE_CORNER]
            last = self._read(image, np.float32(0.5) * (low + high), 1.5 * float((high - low).max()), eyes)
        return last

    def _read(self, image: Image, centre: Floats, side: float, eye_line: Floats) -> Mesh:
        angle = float(np.arctan2(eye_line[1], eye_line[0]))
        scale = max(side, 1.0) / MESH_SIDE
        crop, matrix = upright_crop(
            image, centre, cosine=np.cos(angle) * scale, sine=np.sin(angle) * scale, side=MESH_SIDE
        )
        outputs = self._mesh(crop[None].astype(np.float32) / 255)
        by_size = {value.size: np.asarray(value).reshape(-1) for value in outputs.values()}
        points = by_size[3 * MESH_POINTS].reshape(MESH_POINTS, 3).astype(np.float32)
        flat = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        score = 1 / (1 + np.exp(-float(by_size[1][0])))
        return Mesh(np.concatenate([flat, points[:, 2:] * scale], axis=1).astype(np.float32), score)


def compiled(name: str, *, threads: int) -> Any:
    """One of the networks in `MODELS`, ready to run."""
    from engines.backends.ovino import openvino_core

    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    return openvino_core().compile_model(MODELS / name, "CPU", settings)


def upright_crop(image: Image, centre: Floats, *, cosine: float, sine: float, side: int) -> tuple[Image, Floats]:
    """A square cut out turned and scaled.

    Args:
        image: uint8 (H, W, 3).
        centre: of the square, in pixels of the picture.
        cosine: how far one pixel to the right in the square goes to the right in the picture.
        sine: how far it goes down.
        side: of the square, its own pixels.

    Returns:
        uint8 (side, side, 3), and the float32 (2, 3) affine from the square to the picture.
    """
    half = side / 2
    matrix = np.array(
        [
            [cosine, -sine, centre[0] - half * (cosine - sine)],
            [sine, cosine, centre[1] - half * (sine + cosine)],
        ],
        np.float32,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(image, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8), matrix


def _anchors() -> Floats:
    """(896, 2) centres in [0, 1], x then y: two per cell at stride 8, six at stride 16."""
    grids = []
    for cells, copies in ((16, 2), (8, 6)):
        line = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        grids.append(np.repeat(grid, copies, axis=0))
    return np.concatenate(grids)


def _clusters(boxes: Floats, scores: Floats, *, overlap: float = 0.3) -> list[NDArray[np.int64]]:
    """Indices of boxes that belong together (weighted non-maximum suppression), best first."""
    order = np.argsort(-scores)
    clusters = []
    while order.size:
        first = boxes[order[0]]
        low = np.maximum(boxes[order, :2], first[:2])
        high = np.minimum(boxes[order, 2:], first[2:])
        shared = np.prod(np.clip(high - low, 0, None), axis=1)
        areas = np.prod(boxes[order, 2:] - boxes[order, :2], axis=1)
        together = shared / (areas + areas[0] - shared) > overlap
        together[0] = True
        clusters.append(order[together])
        order = order[~together]
    return clusters
