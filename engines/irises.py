"""Finds the irises of a face whose mesh is known: MediaPipe's network (Ablavatski et al., 2020), run by OpenVINO."""

from __future__ import annotations

import numpy as np

from engines.faces import MESH_POINTS, Floats, Image, Mesh, compiled, upright_crop

POINTS = MESH_POINTS + 2
"""Of a face: its mesh, then the centres of both irises."""
RIGHT_IRIS, LEFT_IRIS = MESH_POINTS, MESH_POINTS + 1
RIGHT_EYE, LEFT_EYE = (33, 133), (263, 362)
"""Outer and inner corner, as mesh indices; right and left are the person's own."""
SIDE = 64
"""Of the network's picture of one eye, pixels."""
ROOM = 2.3
"""Side of that picture over the eye's width."""
_IRIS_NUMBERS = 15


class IrisFinder:
    """The network, compiled once; not for use from several threads at a time."""

    def __init__(self, *, threads: int = 1) -> None:
        self._network = compiled("iris_landmark.tflite", threads=threads)

    def find(self, image: Image, mesh: Mesh) -> Floats:
        """Centres of the right and the left iris in pixels of the picture, (2, 2); in shut eyes they are guesses.

        Args:
            image: uint8 (H, W, 3) RGB.
            mesh: of the face in it.
        """
        points = mesh.points[:, :2]
        # The network knows left eyes: a right one is shown to it in a mirror.
        right = self._centre(image, points[RIGHT_EYE[0]], points[RIGHT_EYE[1]], mirrored=True)
        left = self._centre(image, points[LEFT_EYE[1]], points[LEFT_EYE[0]], mirrored=False)
        return np.stack([right, left])

    def _centre(self, image: Image, start: Floats, end: Floats, *, mirrored: bool) -> Floats:
        """Of one iris, by its eye's corners from left to right in the picture."""
        cosine, sine = (end - start) * np.float32(ROOM / SIDE)
        eye, matrix = upright_crop(
            image, np.float32(0.5) * (start + end), cosine=float(cosine), sine=float(sine), side=SIDE
        )
        seen = eye[:, ::-1] if mirrored else eye
        outputs = self._network(np.ascontiguousarray(seen)[None].astype(np.float32) / 255)
        by_size = {value.size: np.asarray(value).reshape(-1) for value in outputs.values()}
        centre = by_size[_IRIS_NUMBERS][:2].astype(np.float32)
        if mirrored:
            centre[0] = SIDE - 1 - centre[0]
        return np.asarray(matrix[:, :2] @ centre + matrix[:, 2], np.float32)
