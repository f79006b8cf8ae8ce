"""Names for parts that a checkpoint only numbers, by where they lie on faces whose features are known.

The mesh network says where eyes, nose, mouth and the face's outline are; hair, ears, neck and shoulders follow from
there in lengths of the eyes' distance. A part is called what its mask covers best, over a few faces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from engines.faces import LEFT_EYE_CORNER, RIGHT_EYE_CORNER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from engines.faces import Floats, Mesh

    Flags = NDArray[np.bool_]

_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_NOSE = (168, 48, 64, 2, 294, 278)
_EYES = {"right_eye": (33, 160, 158, 133, 153, 144), "left_eye": (362, 385, 387, 263, 373, 380)}
_BROWS = {"right_brow": (70, 63, 105, 66, 107, 55, 52, 46), "left_brow": (300, 293, 334, 296, 336, 285, 282, 276)}
_MOUTH_CORNERS = (61, 291)
"""Mesh indices; right and left are the person's own."""

# In distances of the outer corners of the eyes.
_EYE_ROOM, _BROW_ROOM = 0.12, 0.05
_HEAD, _NECK, _NECK_LENGTH = 1.25, 0.75, 0.6
"""Half the width of the head with its hair, half the neck's, and how far down that goes."""

_HALF = ("eye", "brow", "cheek")
_RIGHT, _LEFT = (tuple(f"{side}_{name}" for name in _HALF) for side in ("right", "left"))
_MOUTH = ("upper_lip", "lower_lip")
_FACE = ("forehead", *_RIGHT, *_LEFT, "nose", *_MOUTH, "chin")
CANDIDATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((name, (name,)) for name in (*_FACE, "hair", "right_ear", "left_ear", "neck", "body")),
    ("eyes", ("right_eye", "left_eye")),
    ("eyes", ("right_eye", "left_eye", "right_brow", "left_brow")),
    ("right_eye", ("right_eye", "right_brow")),
    ("left_eye", ("left_eye", "left_brow")),
    ("brows", ("right_brow", "left_brow")),
    ("mouth", _MOUTH),
    ("mouth", (*_MOUTH, "chin")),
    ("right_face", _RIGHT),
    ("left_face", _LEFT),
    ("upper_face", ("forehead", "right_brow", "left_brow", "right_eye", "left_eye")),
    ("lower_face", (*_MOUTH, "chin", "right_cheek", "left_cheek")),
    ("face", _FACE),
    ("head", (*_FACE, "hair", "right_ear", "left_ear")),
    ("hair", ("hair", "forehead")),
    ("hair", ("hair", "right_ear", "left_ear")),
    ("body", ("neck", "body")),
)
"""Names, and the places that they stand for; one name may stand for several."""
LEAST_MASK = 0.1
"""A part whose mask is nowhere larger is not to be seen in a picture."""
LEAST_COVER = 0.1
"""Shared over whole area: a part that covers no candidate better keeps its number."""
UNUSED = "unused"


def name_parts(masks: Sequence[Floats], meshes: Sequence[Mesh], *, sides: Sequence[int]) -> tuple[str, ...]:
    """Names of K parts, no two alike.

    Args:
        masks: of each picture, (K + 1, h, w) in [0, 1], background first.
        meshes: of the faces in the pictures, in pixels of these.
        sides: of the pictures, pixels.

    Returns:
        K names: words with underscores; `unused` for a part that no picture shows, `part_3` for one that lies nowhere.
    """
    covers = np.mean(
        [
            _covers(mask, places(mesh, side=side, size=mask.shape[1]))
            for mask, mesh, side in zip(masks, meshes, sides, strict=True)
        ],
        axis=0,
    )
    greatest = np.max([mask[1:].max(axis=(1, 2)) for mask in masks], axis=0)
    names: list[str] = []
    for number, (row, most) in enumerate(zip(covers, greatest, strict=True), start=1):
        best = int(np.argmax(row))
        name = CANDIDATES[best][0] if row[best] >= LEAST_COVER else f"part_{number}"
        names.append(UNUSED if most < LEAST_MASK else name)
    return _numbered(names)


