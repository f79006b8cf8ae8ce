"""The photo studio: an empty Blender scene, camera, soft boxes, render settings, and a backdrop."""

from __future__ import annotations

import dataclasses
import math
import pathlib
import tempfile
import warnings
from typing import TYPE_CHECKING

import bpy
import cv2
import mathutils
import numpy as np

from avatars.nodes import Graph

if TYPE_CHECKING:
    from numpy.typing import NDArray

warnings.filterwarnings("ignore", message=".*use_nodes.*", category=DeprecationWarning)

SENSOR, LENS = 24.0, 85.0


@dataclasses.dataclass(frozen=True)
class Studio:
    """Light and background: `look` is Blender's contrast name, colours are display sRGB hex."""

    backdrop: tuple[str, str] = ("#b9c4cf", "#5d6b7d")
    key: float = 1.12
    fill: float = 0.32
    rim: float = 1.0
    warmth: float = 0.06
    exposure: float = 0.0
    wall: float = 1.1
    look: str = "AgX - Medium High Contrast"


def linear(colour: str) -> tuple[float, float, float]:
    """Scene-linear values of an sRGB hex colour."""
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return red, green, blue


def empty_scene(*, samples: int, size: int, seed: int, studio: Studio) -> bpy.types.Scene:
    """A fresh scene with Cycles on one thread, so that the same seed gives the same picture."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.seed = seed
    scene.cycles.use_denoising = True
    scene.cycles.adaptive_threshold, scene.cycles.adaptive_min_samples = 0.03, 8
    scene.cycles.max_bounces = 5
    scene.cycles.diffuse_bounces = scene.cycles.glossy_bounces = 2
    scene.cycles.transparent_max_bounces = 16
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.cycles.sample_clamp_indirect = 4.0
    scene.cycles_curves.shape = "RIBBONS"
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = studio.look
    scene.view_settings.exposure = studio.exposure
    return scene


def place_camera(
    scene: bpy.types.Scene, centre: tuple[float, float, float], *, width: float
) -> tuple[float, float, float]:
    """Puts the camera straight in front of `centre` with `width` decimetres in the picture; returns its place."""
    camera = bpy.data.cameras.new("camera")
    distance = width * LENS / SENSOR
    camera.lens, camera.sensor_width = LENS, SENSOR
    thing = bpy.data.objects.new("camera", camera)
    thing.location = (centre[0], centre[1] - distance, centre[2])
    thing.rotation_euler = (math.pi / 2, 0, 0)
    scene.collection.objects.link(thing)
    scene.camera = thing
    return tuple(thing.location)


def hang_backdrop(scene: bpy.types.Scene, studio: Studio) -> None:
    """A wall behind the head that glows by itself, lights nothing, and is brightest behind the head's left."""
    g = Graph("backdrop")
    window = g.add("TexCoord").outputs["Window"]
    offset = g.add("VectorMath", settings={"operation": "SUBTRACT"}, _0=window, _1=(0.42, 0.60, 0.0)).outputs[0]
    spread = g.add("VectorMath", settings={"operation": "MULTIPLY"}, _0=offset, _1=(1.35, 1.2, 0.0)).outputs[0]
    far = g.add("VectorMath", settings={"operation": "LENGTH"}, _0=spread).outputs["Value"]
    near = g.math("POWER", 2.718, g.math("MULTIPLY", g.math("MULTIPLY", far, far), -2.2))
    bright, dark = linear(studio.backdrop[0]), linear(studio.backdrop[1])
    colour = g.add("Mix", settings={"data_type": "RGBA"}, _0=near, _6=(*dark, 1), _7=(*bright, 1)).outputs[2]
    wall = bpy.data.meshes.new("backdrop")
    wall.from_pydata([(-20, 8, -20), (20, 8, -20), (20, 8, 40), (-20, 8, 40)], [], [(0, 1, 2, 3)])
    wall.materials.append(g.finish(g.add("Emission", Color=colour, Strength=studio.wall).outputs[0]))
    thing = bpy.data.objects.new("backdrop", wall)
    thing.visible_diffuse = thing.visible_glossy = thing.visible_transmission = thing.visible_shadow = False
    scene.collection.objects.link(thing)


def light_portrait(scene: bpy.types.Scene, centre: tuple[float, float, float], studio: Studio) -> None:
    """Key from the upper left, fill from the right, two rims and a hair light, and a dim sky."""
    warm, cool = 1 + studio.warmth, 1 - studio.warmth
    _soft_box(scene, (-4.2, -6.5, 3.6), centre, 3.2, 640 * studio.key, (warm, 1.0, cool))
    _soft_box(scene, (5.5, -6.5, 0.6), centre, 5.0, 420 * studio.fill, (cool, 1.0, warm))
    _soft_box(scene, (0.0, -6.0, -4.5), centre, 3.5, 90 * studio.fill, (1.0, 0.97, 0.94))
    _soft_box(scene, (4.6, 4.2, 2.6), centre, 2.2, 300 * studio.rim, (0.95, 1.0, 1.06))
    _soft_box(scene, (-4.8, 4.0, 1.4), centre, 2.2, 200 * studio.rim, (1.04, 1.0, 0.94))
    _soft_box(scene, (0.3, 1.6, 6.0), centre, 2.4, 110 * studio.rim, (1.0, 1.0, 1.0))
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.16, 0.17, 0.19, 1)
    scene.world = world


def _soft_box(
    scene: bpy.types.Scene,
    offset: tuple[float, float, float],
    centre: tuple[float, float, float],
    size: float,
    watts: float,
    colour: tuple[float, float, float],
) -> None:
    light = bpy.data.lights.new("box", "AREA")
    light.size, light.energy, light.color = size, watts, colour
    thing = bpy.data.objects.new("box", light)
    place = mathutils.Vector(centre) + mathutils.Vector(offset)
    thing.location = place
    thing.rotation_euler = (mathutils.Vector(centre) - place).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(thing)


def photograph(scene: bpy.types.Scene) -> NDArray[np.uint8]:
    """Renders the picture: (size, size, 3) uint8 RGB."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "render.png"
        scene.render.image_settings.file_format = "PNG"
        scene.render.image_settings.color_mode = "RGB"
        scene.render.image_settings.color_depth = "16"
        scene.render.filepath = str(file)
        bpy.ops.render.render(write_still=True)
        picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)[..., ::-1].astype(np.float64) / 65535
    grain = np.random.default_rng(0).normal(0, 0.003, picture.shape[:2])[..., None]
    return np.clip((picture + grain) * 255 + 0.5, 0, 255).astype(np.uint8)
