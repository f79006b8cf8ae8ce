"""The 68 landmarks of face alignment, picked out of the 468 mesh points, and a face's points at 256 pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engines.faces import FaceFinder, Image, Mesh

SIDE = 256
"""Side of the square picture in whose pixels key point distances are given."""
LEAST_SCORE = 0.5
"""Below this probability the mesh network says that its crop holds no face."""

_JAW = (162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389)
_BROWS = (71, 63, 105, 66, 107, 336, 296, 334, 293, 301)
_NOSE = (168, 197, 5, 4, 75, 97, 2, 326, 305)
_EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
_LIPS = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87)

LANDMARKS: NDArray[np.int64] = np.array(_JAW + _BROWS + _NOSE + _EYES + _LIPS)
"""(68,) mesh indices in the order of the iBUG mark-up (Sagonas et al., 2013)."""
EYES = slice(36, 48)
MOUTH = slice(48, 68)


def landmarks(mesh: Mesh) -> NDArray[np.float32]:
    """(68, 2) x then y, in the pixels of the picture that the mesh was found in."""
    points: NDArray[np.float32] = mesh.points[LANDMARKS, :2]
    return points


def face_mesh(finder: FaceFinder, image: Image) -> Mesh | None:
    """Mesh of the most certain face, or None if there is no face.

    Args:
        finder: both face networks.
        image: uint8 (H, W, 3) RGB.
    """
    faces = finder.find(image)
    if not faces:
        return None
    mesh = finder.mesh(image, faces[0])
    return mesh if mesh.score >= LEAST_SCORE else None


def at_metric_size(image: Image) -> Image:
    """The square picture at the size in which every figure is taken, uint8 (256, 256, 3)."""
    if image.shape[:2] == (SIDE, SIDE):
        return image
    smaller = max(image.shape[:2]) > SIDE
    flags = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=flags), np.uint8)