def places(mesh: Mesh, *, side: int, size: int) -> dict[str, Flags]:
    """Where hair, eyes, mouth and so on are, bool (size, size) each; no two overlap.

    Args:
        mesh: in pixels of the picture.
        side: of the picture, pixels.
        size: of the maps.
    """
    points = (mesh.points[:, :2] * (size / side)).astype(np.float32)
    across, down, unit = _frame(points, size)
    brows = min(float(_at(points, ring)[1].mean()) for ring in _BROWS.values())
    chin, mouth = _at(points, _OVAL)[1].max(), _at(points, _MOUTH_CORNERS)[1].mean()
    oval, lips = _filled(points, _OVAL, size), _filled(points, _LIPS, size)
    lip_line = _at(points, _LIPS)[1].max()
    found: dict[str, Flags] = {
        "upper_lip": lips & (down < mouth),
        "lower_lip": lips & (down >= mouth),
        **{name: _grown(_filled(points, ring, size), _EYE_ROOM * unit) for name, ring in _EYES.items()},
        **{name: _grown(_filled(points, ring, size), _BROW_ROOM * unit) for name, ring in _BROWS.items()},
        "nose": _filled(points, _NOSE, size),
        "forehead": oval & (down < brows),
        "chin": oval & (down > lip_line),
        "right_cheek": oval & (across < 0),
        "left_cheek": oval,
        "hair": (down < brows) & (np.abs(across) < _HEAD),
        "right_ear": (down < chin) & (across < 0) & (across > -_HEAD),
        "left_ear": (down < chin) & (across >= 0) & (across < _HEAD),
        "neck": (down >= mouth) & (down < chin + _NECK_LENGTH) & (np.abs(across) < _NECK),
        "body": down > chin + 0.5 * _NECK_LENGTH,
    }
    taken = np.zeros((size, size), bool)
    for name, place in found.items():
        found[name] = place & ~taken
        taken |= place
    return found


def _frame(points: Floats, size: int) -> tuple[Floats, Floats, float]:
    """Each pixel's place beside the middle of the eyes, in distances of their outer corners, and that in pixels."""
    right, left = points[RIGHT_EYE_CORNER].copy(), points[LEFT_EYE_CORNER].copy()
    unit = max(float(np.linalg.norm(left - right)), 1e-3)
    axis = (left - right) / unit
    turn = np.stack([axis, [-axis[1], axis[0]]]) / unit
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    offset = np.stack([columns, rows], axis=-1) - (left + right) / 2
    across, down = np.moveaxis(offset @ turn.T, -1, 0)
    return across.astype(np.float32), down.astype(np.float32), unit


def _at(points: Floats, indices: Sequence[int]) -> Floats:
    """Across and down of some mesh points, (2, n), as in `_frame`."""
    right, left = points[RIGHT_EYE_CORNER], points[LEFT_EYE_CORNER]
    unit = max(float(np.linalg.norm(left - right)), 1e-3)
    axis = (left - right) / unit
    turn = np.stack([axis, [-axis[1], axis[0]]]) / unit
    return np.asarray(turn @ (points[list(indices)] - (left + right) / 2).T, np.float32)


def _filled(points: Floats, ring: Sequence[int], size: int) -> Flags:
    plane = np.zeros((size, size), np.uint8)
    cv2.fillPoly(plane, [np.rint(points[list(ring)]).astype(np.int32)], 1)
    return plane.astype(bool)


def _grown(place: Flags, pixels: float) -> Flags:
    width = 2 * round(pixels) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return cv2.dilate(place.astype(np.uint8), kernel).astype(bool)


def _covers(masks: Floats, where: dict[str, Flags]) -> Floats:
    """Shared over whole area of each part and candidate, (K, candidates); a part's mask counts beside its greatest."""
    own = masks[1:] / np.maximum(masks[1:].max(axis=(1, 2), keepdims=True), LEAST_MASK)
    areas = np.stack([np.any([where[name] for name in names], axis=0) for _, names in CANDIDATES]).astype(np.float32)
    areas *= 1 - masks[0]  # hair and shoulders end where the model itself sees background
    shared = np.einsum("khw,chw->kc", own, areas)
    whole = own.sum(axis=(1, 2))[:, None] + areas.sum(axis=(1, 2))[None] - shared
    return np.asarray(shared / np.maximum(whole, 1e-6), np.float32)


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """The second of a name becomes `name_2`."""
    given: list[str] = []
    for index, name in enumerate(names):
        earlier = names[:index].count(name)
        given.append(f"{name}_{earlier + 1}" if earlier else name)
    return tuple(given)
