"""Clothes from the chest to the neck: the skin pushed outwards and cut along a neckline, with a rib on the edge."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from avatars.body import Body, quad_object
from avatars.nodes import Graph
from avatars.stage import linear

if TYPE_CHECKING:
    import bpy

    from avatars.head import Array


@dataclasses.dataclass(frozen=True)
class Top:
    """What is worn: `crew`, `scoop`, `roll` (turtleneck) with a colour (sRGB hex) and its distance from the skin."""

    cut: str = "crew"
    colour: str = "#2f6d73"
    gap: float = 0.07
    knit: float = 1.0


def neckline(rest: Array, cut: str) -> Array:
    """Positive where there is cloth; zero on the edge; in decimetres."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    around = np.hypot(rest[:, 0] / 0.66, (y + 0.28) / 0.62)
    front = np.clip(-(y + 0.28) / 0.6, -1, 1)
    below = 6.0 - z
    if cut == "roll":
        return 6.10 - 0.12 * front - z
    if cut == "scoop":
        return np.minimum(below, np.maximum(around - 1.25, (5.45 - z) * 0.8 + 0.3 * x**2))
    return np.minimum(below, np.maximum(5.80 - 0.20 * front - z, 0.9 * (around - 1.32)))


def dress(body: Body, top: Top) -> None:
    """Adds the garment to the scene."""
    value = neckline(body.rest, top.cut)
    inside = (value[body.faces] > -0.05).all(axis=1)
    faces = body.faces[inside]
    loose = top.gap * (1 + 0.5 * np.clip(value, 0, 1))
    points = body.points + body.normals * loose[:, None]
    thing = quad_object("top", points, faces, rest=body.rest)
    used = np.unique(faces)
    _smooth_edge(thing.data, value[used])
    thick = thing.modifiers.new("thick", "SOLIDIFY")
    thick.thickness, thick.offset = 0.035, 1.0
    thing.data.materials.append(cloth(top))


def _smooth_edge(mesh: bpy.types.Mesh, value: Array) -> None:
    mesh.attributes.new("edge", "FLOAT", "POINT").data.foreach_set("value", value.astype(np.float32))


def cloth(top: Top) -> bpy.types.Material:
    """Soft woven cloth with fine ribs; the rib along the edge is a little darker."""
    g = Graph("cloth")
    rest = g.attribute("rest").outputs["Vector"]
    edge = g.attribute("edge").outputs["Fac"]
    weave = g.add("TexNoise", Vector=rest, Scale=60.0, Detail=3.0).outputs["Fac"]
    folds = g.add("TexNoise", Vector=rest, Scale=2.2, Detail=1.0).outputs["Fac"]
    rib = g.math("GREATER_THAN", edge, 0.11)
    seam = g.math("ABSOLUTE", g.math("SUBTRACT", edge, 0.11))
    groove = g.math("MINIMUM", g.math("MULTIPLY", seam, 40.0), 1.0)
    base = linear(top.colour)
    dark = tuple(v * 0.86 for v in base)
    colour = g.add("Mix", settings={"data_type": "RGBA"}, _0=rib, _6=(*dark, 1), _7=(*base, 1)).outputs[2]
    height = g.math(
        "ADD", g.math("MULTIPLY", weave, 0.35 * top.knit), g.math("ADD", g.math("MULTIPLY", folds, 1.2), groove)
    )
    bump = g.add("Bump", Height=height, Strength=0.35, Distance=0.03)
    shader = g.add(
        "BsdfPrincipled",
        Base_Color=colour,
        Roughness=0.85,
        Normal=bump.outputs["Normal"],
        Sheen_Weight=0.35,
        Sheen_Roughness=0.5,
        Specular_IOR_Level=0.2,
    )
    return g.finish(shader.outputs["BSDF"])
