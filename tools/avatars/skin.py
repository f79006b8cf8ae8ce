"""Skin: where it is redder, darker, shinier or freckled (NumPy, in rest coordinates), and its material."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from avatars.body import Body, set_colour, set_value
from avatars.nodes import Graph
from avatars.noise import fractal, smoothstep, value_noise
from avatars.stage import linear

if TYPE_CHECKING:
    import bpy

    from avatars.head import Array


@dataclasses.dataclass(frozen=True)
class Skin:
    """Looks of a skin; colours are sRGB hex, strengths about 0 to 1."""

    tone: str = "#d9a78b"
    lips: str = "#b5655c"
    blush: float = 0.5
    freckles: float = 0.0
    stubble: float = 0.0
    stubble_colour: str = "#4a4038"
    pores: float = 1.0
    shadow: float = 0.0
    lip_gloss: float = 0.3
    scale: float = 0.028


def around(rest: Array, centre: tuple[float, float, float], size: tuple[float, float, float]) -> Array:
    """A soft spot on both sides of the face: 1 at (+-x, y, z), falling off as a Gaussian of the given sizes."""
    side = np.abs(rest[:, 0])
    where = np.stack([side, rest[:, 1], rest[:, 2]], axis=1)
    return np.exp(-(((where - np.array(centre)) / np.array(size)) ** 2).sum(axis=1))


def paint(rest: Array, lips: Array, skin: Skin, *, seed: int) -> dict[str, Array]:
    """Colour (n, 3) scene-linear, and lip, gloss and stubble masks (n,), for points of the rest shape."""
    red = 0.9 * around(rest, (0.40, -1.33, 6.95), (0.22, 0.4, 0.17))
    red += 0.9 * around(rest, (0.0, -1.68, 6.93), (0.13, 0.12, 0.11))
    red += 0.8 * around(rest, (0.80, -0.6, 7.2), (0.13, 0.4, 0.4))
    red += 0.35 * around(rest, (0.0, -1.5, 6.33), (0.16, 0.2, 0.12))
    red += 0.5 * around(rest, (0.31, -1.4, 7.29), (0.16, 0.14, 0.08))
    pale = around(rest, (0.0, -1.5, 7.8), (0.5, 0.3, 0.2))
    mottle = fractal(rest * 3.2, octaves=5, seed=seed)
    tone = np.array(linear(skin.tone))
    deep = tone ** np.array([0.86, 1.22, 1.3])
    amount = np.clip(skin.blush * (0.75 * red + 0.12 * mottle - 0.1 * pale), 0, 1)[:, None]
    colour = tone * (1 - amount) + deep * amount
    shadow = around(rest, (0.26, -1.42, 7.16), (0.15, 0.2, 0.055)) + 0.5 * around(
        rest, (0.17, -1.42, 7.33), (0.07, 0.15, 0.07)
    )
    colour *= 1 - (0.10 + 0.25 * skin.shadow) * np.clip(shadow, 0, 1)[:, None] * np.array([0.75, 1.0, 0.85])
    colour *= 1 + 0.045 * fractal(rest * 9, octaves=3, seed=seed + 9)[:, None]
    colour = _freckle(colour, rest, skin, seed)
    stubble = beard_mask(rest) * (1 - lips) * (0.75 + 0.25 * value_noise(rest * 30, seed=seed + 5))
    grey = np.array(linear(skin.stubble_colour))
    colour = colour * (1 - 0.5 * skin.stubble * stubble[:, None]) + grey * (0.5 * skin.stubble * stubble[:, None])
    lip_colour = np.array(linear(skin.lips)) * (1 + 0.10 * fractal(rest * [40, 10, 6], octaves=2, seed=seed)[:, None])
    colour = colour * (1 - lips[:, None]) + lip_colour * lips[:, None]
    shine = around(rest, (0.0, -1.6, 7.1), (0.16, 0.4, 0.35)) + 0.8 * around(rest, (0.0, -1.5, 7.75), (0.4, 0.4, 0.22))
    return {"colour": np.clip(colour, 0.002, 1), "lips": lips, "shine": np.clip(shine, 0, 1), "stubble": stubble}


def beard_mask(rest: Array, *, moustache: float = 0.24) -> Array:
    """Where a beard grows: jaw, chin and, `moustache` to both sides, the upper lip; not the upper cheek."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    line = 6.62 + 0.55 * np.clip((x - 0.22) / 0.5, 0, 1) ** 1.6
    jaw = smoothstep(0.06, -0.10, z - line) * smoothstep(6.06, 6.2, z + 0.25 * smoothstep(-1.0, -1.4, y))
    lip = np.exp(-((x / moustache) ** 4)) * smoothstep(6.77, 6.80, z) * smoothstep(6.90, 6.85, z)
    corner = np.exp(-(((x - 0.37) / 0.075) ** 2)) * smoothstep(6.45, 6.55, z) * smoothstep(6.90, 6.82, z)
    lip = np.maximum(lip, corner * (moustache > 0.3))
    below = 1 - np.exp(-(((x - 0.10) / 0.05) ** 2 + ((z - 6.55) / 0.035) ** 2)) * 0.7
    front = smoothstep(-0.35, -0.55, y)
    return np.clip(np.maximum(jaw * below, lip), 0, 1) * front


