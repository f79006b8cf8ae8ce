"""Irises are found where a face looks, in pixels of its picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("openvino", reason="openvino is not installed")

from engines.faces import MESH_POINTS, Mesh
from engines.irises import LEFT_EYE, RIGHT_EYE, IrisFinder

SKIN, WHITE, BROWN, PUPIL = (205, 165, 145), (240, 238, 235), (95, 60, 35), (15, 10, 10)
EYES = {"right": (90, 120), "left": (166, 120)}
HALF_WIDTH, HALF_HEIGHT, IRIS = 18, 8, 7


def drawn(aside: float, *, turned: float = 0.0) -> tuple[np.ndarray, Mesh, np.ndarray]:
    """Two eyes that look `aside` pixels to the right of the picture, their corners' mesh, and the true centres."""
    scale = 8
    image = np.full((256 * scale, 256 * scale, 3), SKIN, np.uint8)
    points = np.zeros((MESH_POINTS, 3), np.float32)
    truth = []
    for name, (x, y) in EYES.items():
        opening = np.zeros(image.shape[:2], np.uint8)
        axes = (HALF_WIDTH * scale, HALF_HEIGHT * scale)
        cv2.ellipse(opening, (x * scale, y * scale), axes, 0, 0, 360, 255, -1)
        eye = np.full_like(image, WHITE)
        middle = (round((x + aside) * scale), y * scale)
        cv2.circle(eye, middle, IRIS * scale, BROWN, -1, cv2.LINE_AA)
        cv2.circle(eye, middle, IRIS * scale // 2, PUPIL, -1, cv2.LINE_AA)
        image = np.where(opening[..., None] > 0, eye, image)
        cv2.ellipse(image, (x * scale, y * scale), axes, 0, 180, 360, (60, 40, 35), 2 * scale, cv2.LINE_AA)
        outer, inner = RIGHT_EYE if name == "right" else LEFT_EYE
        away = -1 if name == "right" else 1
        points[outer, :2], points[inner, :2] = (x + away * HALF_WIDTH, y), (x - away * HALF_WIDTH, y)
        truth.append((x + aside, y))
    small = cv2.GaussianBlur(cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA), (0, 0), 0.8)
    turn = cv2.getRotationMatrix2D((128, 128), turned, 1.0)
    points[:, :2] = points[:, :2] @ turn[:, :2].T + turn[:, 2]
    centres = np.array(truth) @ turn[:, :2].T + turn[:, 2]
    picture = cv2.warpAffine(small, turn, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    return picture, Mesh(points, 1.0), centres


@pytest.mark.parametrize("aside", [-5, 0, 5])
@pytest.mark.parametrize("turned", [0, 25])
def test_irises_are_where_they_were_drawn(aside: float, turned: float) -> None:
    image, mesh, truth = drawn(aside, turned=turned)

    found = IrisFinder().find(image, mesh)

    assert np.abs(found - truth).max() < 2.5, found - truth
