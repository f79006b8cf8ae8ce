"""Hair, brows and lashes in the scene: strands to Blender curves, and the hair material."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np

from avatars.nodes import Graph
from avatars.stage import linear

if TYPE_CHECKING:
    from avatars.body import Body
    from avatars.head import Array


def add_strands(name: str, strands: Array, material: bpy.types.Material, *, radius: float, taper: float = 0.35) -> None:
    """Adds a bundle (strands, steps, 3) to the scene; `radius` at the root, times `taper` at the tip."""
    count, steps, _ = strands.shape
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([steps] * count)
    curves.attributes["position"].data.foreach_set("vector", strands.astype(np.float32).ravel())
    t = np.linspace(0, 1, steps)
    thickness = np.tile(radius * (1 - (1 - taper) * t**1.5), count).astype(np.float32)
    if "radius" not in curves.attributes:
        curves.attributes.new("radius", "FLOAT", "POINT")
    curves.attributes["radius"].data.foreach_set("value", thickness)
    curves.materials.append(material)
    bpy.context.collection.objects.link(bpy.data.objects.new(name, curves))


def hair_material(
    colour: str, *, roughness: float = 0.32, variety: float = 0.25, grey: float = 0.0
) -> bpy.types.Material:
    """A hair of that colour (sRGB hex); `grey` is the share of white strands."""
    g = Graph("hair")
    info = g.add("HairInfo")
    random = info.outputs["Random"]
    dark = tuple(v * (1 - variety) for v in linear(colour))
    light = tuple(min(1.0, v * (1 + variety) + 0.004) for v in linear(colour))
    ramp = g.add("Mix", settings={"data_type": "RGBA"}, _0=random, _6=(*dark, 1), _7=(*light, 1)).outputs[2]
    if grey:
        is_grey = g.math("LESS_THAN", g.math("FRACT", g.math("MULTIPLY", random, 7.77)), grey)
        ramp = g.add("Mix", settings={"data_type": "RGBA"}, _0=is_grey, _6=ramp, _7=(0.55, 0.54, 0.52, 1)).outputs[2]
    shader = g.add(
        "BsdfHairPrincipled",
        settings={"model": "CHIANG", "parametrization": "COLOR"},
        Color=ramp,
        Roughness=roughness,
        Radial_Roughness=0.45,
        Random_Roughness=0.2,
        Coat=0.0,
    )
    return g.finish(shader.outputs[0])


def matt_material(colour: str) -> bpy.types.Material:
    """A hair without shine, for lashes, which would glitter under the key light."""
    g = Graph("lash")
    shader = g.add("BsdfPrincipled", Base_Color=(*linear(colour), 1), Roughness=0.9, Specular_IOR_Level=0.1)
    return g.finish(shader.outputs["BSDF"])


class Chart:
    """The front of the face as a map: from rest (x, z) to a place and a normal on this person's skin."""

    def __init__(self, body: Body, *, low: float, high: float) -> None:
        rest = body.rest
        front = (rest[:, 1] < -1.0) & (rest[:, 2] > low) & (rest[:, 2] < high) & (body.normals[:, 1] < 0.2)
        self._rest, self._points, self._normals = rest[front][:, [0, 2]], body.points[front], body.normals[front]

    def __call__(self, flat: Array) -> tuple[Array, Array]:
        """Places and normals (n, 3) for rest coordinates (n, 2), from the six nearest points of the skin."""
        places, normals = np.empty((len(flat), 3)), np.empty((len(flat), 3))
        for start in range(0, len(flat), 512):
            block = slice(start, start + 512)
            distance = ((flat[block, None] - self._rest[None]) ** 2).sum(-1)
            near = np.argpartition(distance, 6, axis=1)[:, :6]
            weight = 1 / (np.take_along_axis(distance, near, axis=1) + 1e-6)
            weight = (weight / weight.sum(axis=1, keepdims=True))[..., None]
            places[block] = (self._points[near] * weight).sum(axis=1)
            normals[block] = (self._normals[near] * weight).sum(axis=1)
        return places, normals / np.linalg.norm(normals, axis=1, keepdims=True)