def _freckle(colour: Array, rest: Array, skin: Skin, seed: int) -> Array:
    if not skin.freckles:
        return colour
    where = around(rest, (0.28, -1.45, 7.02), (0.30, 0.5, 0.16)) + 0.25 * around(
        rest, (0.0, -1.5, 7.6), (0.6, 0.4, 0.4)
    )
    spots = smoothstep(0.34, 0.62, value_noise(rest * 24, seed=seed + 3)) + 0.7 * smoothstep(
        0.42, 0.62, value_noise(rest * 36, seed=seed + 4)
    )
    amount = np.clip(skin.freckles * where * spots, 0, 0.75)[:, None]
    return colour * (1 - amount) + colour * np.array([0.62, 0.42, 0.30]) * amount


def apply_skin(body: Body, skin: Skin, *, seed: int, scalp: tuple[Array, str] | None = None) -> None:
    """Paints the body and gives it the skin material; `scalp` is where hair grows and the colour of its roots."""
    maps = paint(body.rest, body.lips, skin, seed=seed)
    if scalp is not None:
        shade = 0.75 * scalp[0][:, None]
        maps["colour"] = maps["colour"] * (1 - shade) + 0.5 * np.array(linear(scalp[1])) * shade
    mesh = body.thing.data
    set_colour(mesh, "colour", maps["colour"])
    for name in ("lips", "shine", "stubble"):
        set_value(mesh, name, maps[name])
    mesh.materials.clear()
    mesh.materials.append(skin_material(skin))


def skin_material(skin: Skin) -> bpy.types.Material:
    """Light that enters and leaves elsewhere, a soft sheen, pores and lip lines as bumps."""
    g = Graph("skin")
    rest = g.attribute("rest").outputs["Vector"]
    lips = g.attribute("lips").outputs["Fac"]
    shine = g.attribute("shine").outputs["Fac"]
    pores = g.add("TexVoronoi", Vector=rest, Scale=42.0).outputs["Distance"]
    fine = g.add("TexNoise", Vector=rest, Scale=26.0, Detail=5.0, Roughness=0.65).outputs["Fac"]
    broad = g.add("TexNoise", Vector=rest, Scale=7.0, Detail=3.0).outputs["Fac"]
    lines = g.add(
        "TexNoise",
        Vector=g.add("VectorMath", settings={"operation": "MULTIPLY"}, _0=rest, _1=(52.0, 8.0, 9.0)).outputs[0],
        Scale=1.0,
        Detail=2.0,
    )
    face = g.math("ADD", g.math("MULTIPLY", pores, 0.35), g.math("ADD", fine, g.math("MULTIPLY", broad, 0.5)))
    height = g.add("Mix", settings={"data_type": "FLOAT"}, _0=lips, _2=face, _3=lines.outputs["Fac"]).outputs[0]
    bump = g.add("Bump", Height=height, Strength=0.34 * skin.pores, Distance=0.02)
    rough = g.math("SUBTRACT", 0.52, g.math("MULTIPLY", shine, 0.10))
    rough = g.math("SUBTRACT", rough, g.math("MULTIPLY", lips, 0.20 * skin.lip_gloss + 0.06))
    shader = g.add(
        "BsdfPrincipled",
        Base_Color=g.attribute("colour").outputs["Color"],
        Roughness=rough,
        Normal=bump.outputs["Normal"],
        Subsurface_Weight=0.9,
        Subsurface_Scale=skin.scale,
        Subsurface_Radius=(1.0, 0.42, 0.26),
        Specular_IOR_Level=0.42,
        Sheen_Weight=0.10,
        Sheen_Roughness=0.4,
    )
    return g.finish(shader.outputs["BSDF"])
