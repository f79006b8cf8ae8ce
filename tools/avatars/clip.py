"""Takes a rendered portrait apart into coloured points, moves them, and draws the frames of a driving clip."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import bpy
import cv2
import numpy as np

from avatars import body as bodies
from avatars import clothes, eyes, hair, moving, portrait, skin, stage, styles
from avatars.brows import brow_strands
from avatars.noise import smoothstep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from avatars.head import Array, HeadData
    from avatars.people import Person

LIGHT = np.array([-0.5, -0.75, 0.43])
HIDDEN = 0.03
EDGE_ON = 0.3
ROUNDS = 80


@dataclasses.dataclass
class Part:
    """Points (n, 3) of one kind with their colours (n, 3), how face units move them, and how far the neck does.

    `faces` joins neighbours (m, 4), for filling in what was not seen; `facing` (n,) is 1 towards the camera.
    """

    points: Array
    colours: Array
    moves: dict[str, Array]
    stiff: Array
    reach: int
    faces: NDArray[np.int64] | None = None
    facing: Array | None = None


@dataclasses.dataclass
class Puppet:
    """A portrait in parts, the camera that took it, and what is behind it."""

    parts: list[Part]
    eyeballs: list[tuple[Array, Part]]
    camera: moving.Camera
    depth: float
    backdrop: Array


def take_apart(data: HeadData, person: Person, picture: NDArray[np.uint8]) -> Puppet:
    """Builds the person's geometry again and colours it with the picture that was taken of it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    shape = _Shape(data, person)
    centre = portrait.picture_centre(data, shape.neutral, drop=person.frame[1])
    distance = person.frame[0] * stage.LENS / stage.SENSOR
    camera = moving.Camera((centre[0], centre[1] - distance, centre[2]), person.frame[0], len(picture))
    body = bodies.build_body(data, shape.neutral)
    parts = [_skin(shape, body, person), _top(body, person), *_strands(shape, body, person), *_mouth(shape)]
    balls = _eyeballs(shape, person, np.array(camera.place))
    cover = _colour_from(picture, [*parts, *(ball for _, ball in balls)], camera, centre[1])
    return Puppet(parts, balls, camera, centre[1], _behind(picture, cover))


def frames(puppet: Puppet, *, size: int) -> Iterator[NDArray[np.uint8]]:
    """All frames of the clip, each (size, size, 3) uint8 RGB."""
    for number in range(round(moving.SECONDS * moving.FPS)):
        yield draw(puppet, moving.pose_at(number / moving.FPS), size=size)


def draw(puppet: Puppet, pose: moving.Pose, *, size: int) -> NDArray[np.uint8]:
    """One frame in a pose."""
    canvas = puppet.backdrop.copy()
    distance = np.full(canvas.shape[:2], np.inf)
    shown = list(puppet.parts)
    for centre, ball in puppet.eyeballs:
        looking = moving.Pose(yaw=pose.gaze, pitch=0, roll=0, gaze=0, units={})
        turned = moving.turn(ball.points - centre + moving.PIVOT, looking) - moving.PIVOT + centre
        shown.append(dataclasses.replace(ball, points=turned))
    for part in shown:
        points = part.points.copy()
        for unit, amount in pose.units.items():
            if amount and unit in part.moves:
                points += amount * part.moves[unit]
        pixels = puppet.camera.project(moving.turn(points, pose, stiff=part.stiff), puppet.depth)
        moving.splat(canvas, distance, pixels, part.colours, reach=part.reach)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return np.clip(small + 0.5, 0, 255).astype(np.uint8)


class _Shape:
    """The person's coarse vertices, neutral and with each face unit fully on, placed as in the portrait."""

    def __init__(self, data: HeadData, person: Person) -> None:
        self.data = data
        plain = data.shape(person.shape)
        self.neutral = portrait.standard_place(data, plain, tucked=person.tucked)
        rest, here = plain[:2000], self.neutral[:2000]
        scale = float(np.ptp(here[:, 2]) / np.ptp(rest[:, 2]))
        self.units = {
            unit: scale
            * (data.shape({**person.shape, f"unit/{unit}": person.shape.get(f"unit/{unit}", 0) + 1.0}) - plain)
            for unit in moving.unit_names()
        }

    def part(self, points: Array, colours: Array, moves: dict[str, Array], *, reach: int) -> Part:
        return Part(points, colours, moves, moving.neck_share(points[:, 2]), reach)


def _skin(shape: _Shape, body: bodies.Body, person: Person) -> Part:
    scalp = styles.hair_area(body.rest, person.hair) if person.hair else np.zeros(len(body.points))
    paint = skin.paint(body.rest, body.lips, person.skin, seed=person.seed)["colour"]
    plain = _display(paint * (1 - 0.7 * scalp[:, None]))
    inside = _inside_mouth(body.rest)
    plain = plain * (1 - inside[:, None]) + np.array([70.0, 22, 22]) * inside[:, None]
    light = 0.55 + 0.5 * np.clip(body.normals @ LIGHT, -0.4, 1)
    moves = {unit: _dense_move(shape, unit, body.points) for unit in shape.units}
    part = shape.part(body.points, plain * light[:, None], moves, reach=3)
    return dataclasses.replace(part, faces=body.faces, facing=-body.normals[:, 1])


