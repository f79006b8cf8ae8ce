"""Repaints a picture in oils: curved brush strokes from broad to fine along the forms, and paint in relief.

After the idea of painterly rendering with curved strokes of several sizes (Hertzmann, SIGGRAPH 1998).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
OVERSAMPLE = 2


@dataclasses.dataclass(frozen=True)
class Layer:
    """One pass over the canvas: brush width (pixels of a 512 picture), allowed error, stroke length in widths."""

    width: float
    error: float
    length: int


LAYERS = (
    Layer(34, 0.0, 7),
    Layer(18, 0.035, 8),
    Layer(9, 0.035, 8),
    Layer(5, 0.035, 7),
    Layer(2.6, 0.045, 7),
    Layer(1.5, 0.060, 5),
)


def paint_over(picture: NDArray[np.uint8], detail: Array, *, seed: int) -> NDArray[np.uint8]:
    """The picture as a painting.

    Args:
        picture: (size, size, 3) uint8 RGB.
        detail: (size, size) in [0, 1]; where it is high (eyes, mouth) smaller errors are painted over.
        seed: another hand for another number.

    Returns:
        (size, size, 3) uint8 RGB.
    """
    size = len(picture)
    scale = OVERSAMPLE * size / 512
    wide = size * OVERSAMPLE
    goal = cv2.resize(picture, (wide, wide), interpolation=cv2.INTER_CUBIC).astype(np.float64) / 255
    fine = cv2.resize(detail, (wide, wide))
    rng = np.random.default_rng(seed)
    canvas = np.empty_like(goal)
    canvas[:] = np.array([0.36, 0.27, 0.20])
    relief = 0.15 * rng.normal(0, 1, (wide, wide))
    flow = _flow(goal)
    for number, layer in enumerate(LAYERS):
        smooth = cv2.GaussianBlur(goal, (0, 0), max(0.4, layer.width * scale * 0.28))
        for stroke in _strokes(canvas, smooth, flow, fine, layer, scale, rng, first=number == 0):
            _lay(canvas, relief, stroke, layer.width * scale, rng)
    return _light(canvas, relief, size)


@dataclasses.dataclass(frozen=True)
class Stroke:
    """A path (n, 2) in pixels, x then y, and its colour."""

    path: Array
    colour: Array


def _flow(goal: Array) -> Array:
    """Direction along the forms, (h, w, 2): the weak axis of the smoothed structure tensor."""
    grey = goal.mean(axis=2)
    dx, dy = cv2.Sobel(grey, cv2.CV_64F, 1, 0), cv2.Sobel(grey, cv2.CV_64F, 0, 1)
    xx, xy, yy = (cv2.GaussianBlur(product, (0, 0), 9) for product in (dx * dx, dx * dy, dy * dy))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.pi / 2
    return np.stack([np.cos(angle), np.sin(angle)], axis=2)


def _strokes(
    canvas: Array, smooth: Array, flow: Array, fine: Array, layer: Layer, scale: float, rng: Any, *, first: bool
) -> list[Stroke]:
    width = layer.width * scale
    side = len(canvas)
    step = max(2.0, width * 0.75)
    y, x = (grid.ravel() for grid in np.mgrid[step / 2 : side : step, step / 2 : side : step])
    x, y = (np.clip(value + rng.uniform(-0.5, 0.5, value.shape) * step, 0, side - 1) for value in (x, y))
    error = cv2.GaussianBlur(np.abs(canvas - smooth).mean(axis=2), (0, 0), width * 0.3)
    column, row = x.astype(int), y.astype(int)
    allowed = layer.error * (1.4 - 1.1 * fine[row, column])
    order = rng.permutation(np.nonzero((error[row, column] > allowed) | first)[0])
    return [_trace(x[i], y[i], smooth, flow, width, layer.length, rng) for i in order]


def _trace(x: float, y: float, smooth: Array, flow: Array, width: float, length: int, rng: Any) -> Stroke:
    side = len(smooth) - 1
    colour = smooth[int(y), int(x)]
    points = [(x, y)]
    heading = flow[int(y), int(x)] * rng.choice([-1.0, 1.0])
    for number in range(length):
        local = flow[int(y), int(x)]
        local = local if local @ heading >= 0 else -local
        heading = 0.45 * heading + 0.55 * local
        heading = heading / max(float(np.linalg.norm(heading)), 1e-6)
        x, y = x + heading[0] * width * 0.7, y + heading[1] * width * 0.7
        if not (0 <= x <= side and 0 <= y <= side):
            break
        if number > 1 and np.abs(smooth[int(y), int(x)] - colour).mean() > 0.055:
            break
        points.append((x, y))
    tinted = colour * (1 + rng.normal(0, 0.025)) + rng.normal(0, 0.010, 3)
    return Stroke(np.array(points), np.clip(tinted, 0, 1))


def _lay(canvas: Array, relief: Array, stroke: Stroke, width: float, rng: Any) -> None:
    """Puts one stroke on the canvas: bristle by bristle, each a little lighter or darker and of another height."""
    path = stroke.path
    if len(path) < 2:
        path = np.concatenate([path, path + np.array([0.6 * width, 0.0])])
    along = np.gradient(path, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / np.maximum(
        np.linalg.norm(along, axis=1, keepdims=True), 1e-6
    )
    bristles = max(3, round(width / 2.2))
    thick = max(1, round(width / bristles * 1.6))
    for offset in np.linspace(-0.5, 0.5, bristles):
        shade = 1 + rng.normal(0, 0.022)
        line = path + across * (offset * width * (1 - 0.25 * np.linspace(0, 1, len(path)) ** 2)[:, None])
        start = rng.uniform(-0.25, 0.15)
        line[0] = line[0] + (line[1] - line[0]) * start
        points = np.round(line * 16).astype(np.int32)[None]
        cv2.polylines(canvas, points, False, np.clip(stroke.colour * shade, 0, 1).tolist(), thick, cv2.LINE_AA, 4)
        height = float(np.clip(0.5 + 0.5 * np.cos(offset * np.pi * 1.6) + rng.normal(0, 0.25), 0, 1.6))
        cv2.polylines(relief, points, False, height, thick, cv2.LINE_AA, 4)


def _light(canvas: Array, relief: Array, size: int) -> NDArray[np.uint8]:
    """Light from the upper left over the relief of the paint, then down to the picture's size."""
    soft = cv2.GaussianBlur(relief, (0, 0), 1.1)
    slope = cv2.Sobel(soft, cv2.CV_64F, 1, 0) + cv2.Sobel(soft, cv2.CV_64F, 0, 1)
    lit = canvas * (1 + 0.021 * np.clip(slope, -3, 3))[..., None] + 0.012 * np.clip(slope - 1.0, 0, 2)[..., None]
    small = cv2.resize(np.clip(lit, 0, 1), (size, size), interpolation=cv2.INTER_AREA)
    return (small * 255 + 0.5).astype(np.uint8)
