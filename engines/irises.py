"""Finds the irises of a face whose mesh is known: MediaPipe's network (Ablavatski et al., 2020), run by OpenVINO."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from engines.faces import MODELS, Floats, Image, Mesh

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
        from engines.backends.ovino import openvino_core

        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        self._network: Any = openvino_core().compile_model(MODELS / "iris_landmark.tflite", "CPU", settings)

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
        middle, half = (start + end) / 2, SIDE / 2
        # From the eye's picture to the whole: turned by the eye's line, scaled, moved to its middle.
        matrix = np.array(
            [
                [cosine, -sine, middle[0] - half * (cosine - sine)],
                [sine, cosine, middle[1] - half * (sine + cosine)],
            ],
            np.float32,
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        eye = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        seen = eye[:, ::-1] if mirrored else eye
        outputs = self._network(np.ascontiguousarray(seen)[None].astype(np.float32) / 255)
        by_size = {value.size: np.asarray(value).reshape(-1) for value in outputs.values()}
        centre = by_size[_IRIS_NUMBERS][:2].astype(np.float32)
        if mirrored:
            centre[0] = SIDE - 1 - centre[0]
        return np.asarray(matrix[:, :2] @ centre + matrix[:, 2], np.float32)
