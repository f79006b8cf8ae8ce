"""Eyes: ball, iris and a clear cornea, turned to the camera; and lashes along the lids."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import bpy
import numpy as np

from avatars.body import set_colour
from avatars.nodes import Graph
from avatars.noise import fractal, smoothstep
from avatars.stage import linear

if TYPE_CHECKING:
    from avatars.head import Array, HeadData

RINGS, SECTORS = 120, 160
IRIS, PUPIL = 0.50, 0.195


@dataclasses.dataclass(frozen=True)
class Eyes:
    """Iris colours (sRGB hex) from the pupil outwards; size of the pupil, and how bright it is beside the iris."""

    inner: str = "#8a6a3a"
    outer: str = "#4d5a3a"
    rim: str = "#1c1a16"
    white: str = "#e6dfda"
    pupil: float = 1.0
    pupil_light: float = 0.0


def fit_sphere(points: Array) -> tuple[Array, float]:
    """Centre (3,) and radius of the sphere nearest to the points, by linear least squares."""
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    solution = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0]
    centre = solution[:3]
    return centre, float(np.sqrt(solution[3] + centre @ centre))


def eye_spheres(data: HeadData, vertices: Array) -> list[tuple[Array, float]]:
    """Centre and radius of the left and the right eyeball."""
    groups = ("helper-l-eye", "helper-r-eye")
    return [fit_sphere(vertices[np.unique(data.mesh.faces[group])]) for group in groups]


def ball_colours(angle: Array, around: Array, eyes: Eyes, *, seed: int) -> Array:
    """Scene-linear colour (n, 3) of the eyeball; `angle` from the axis as a sine, `around` in radians."""
    white, inner, outer, rim = (np.array(linear(c)) for c in (eyes.white, eyes.inner, eyes.outer, eyes.rim))
    ring = np.stack([np.cos(around) * 5, np.sin(around) * 5, angle * 2], axis=1)
    fibre = fractal(ring * [2.2, 2.2, 0.8], octaves=4, seed=seed)[:, None]
    r = (angle / IRIS)[:, None]
    iris = inner + (outer - inner) * smoothstep(0.42, 0.8, r + 0.12 * fibre)
    iris = iris * (1.0 + 0.75 * fibre) * (1 - 0.35 * smoothstep(0.55, 0.4, r))
    iris = iris + (rim - iris) * smoothstep(0.80, 1.0, r) * 0.9
    pupil = PUPIL / IRIS * eyes.pupil
    iris = iris * (eyes.pupil_light + (1 - eyes.pupil_light) * smoothstep(pupil - 0.03, pupil + 0.05, r))
    red = np.clip(np.abs(np.cos(around)) ** 3 * smoothstep(0.55, 1.0, angle), 0, 1)[:, None]
    veins = smoothstep(0.25, 0.6, fractal(ring * [6, 6, 1.5], octaves=3, seed=seed + 5))[:, None]
    ball = white * (1 - red * (0.12 + 0.14 * veins) * np.array([0.25, 1.0, 1.0]))
    edge = smoothstep(0.95, 1.07, r)
    return np.clip(iris * (1 - edge) + ball * edge, 0.0, 1)


def build_eyes(data: HeadData, vertices: Array, eyes: Eyes, *, look_at: Array, seed: int) -> None:
    """Adds both eyes to the scene, each turned so that its axis meets `look_at`."""
    ball_material, cornea_material = _ball_material(), _cornea_material()
    for number, (centre, radius) in enumerate(eye_spheres(data, vertices)):
        turn = _frame((look_at - centre) / np.linalg.norm(look_at - centre))
        sine = np.linspace(0, 1, RINGS) ** 0.8
        depth = np.sqrt(1 - sine**2)
        points, faces, angle, around = _ball(sine)
        colour = ball_colours(angle, around, eyes, seed=seed + number)
        _eye_part(f"ball{number}", centre + radius * points @ turn, faces, ball_material, colour)
        bulge = np.where(sine < IRIS * 1.12, _cap(sine), depth)
        points, faces, _, _ = _lathe(sine, np.maximum(bulge, depth) + 0.002)
        _eye_part(f"cornea{number}", centre + radius * points @ turn, faces, cornea_material, None)


def ball_points(centre: Array, radius: float, eyes: Eyes, *, look_at: Array, seed: int) -> tuple[Array, Array]:
    """Points of an eyeball that looks at a place, and their scene-linear colours, both (n, 3)."""
    points, _, angle, around = _ball(np.linspace(0, 1, RINGS) ** 0.8)
    turn = _frame((look_at - centre) / np.linalg.norm(look_at - centre))
    return centre + radius * points @ turn, ball_colours(angle, around, eyes, seed=seed)


def lash_curves(data: HeadData, vertices: Array, *, rng: np.random.Generator, count: int, length: float) -> list[Array]:
    """Curves (k, 6, 3) of upper and lower lashes on both sides, from the mesh's lash strips."""
    curves = []
    for side in ("l", "r"):
        centre, _ = eye_spheres(data, vertices)[0 if side == "l" else 1]
        for strip, share, bend in ((2, 1.0, 0.5), (1, 0.45, -0.22)):
            index = np.unique(data.mesh.faces[f"helper-{side}-eyelashes-{strip}"])
            rest = data.mesh.rest[index]
            middle = fit_sphere(data.mesh.rest[np.unique(data.mesh.faces[f"helper-{side}-eye"])])[0]
            away = np.linalg.norm(rest - middle, axis=1)
            roots, tips = vertices[index[away < 0.1535]], vertices[index[away > (0.2 if strip == 2 else 0.189)]]
            curves.append(
                _lash_row(roots, tips, centre, rng, int(count * share), length * (1 if strip == 2 else 0.55), bend)
            )
    return curves


