"""Stone and clay: one material for skin, cloth and hair, for heads that are meant to look made by hand."""

from __future__ import annotations

import bpy

from avatars.nodes import Graph
from avatars.stage import linear


def marble(*, glow: float = 0.7) -> bpy.types.Material:
    """White marble with faint grey veins and fine chisel marks; `glow` is how much light passes through its surface."""
    g = Graph("marble")
    place = g.add("TexCoord").outputs["Object"]
    warp = g.add("TexNoise", Vector=place, Scale=1.6, Detail=6.0, Roughness=0.6).outputs["Color"]
    bent = g.add("Mix", settings={"data_type": "VECTOR"}, _0=0.35, _4=place, _5=warp).outputs[1]
    field = g.add("TexNoise", Vector=bent, Scale=2.3, Detail=8.0, Roughness=0.55).outputs["Fac"]
    vein = g.math(
        "POWER",
        g.math(
            "SUBTRACT",
            1.0,
            g.math("MINIMUM", g.math("MULTIPLY", g.math("ABSOLUTE", g.math("SUBTRACT", field, 0.5)), 14.0), 1.0),
        ),
        2.2,
    )
    light, grey = linear("#ece7de"), linear("#a9a6a3")
    colour = g.add(
        "Mix", settings={"data_type": "RGBA"}, _0=g.math("MULTIPLY", vein, 0.3), _6=(*light, 1), _7=(*grey, 1)
    ).outputs[2]
    marks = g.add("TexNoise", Vector=place, Scale=22.0, Detail=4.0).outputs["Fac"]
    bump = g.add("Bump", Height=marks, Strength=0.10, Distance=0.02)
    shader = g.add(
        "BsdfPrincipled", Base_Color=colour, Roughness=0.42, Normal=bump.outputs["Normal"], Subsurface_Weight=glow,
        Subsurface_Scale=0.05, Subsurface_Radius=(1.0, 0.9, 0.75), Specular_IOR_Level=0.4,
    )  # fmt: skip
    return g.finish(shader.outputs["BSDF"])


def clay(colour: str) -> bpy.types.Material:
    """Modelling clay of that colour (sRGB hex): thumb dents, finger ridges, a dull sheen."""
    g = Graph("clay")
    place = g.add("TexCoord").outputs["Object"]
    dents = g.add("TexVoronoi", settings={"feature": "SMOOTH_F1"}, Vector=place, Scale=4.2).outputs["Distance"]
    ridges = g.add(
        "TexWave", settings={"wave_type": "RINGS"}, Vector=place, Scale=9.0, Distortion=7.0, Detail=2.0
    ).outputs["Fac"]
    grain = g.add("TexNoise", Vector=place, Scale=40.0, Detail=3.0).outputs["Fac"]
    where = g.add("TexNoise", Vector=place, Scale=3.1, Detail=1.0).outputs["Fac"]
    print_ = g.math("MULTIPLY", ridges, g.math("MULTIPLY", g.math("GREATER_THAN", where, 0.5), 0.22))
    height = g.math("ADD", g.math("MULTIPLY", dents, 2.4), g.math("ADD", print_, g.math("MULTIPLY", grain, 0.3)))
    bump = g.add("Bump", Height=height, Strength=0.30, Distance=0.05)
    base = linear(colour)
    dirty = tuple(v * 0.88 for v in base)
    mixed = g.add("Mix", settings={"data_type": "RGBA"}, _0=where, _6=(*dirty, 1), _7=(*base, 1)).outputs[2]
    shader = g.add(
        "BsdfPrincipled", Base_Color=mixed, Roughness=0.55, Normal=bump.outputs["Normal"], Subsurface_Weight=0.35,
        Subsurface_Scale=0.03, Subsurface_Radius=(1.0, 0.6, 0.45), Specular_IOR_Level=0.35, Sheen_Weight=0.15,
    )  # fmt: skip
    return g.finish(shader.outputs["BSDF"])


def recolour(materials: dict[str, bpy.types.Material]) -> None:
    """Gives every object whose name begins with a key that key's material."""
    for thing in bpy.context.scene.objects:
        for prefix, material in materials.items():
            if thing.name.startswith(prefix):
                thing.data.materials.clear()
                thing.data.materials.append(material)