def _dense_move(shape: _Shape, unit: str, neutral: Array) -> Array:
    """What a face unit does to the fine skin; subdivision is linear, so it is the difference of two fine skins."""
    body = bodies.build_body(shape.data, shape.neutral + shape.units[unit])
    moved = body.points - neutral
    bpy.data.objects.remove(body.thing)
    return moved


def _top(body: bodies.Body, person: Person) -> Part:
    value = clothes.neckline(body.rest, person.top.cut)
    worn = value > -0.03
    points = (body.points + body.normals * (person.top.gap + 0.035))[worn]
    return Part(points, np.full((len(points), 3), 90.0), {}, 0.6 * moving.neck_share(points[:, 2]), 3)


def _strands(shape: _Shape, body: bodies.Body, person: Person) -> list[Part]:
    rng = np.random.default_rng(person.seed)
    count = int(portrait.LASHES * person.lashes)
    rows = eyes.lash_curves(shape.data, shape.neutral, rng=rng, count=count, length=0.8 + 0.25 * person.lashes)
    lashes = _fine(np.concatenate(rows), 4)
    lash_moves: dict[str, Array] = {}
    for unit, move in shape.units.items():
        again = np.random.default_rng(person.seed)
        posed = eyes.lash_curves(
            shape.data, shape.neutral + move, rng=again, count=count, length=0.8 + 0.25 * person.lashes
        )
        lash_moves[unit] = _fine(np.concatenate(posed), 4) - lashes
    dark = np.full((len(lashes), 3), 35.0)
    brows = brow_strands(hair.Chart(body, low=7.2, high=7.9), person.brows, rng=rng)
    parts = [shape.part(lashes, dark, lash_moves, reach=1), _brows(shape, body, brows)]
    for bundle in styles.strands_of(body, person.hair, seed=person.seed) if person.hair else []:
        points = _fine(bundle, 4)
        parts.append(Part(points, np.full((len(points), 3), -1.0), {}, np.ones(len(points)), 1))
    return parts


def _brows(shape: _Shape, body: bodies.Body, brows: Array) -> Part:
    """Brow strands go where the skin under their roots goes."""
    front = np.nonzero((body.rest[:, 1] < -1.0) & (np.abs(body.rest[:, 2] - 7.5) < 0.3))[0]
    roots = brows[:, 0]
    near = front[np.argmin(((roots[:, None] - body.points[front][None]) ** 2).sum(-1), axis=1)]
    points = _fine(brows, 4)
    each = len(points) // len(brows)
    moves = {unit: np.repeat(_dense_move(shape, unit, body.points)[near], each, axis=0) for unit in ("browInnerUp",)}
    return shape.part(points, np.full((len(points), 3), 60.0), moves, reach=1)


def _mouth(shape: _Shape) -> list[Part]:
    """Teeth and tongue, darker the further back they are."""
    parts = []
    for group, colour in (
        ("helper-upper-teeth", (225, 214, 198)),
        ("helper-lower-teeth", (205, 193, 178)),
        ("helper-tongue", (165, 80, 78)),
    ):
        faces = shape.data.mesh.faces[group]
        neutral = _patch(shape.neutral, faces)
        moves = {unit: _patch(move, faces) for unit, move in shape.units.items()}
        front = neutral[:, 1].min()
        light = 0.25 + 0.6 * smoothstep(front + 0.35, front, neutral[:, 1])
        parts.append(shape.part(neutral, np.array(colour, dtype=float) * light[:, None], moves, reach=2))
    return parts