def _lash_row(
    roots: Array, tips: Array, centre: Array, rng: np.random.Generator, count: int, length: float, bend: float
) -> Array:
    t = np.sort(rng.uniform(0.02, 0.98, count))
    outward = 1.0 if centre[0] > 0 else -1.0
    order, tip_order = np.argsort(roots[:, 0] * outward), np.argsort(tips[:, 0] * outward)
    start = _along(roots[order], t)
    end = _along(tips[tip_order], np.clip(t + rng.normal(0, 0.02, count), 0, 1))
    reach = length * rng.uniform(0.75, 1.1, count) * (0.55 + 0.45 * np.sin(np.pi * np.clip(t * 0.8 + 0.15, 0, 1)))
    end = start + (end - start) * reach[:, None]
    s = np.linspace(0, 1, 6)[None, :, None]
    lift = np.array([0, 0, 1.0]) * bend * np.linalg.norm(end - start, axis=1)[:, None]
    return start[:, None] * (1 - s) + end[:, None] * s + lift[:, None] * (s**2 - 0.35 * s)


def _along(row: Array, t: Array) -> Array:
    """Points on the smooth curve (quartics in the share of the width) through a row of points."""
    width = (row[:, 0] - row[0, 0]) / (row[-1, 0] - row[0, 0])
    return np.stack([np.polynomial.Polynomial.fit(width, row[:, axis], 4)(t) for axis in range(3)], axis=1)


def _ball(sine: Array) -> tuple[Array, np.ndarray, Array, Array]:
    """The eyeball with a dished iris, along the x axis; see `_lathe`."""
    dish = np.sqrt(1 - IRIS**2) - 0.045 + 0.06 * (sine / IRIS) ** 2
    return _lathe(sine, np.where(sine < IRIS, dish, np.sqrt(1 - sine**2) - 0.004))


def _cap(sine: Array) -> Array:
    """Height of the cornea's smaller sphere above the eye's centre plane."""
    radius = 0.70
    edge = IRIS * 1.12
    base = np.sqrt(1 - edge**2) - np.sqrt(radius**2 - edge**2)
    return base + np.sqrt(np.maximum(radius**2 - sine**2, 0))


def _lathe(sine: Array, depth: Array) -> tuple[Array, np.ndarray, Array, Array]:
    """Turns a profile around the x axis: points (n, 3), quads, and for each point its sine and angle."""
    turn = np.arange(SECTORS) * 2 * np.pi / SECTORS
    around = np.tile(turn, len(sine))
    angle = np.repeat(sine, SECTORS)
    points = np.stack([np.repeat(depth, SECTORS), angle * np.cos(around), angle * np.sin(around)], axis=1)
    ring, sector = np.meshgrid(np.arange(len(sine) - 1), np.arange(SECTORS), indexing="ij")
    here, there = ring * SECTORS + sector, ring * SECTORS + (sector + 1) % SECTORS
    faces = np.stack([here, here + SECTORS, there + SECTORS, there], axis=-1).reshape(-1, 4)
    return points, faces, angle, around


def _frame(axis: Array) -> Array:
    """Rows: the axis, a level direction across it, and the one upwards."""
    across = np.cross([0, 0, 1.0], axis)
    across /= np.linalg.norm(across)
    return np.stack([axis, across, np.cross(axis, across)])


def _eye_part(name: str, points: Array, faces: np.ndarray, material: bpy.types.Material, colour: Array | None) -> None:
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points.tolist(), [], faces.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), dtype=bool))
    if colour is not None:
        set_colour(mesh, "colour", colour)
    mesh.materials.append(material)
    bpy.context.collection.objects.link(bpy.data.objects.new(name, mesh))


def _ball_material() -> bpy.types.Material:
    g = Graph("eyeball")
    shader = g.add(
        "BsdfPrincipled",
        Base_Color=g.attribute("colour").outputs["Color"],
        Roughness=0.6,
        Subsurface_Weight=0.25,
        Subsurface_Scale=0.01,
        Specular_IOR_Level=0.1,
    )
    return g.finish(shader.outputs["BSDF"])


def _cornea_material() -> bpy.types.Material:
    g = Graph("cornea")
    mirror = g.add("BsdfGlossy", Roughness=0.03, Color=(1, 1, 1, 1)).outputs["BSDF"]
    clear = g.add("BsdfTransparent").outputs["BSDF"]
    fresnel = g.math("MULTIPLY", g.add("Fresnel", IOR=1.40).outputs["Fac"], 1.8)
    return g.finish(g.add("MixShader", _0=fresnel, _1=clear, _2=mirror).outputs[0])
