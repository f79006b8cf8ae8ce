"""From the coarse head to the fine one: a smooth surface that knows its rest shape, and where the nearest skin is."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import bpy
import cv2
import numpy as np
from mathutils.bvhtree import BVHTree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatars.head import Array, HeadData

LOWEST = 4.9


@dataclasses.dataclass
class Body:
    """A smooth skin surface.

    points, rest, normals: (n, 3); lips: (n,) 1 on the red of the lips; faces: (m, 4) quads; `tree` answers
    where the nearest skin is.
    """

    thing: bpy.types.Object
    points: Array
    rest: Array
    lips: Array
    normals: Array
    faces: NDArray[np.int64]
    tree: BVHTree

    def nearest(self, points: Array) -> tuple[Array, Array]:
        """Closest skin points and their outward normals, both (n, 3)."""
        found = [self.tree.find_nearest(point) for point in points.tolist()]
        return np.array([hit[0] for hit in found]), np.array([hit[1] for hit in found])


def build_body(data: HeadData, vertices: Array, *, levels: int = 3) -> Body:
    """The skin from the chest up, subdivided `levels` times, with the attribute `rest` on every point."""
    faces = data.mesh.faces["body"]
    faces = faces[data.mesh.rest[faces][:, :, 2].min(axis=1) > LOWEST]
    mesh = _subdivide(data, vertices, faces, levels)
    thing = bpy.data.objects.new("skin", mesh)
    bpy.context.collection.objects.link(thing)
    points, corners = read(mesh.vertices, "co"), _quads(mesh)
    return Body(
        thing=thing,
        points=points,
        rest=read(mesh.attributes["rest"].data, "vector"),
        lips=_look_up(data.lips(), read(mesh.attributes["texture"].data, "vector")),
        normals=read(mesh.vertices, "normal"),
        faces=corners,
        tree=_collision_tree(data, vertices, faces),
    )


def _subdivide(data: HeadData, vertices: Array, faces: NDArray[np.int64], levels: int) -> bpy.types.Mesh:
    coarse = quad_object("coarse", vertices, faces, rest=data.mesh.rest)
    _carry_texture_coordinates(coarse.data, data, faces)
    smooth = coarse.modifiers.new("smooth", "SUBSURF")
    smooth.levels = smooth.render_levels = levels
    graph = bpy.context.evaluated_depsgraph_get()
    mesh = bpy.data.meshes.new_from_object(coarse.evaluated_get(graph))
    bpy.data.objects.remove(coarse)
    return mesh


def _quads(mesh: bpy.types.Mesh) -> NDArray[np.int64]:
    flat = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.loops.foreach_get("vertex_index", flat)
    return flat.reshape(-1, 4).astype(np.int64)


def _collision_tree(data: HeadData, vertices: Array, faces: NDArray[np.int64]) -> BVHTree:
    """A coarser skin without ears and the inside of the mouth: hair slides over it, quickly and without snagging."""
    mesh = _subdivide(data, vertices, faces, 1)
    rest, quads = read(mesh.attributes["rest"].data, "vector"), _quads(mesh)
    middle = rest[quads].mean(axis=1)
    ear = (np.abs(middle[:, 0]) > 0.72) & (middle[:, 2] > 6.7) & (middle[:, 2] < 7.42) & (middle[:, 1] < 0.1)
    mouth = (np.abs(middle[:, 0]) < 0.5) & (np.abs(middle[:, 1] + 0.9) < 0.45) & (np.abs(middle[:, 2] - 6.7) < 0.3)
    points = read(mesh.vertices, "co")
    bpy.data.meshes.remove(mesh)
    return BVHTree.FromPolygons(points.tolist(), quads[~(ear | mouth)].tolist())


def quad_object(name: str, vertices: Array, faces: NDArray[np.int64], *, rest: Array | None = None) -> bpy.types.Object:
    """A smooth-shaded mesh object of those faces alone; unused vertices are left out."""
    used, index = np.unique(faces, return_inverse=True)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices[used].tolist(), [], index.reshape(faces.shape).tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), dtype=bool))
    if rest is not None:
        mesh.attributes.new("rest", "FLOAT_VECTOR", "POINT").data.foreach_set(
            "vector", rest[used].astype(np.float32).ravel()
        )
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.collection.objects.link(thing)
    return thing


def _carry_texture_coordinates(mesh: bpy.types.Mesh, data: HeadData, faces: NDArray[np.int64]) -> None:
    """One texture coordinate a point (the last corner's where the map is cut; no cut runs through the mouth)."""
    coordinates = np.zeros((len(data.mesh.rest), 3))
    body = data.mesh.faces["body"]
    coordinates[body.ravel(), :2] = data.mesh.uv["body"].reshape(-1, 2)
    values = coordinates[np.unique(faces)].astype(np.float32)
    mesh.attributes.new("texture", "FLOAT_VECTOR", "POINT").data.foreach_set("vector", values.ravel())


def _look_up(picture: NDArray[np.uint8], coordinates: Array) -> Array:
    height, width = picture.shape
    x = (coordinates[:, 0] * width - 0.5).astype(np.float32)[:, None]
    y = ((1 - coordinates[:, 1]) * height - 0.5).astype(np.float32)[:, None]
    found = [cv2.remap(picture, x[i : i + 30000], y[i : i + 30000], cv2.INTER_LINEAR) for i in range(0, len(x), 30000)]
    return np.concatenate(found)[:, 0] / 255.0


def set_colour(mesh: bpy.types.Mesh, name: str, rgb: Array) -> None:
    """Stores scene-linear colours (n, 3) as the point attribute `name`."""
    rgba = np.concatenate([rgb, np.ones((len(rgb), 1))], axis=1).astype(np.float32)
    mesh.attributes.new(name, "FLOAT_COLOR", "POINT").data.foreach_set("color", rgba.ravel())


def set_value(mesh: bpy.types.Mesh, name: str, values: Array) -> None:
    """Stores one number (n,) per point as the attribute `name`."""
    mesh.attributes.new(name, "FLOAT", "POINT").data.foreach_set("value", values.astype(np.float32))


def read(items: bpy.types.bpy_prop_collection, key: str) -> Array:
    """A vector property of all items as (n, 3)."""
    flat = np.empty(len(items) * 3, dtype=np.float32)
    items.foreach_get(key, flat)
    return flat.reshape(-1, 3).astype(np.float64)
