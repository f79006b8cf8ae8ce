"""Puts one person in front of the camera and takes the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np

from avatars import body as bodies
from avatars import brows, carved, clothes, eyes, hair, skin, stage, styles
from avatars.oil import paint_over

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from avatars.head import HeadData
    from avatars.people import Person

LASHES = 110


def render_person(data: HeadData, person: Person, *, size: int, samples: int, levels: int = 3) -> NDArray[np.uint8]:
    """The finished portrait, (size, size, 3) uint8 RGB."""
    scene = stage.empty_scene(samples=samples, size=size, seed=person.seed, studio=person.studio)
    vertices = standard_place(data, data.shape(person.shape), tucked=person.tucked)
    centre = picture_centre(data, vertices, drop=person.frame[1])
    camera = stage.place_camera(scene, centre, width=person.frame[0])
    stage.hang_backdrop(scene, person.studio)
    stage.light_portrait(scene, centre, person.studio)
    body = bodies.build_body(data, vertices, levels=levels)
    scalp = (styles.hair_area(body.rest, person.hair), person.hair.colour) if person.hair else None
    skin.apply_skin(body, person.skin, seed=person.seed, scalp=scalp)
    eyes.build_eyes(data, vertices, person.eyes, look_at=np.array(camera), seed=person.seed)
    clothes.dress(body, person.top)
    add_hair(data, vertices, body, person)
    _change_substance(scene, person)
    picture = stage.photograph(scene)
    return paint_over(picture, _detail(size), seed=person.seed) if person.finish == "oil" else picture


def _change_substance(scene: bpy.types.Scene, person: Person) -> None:
    if person.substance == "marble":
        stone, opaque = carved.marble(), carved.marble(glow=0.0)
        carved.recolour({"skin": stone, "top": stone, "hair": opaque, "brows": opaque})
        for number in (0, 1):
            bpy.data.objects.remove(bpy.data.objects[f"cornea{number}"])
    elif person.substance == "clay":
        hair_clay = carved.clay(person.hair.colour if person.hair else "#ffffff")
        brow_clay = carved.clay(person.brow_colour)
        carved.recolour(
            {
                "skin": carved.clay(person.skin.tone),
                "top": carved.clay(person.top.colour),
                "hair": hair_clay,
                "brows": brow_clay,
            }
        )
    if person.substance != "flesh":
        scene.cycles_curves.shape = "THICK"
        scene.cycles_curves.subdivisions = 3


def _detail(size: int) -> NDArray[np.float64]:
    """Where a painter looks twice: eyes and mouth, then the rest of the face; (size, size) in [0, 1]."""
    y, x = np.mgrid[0:size, 0:size] / size
    spots = [
        np.exp(-(((x - a) / 0.1) ** 2 + ((y - b) / 0.06) ** 2)) for a, b in ((0.39, 0.43), (0.61, 0.43), (0.5, 0.66))
    ]
    face = 0.4 * np.exp(-(((x - 0.5) / 0.22) ** 2 + ((y - 0.52) / 0.28) ** 2))
    return np.clip(sum(spots) + face, 0, 1)


def standard_place(data: HeadData, vertices: NDArray[np.float64], *, tucked: bool) -> NDArray[np.float64]:
    """Moves and scales a head so that eyes and chin are as high as those of the unchanged mesh."""
    rest = data.mesh.rest
    face = (np.abs(rest[:, 0]) < 0.1) & (rest[:, 1] < -1.3) & (rest[:, 2] > 6.1) & (rest[:, 2] < 6.3)

    def eye_and_chin(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        middle = np.mean([centre for centre, _ in eyes.eye_spheres(data, points)], axis=0)
        return middle, float(middle[2] - points[face, 2].min())

    here, height = eye_and_chin(vertices)
    there, wanted = eye_and_chin(rest)
    placed = (vertices - here) * (wanted / height) + there
    return tuck_ears(rest, placed) if tucked else placed


def tuck_ears(rest: NDArray[np.float64], vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lays the ears flat against the head, for hair that falls over them."""
    ear = (np.abs(rest[:, 0]) > 0.69) & (np.abs(rest[:, 2] - 7.2) < 0.8) & (rest[:, 1] < 0.2)
    side = vertices[:, 0]
    flat = np.sign(side) * (0.66 + 0.15 * np.maximum(np.abs(side) - 0.66, 0))
    vertices = vertices.copy()
    vertices[ear, 0] = np.where(np.abs(side) > 0.66, flat, side)[ear]
    return vertices


def picture_centre(data: HeadData, vertices: NDArray[np.float64], *, drop: float) -> tuple[float, float, float]:
    """The point that is to be the middle of the picture: `drop` decimetres from the eyes, downwards if negative."""
    middle = np.mean([centre for centre, _ in eyes.eye_spheres(data, vertices)], axis=0)
    return 0.0, float(middle[1]), float(middle[2]) + drop


def add_hair(data: HeadData, vertices: NDArray[np.float64], body: bodies.Body, person: Person) -> None:
    """Lashes, brows, hair and beard."""
    rng = np.random.default_rng(person.seed)
    dark = hair.matt_material("#0e0a08")
    brow_radius = 0.0022 if person.substance == "flesh" else 0.011
    rows = eyes.lash_curves(
        data, vertices, rng=rng, count=int(LASHES * person.lashes), length=0.8 + 0.25 * person.lashes
    )
    for number, row in enumerate(rows if person.lashes else []):
        hair.add_strands(f"lashes{number}", row, dark, radius=0.0017, taper=0.3)
    chart = hair.Chart(body, low=7.2, high=7.9)
    hair.add_strands(
        "brows",
        brows.brow_strands(chart, person.brows, rng=rng),
        hair.hair_material(person.brow_colour),
        radius=brow_radius,
    )
    if person.hair is not None:
        look = person.hair
        material = hair.hair_material(look.colour, grey=look.grey, variety=look.variety, roughness=look.roughness)
        for number, bundle in enumerate(styles.strands_of(body, look, seed=person.seed)):
            hair.add_strands(f"hair{number}", bundle, material, radius=look.radius)
    if person.beard:
        density = skin.beard_mask(body.rest, moustache=0.33) * (1 - body.lips)
        material = hair.hair_material(person.beard_colour, grey=person.beard_grey)
        hair.add_strands(
            "beard", styles.beard(body, density, rng, count=15000, length=person.beard), material, radius=0.002
        )
