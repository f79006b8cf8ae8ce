"""Drawing with smooth shapes: splines through a few points, soft shadows, tapered strokes. Built on Skia.

The sheet is 1000 by 1000 units whatever the size of the picture; colours are sRGB hex, `#rrggbb` or `#rrggbbaa`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import skia

if TYPE_CHECKING:
    from numpy.typing import NDArray

Points = Sequence[tuple[float, float]]
SHEET = 1000.0
OVERSAMPLE = 2


def colour(text: str, *, alpha: float = 1.0) -> int:
    """A Skia colour from hex."""
    red, green, blue = (int(text[i : i + 2], 16) for i in (1, 3, 5))
    own = int(text[7:9], 16) / 255 if len(text) == 9 else 1.0
    return skia.Color(red, green, blue, round(255 * alpha * own))


def mirror(points: Points) -> list[tuple[float, float]]:
    """The same points on the other side of the sheet's middle."""
    return [(SHEET - x, y) for x, y in points]


def symmetric(points: Points) -> list[tuple[float, float]]:
    """A closed outline from its left half, given from top to bottom on the middle line."""
    return [*points, *reversed([p for p in mirror(points) if abs(p[0] - SHEET / 2) > 1e-6])]


def spline(points: Points, *, closed: bool = True, tension: float = 0.5) -> skia.Path:
    """A smooth path through the points (Catmull-Rom as cubic curves)."""
    path = skia.Path()
    corners = np.array(points, dtype=float)
    count = len(corners)
    path.moveTo(*corners[0])
    for i in range(count if closed else count - 1):
        if closed:
            before, here, there, after = (corners[(i + k) % count] for k in (-1, 0, 1, 2))
        else:
            before, here, there, after = (corners[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        first = here + (there - before) * tension / 6
        second = there - (after - here) * tension / 6
        path.cubicTo(*first, *second, *there)
    if closed:
        path.close()
    return path


def sample(points: Points, count: int) -> NDArray[np.float64]:
    """Evenly spaced points (count, 2) along the open spline."""
    corners = np.array(points, dtype=float)
    last = len(corners) - 1
    u = np.linspace(0, 1, 16, endpoint=False)[:, None]
    dense = []
    for i in range(last):
        before, here, there, after = (corners[min(max(i + k, 0), last)] for k in (-1, 0, 1, 2))
        first, second = here + (there - before) / 6, there - (after - here) / 6
        dense.append((1 - u) ** 3 * here + 3 * u * (1 - u) ** 2 * first + 3 * u**2 * (1 - u) * second + u**3 * there)
    curve = np.concatenate([*dense, corners[-1:]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    places = np.linspace(0, length[-1], count)
    return np.stack([np.interp(places, length, curve[:, axis]) for axis in (0, 1)], axis=1)


class Pen:
    """A sheet to draw on; later shapes cover earlier ones.

    Args:
        size: side of the picture in pixels.
        zoom: enlarges everything around the middle.
        rise: moves everything upwards, in units of the sheet.
    """

    def __init__(self, size: int, *, zoom: float = 1.0, rise: float = 0.0) -> None:
        self._size = size
        side = size * OVERSAMPLE
        self._surface = skia.Surface(side, side)
        self._canvas = self._surface.getCanvas()
        self._canvas.scale(side / SHEET, side / SHEET)
        self._canvas.translate(SHEET / 2, SHEET / 2 - rise)
        self._canvas.scale(zoom, zoom)
        self._canvas.translate(-SHEET / 2, -SHEET / 2)

    def fill(self, path: skia.Path, ink: str, *, blur: float = 0.0, alpha: float = 1.0, blend: str = "SrcOver") -> None:
        """Fills a shape; `blur` softens its edge."""
        self._canvas.drawPath(path, self._paint(colour(ink, alpha=alpha), blur, blend))

    def shade(self, path: skia.Path, inks: Sequence[str], start: tuple[float, float], end: tuple[float, float]) -> None:
        """Fills a shape with a straight gradient."""
        paint = skia.Paint(AntiAlias=True)
        paint.setShader(skia.GradientShader.MakeLinear([start, end], [colour(ink) for ink in inks]))
        self._canvas.drawPath(path, paint)

    def glow(
        self,
        path: skia.Path,
        inks: Sequence[str],
        centre: tuple[float, float],
        radius: float,
        *,
        blend: str = "SrcOver",
    ) -> None:
        """Fills a shape with a round gradient."""
        paint = skia.Paint(AntiAlias=True, BlendMode=getattr(skia.BlendMode, f"k{blend}"))
        paint.setShader(skia.GradientShader.MakeRadial(centre, radius, [colour(ink) for ink in inks]))
        self._canvas.drawPath(path, paint)

    def line(
        self, points: Points, ink: str, width: float, *, closed: bool = False, blur: float = 0.0, alpha: float = 1.0
    ) -> None:
        """A stroke of even width with round ends."""
        paint = self._paint(colour(ink, alpha=alpha), blur, "SrcOver")
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
        self._canvas.drawPath(spline(points, closed=closed, tension=1.0), paint)

    def taper(self, points: Points, ink: str, widths: Sequence[float], *, alpha: float = 1.0) -> None:
        """A stroke whose width runs through `widths`, as of a brush."""
        self.fill(tapered(points, widths), ink, alpha=alpha)

    def outline(self, path: skia.Path, ink: str, width: float, *, alpha: float = 1.0) -> None:
        """The edge of a shape."""
        paint = self._paint(colour(ink, alpha=alpha), 0.0, "SrcOver")
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
        self._canvas.drawPath(path, paint)

    @contextmanager
    def inside(self, path: skia.Path) -> Any:
        """Everything drawn in the block is kept inside the shape."""
        self._canvas.save()
        self._canvas.clipPath(path, skia.ClipOp.kIntersect, True)
        try:
            yield
        finally:
            self._canvas.restore()

    def picture(self) -> NDArray[np.uint8]:
        """What has been drawn, (size, size, 3) uint8 RGB."""
        pixels = self._surface.toarray(colorType=skia.ColorType.kRGBA_8888_ColorType)[..., :3]
        return cv2.resize(pixels, (self._size, self._size), interpolation=cv2.INTER_AREA)

    @staticmethod
    def _paint(ink: int, blur: float, blend: str) -> skia.Paint:
        paint = skia.Paint(AntiAlias=True, Color=ink, BlendMode=getattr(skia.BlendMode, f"k{blend}"))
        if blur:
            paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, blur))
        return paint


def tapered(points: Points, widths: Sequence[float]) -> skia.Path:
    """The outline of a stroke with a width that changes along the way."""
    middle = sample(points, 40)
    along = np.gradient(middle, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    half = np.interp(np.linspace(0, 1, 40), np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    edge = np.concatenate([middle + normal * half, (middle - normal * half)[::-1]])
    path = skia.Path()
    path.addPoly([skia.Point(*p) for p in edge.tolist()], True)
    return path


def ellipse(x: float, y: float, rx: float, ry: float) -> skia.Path:
    """An ellipse around (x, y)."""
    path = skia.Path()
    path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
    return path


def sheet() -> skia.Path:
    """The whole sheet and a margin."""
    path = skia.Path()
    path.addRect(skia.Rect.MakeLTRB(-100, -100, SHEET + 100, SHEET + 100))
    return path