def _patch(vertices: Array, faces: NDArray[np.int64], steps: int = 14) -> Array:
    """Points all over some quads."""
    u, v = (grid.reshape(-1, 1, 1) for grid in np.meshgrid(*[(np.arange(steps) + 0.5) / steps] * 2))
    a, b, c, d = (vertices[faces[:, i]][None] for i in range(4))
    return ((a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v).reshape(-1, 3)


def _eyeballs(shape: _Shape, person: Person, look_at: Array) -> list[tuple[Array, Part]]:
    balls = []
    for number, (centre, radius) in enumerate(eyes.eye_spheres(shape.data, shape.neutral)):
        points, colours = eyes.ball_points(centre, radius, person.eyes, look_at=look_at, seed=person.seed + number)
        part = Part(points, _display(colours) * 0.8, {}, np.ones(len(points)), 2)
        balls.append((centre, part))
    return balls


def _colour_from(
    picture: NDArray[np.uint8], parts: list[Part], camera: moving.Camera, depth: float
) -> NDArray[np.bool_]:
    """Gives every point that the camera saw the picture's colour there; returns which pixels show the person."""
    side = len(picture)
    canvas, distance = np.zeros((side, side, 3)), np.full((side, side), np.inf)
    pixels = [camera.project(part.points, depth) for part in parts]
    for part, where in zip(parts, pixels, strict=True):
        moving.splat(canvas, distance, where, part.colours, reach=part.reach)
    colour = picture.astype(np.float64)
    for part, (column, row, away) in zip(parts, pixels, strict=True):
        x, y = (np.clip(value.astype(np.int64), 0, side - 1) for value in (column, row))
        seen = away < distance[y, x] + HIDDEN
        if part.facing is not None:
            seen &= part.facing > EDGE_ON
        if part.colours.min() < 0:
            seen &= ~_is_backdrop(colour)[y, x]
            strand = np.median(colour[y[seen], x[seen]], axis=0) if seen.any() else np.array([40.0, 30, 25])
            shade = 0.75 + 0.2 * np.sin(np.arange(len(x)) // 44 * 2.4)
            part.colours[:] = strand * shade[:, None]
        elif seen.sum() > 100:
            gain = np.median(colour[y[seen], x[seen]], axis=0) / np.maximum(np.median(part.colours[seen], axis=0), 1)
            part.colours *= np.clip(gain, 0.4, 1.6)
        part.colours[seen] = _sample(colour, column[seen] - 0.5, row[seen] - 0.5)
        if part.faces is not None:
            _fill_in(part.colours, part.faces, seen)
    return np.isfinite(distance)


def _is_backdrop(picture: Array) -> NDArray[np.bool_]:
    """Pixels of nearly the colours of the picture's upper corners: wall that shows between hairs."""
    side = len(picture)
    corners = np.concatenate([picture[: side // 8, : side // 10], picture[: side // 8, -side // 10 :]], axis=1)
    low, high = corners.min(axis=(0, 1)) - 45, corners.max(axis=(0, 1)) + 25
    return ((picture > low) & (picture < high)).all(axis=2)


def _fill_in(colours: Array, faces: NDArray[np.int64], known: NDArray[np.bool_]) -> None:
    """Lets known colours run over the mesh into its unknown points, in place; what stays unreached keeps its own."""
    known = known.copy()
    for _ in range(ROUNDS):
        weight = known.astype(np.float64)
        heard = np.bincount(faces.ravel(), np.repeat(weight[faces].sum(axis=1), 4), len(colours))
        fresh = ~known & (heard > 0)
        if not fresh.any():
            break
        for channel in range(3):
            told = (colours[:, channel] * weight)[faces].sum(axis=1)
            total = np.bincount(faces.ravel(), np.repeat(told, 4), len(colours))
            colours[fresh, channel] = total[fresh] / heard[fresh]
        known |= fresh


def _sample(picture: Array, column: Array, row: Array) -> Array:
    """Colours (n, 3) between the pixels of a picture."""
    side = len(picture)
    x, y = np.clip(column, 0, side - 1.001), np.clip(row, 0, side - 1.001)
    left, top = x.astype(np.int64), y.astype(np.int64)
    u, v = (x - left)[:, None], (y - top)[:, None]
    above = picture[top, left] * (1 - u) + picture[top, left + 1] * u
    below = picture[top + 1, left] * (1 - u) + picture[top + 1, left + 1] * u
    return above * (1 - v) + below * v


def _behind(picture: NDArray[np.uint8], cover: NDArray[np.bool_]) -> Array:
    """The backdrop without the person: what is seen of it, carried smoothly over the rest."""
    grown = cv2.dilate(cover.astype(np.uint8), np.ones((25, 25), np.uint8)) > 0
    weight = (~grown).astype(np.float64)
    spread = cv2.GaussianBlur(weight, (0, 0), 60)[..., None] + 1e-6
    filled = cv2.GaussianBlur(picture * weight[..., None], (0, 0), 60) / spread
    soft = cv2.GaussianBlur(weight, (0, 0), 6)[..., None]
    return picture * soft + filled * (1 - soft)


def _inside_mouth(rest: Array) -> Array:
    """1 on the inner side of lips and cheeks."""
    return (np.abs(rest[:, 0]) < 0.4) * smoothstep(-1.5, -1.42, rest[:, 1]) * (np.abs(rest[:, 2] - 6.72) < 0.25)


def _fine(strands: Array, pieces: int) -> Array:
    """Points along every strand, `pieces` between two of its own; (n, 3), strand after strand."""
    t = (np.arange(pieces) / pieces)[None, None, :, None]
    return (strands[:, :-1, None] * (1 - t) + strands[:, 1:, None] * t).reshape(-1, 3)


def _display(linear: Array) -> Array:
    """Scene-linear to display values 0 to 255."""
    return 255 * np.clip(linear, 0, 1) ** (1 / 2.2)
