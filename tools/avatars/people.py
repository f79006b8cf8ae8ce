"""The rendered people: invented faces, each a recipe of shape, skin, eyes, hair and clothes.

`substance` is flesh, marble or clay; `finish` is photograph or oil (painted over).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from avatars.brows import Brows
from avatars.clothes import Top
from avatars.eyes import Eyes
from avatars.head import both, macro
from avatars.skin import Skin
from avatars.stage import Studio
from avatars.styles import Hair

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Person:
    """Everything the picture of one invented person is made from."""

    shape: Mapping[str, float]
    skin: Skin = dataclasses.field(default_factory=Skin)
    eyes: Eyes = dataclasses.field(default_factory=Eyes)
    brows: Brows = dataclasses.field(default_factory=Brows)
    brow_colour: str = "#3a2618"
    hair: Hair | None = dataclasses.field(default_factory=Hair)
    beard: float = 0.0
    beard_colour: str = "#3a2618"
    beard_grey: float = 0.0
    lashes: float = 1.0
    top: Top = dataclasses.field(default_factory=Top)
    studio: Studio = dataclasses.field(default_factory=Studio)
    tucked: bool = False
    substance: str = "flesh"
    finish: str = "photograph"
    frame: tuple[float, float] = (2.9, -0.16)
    seed: int = 1


def mood(*, smile: float, wide: float = 0.0) -> dict[str, float]:
    """A hint of a smile with the mouth closed, and eyes a little wider than at rest."""
    units = {"mouthSmile": smile, "eyeWide": wide}
    return {f"unit/{unit}{side}": amount for unit, amount in units.items() for side in ("Left", "Right")}


PEOPLE: dict[str, Person] = {
    "jonas": Person(
        shape=macro("male", "young", {"caucasian": 1.0})
        | both("eyes/eye-scale-incr", 0.55)
        | mood(smile=0.42, wide=0.5)
        | {
            "chin/chin-jaw-drop-decr": 0.3,
            "head/head-scale-vert-decr": 0.25,
            "nose/nose-scale-vert-decr": 0.3,
            "mouth/mouth-scale-vert-incr": 0.5,
            "nose/nose-point-up": 0.3,
        },
        skin=Skin(tone="#dda48a", lips="#bd7468", blush=0.75, freckles=0.45, stubble=0.32, stubble_colour="#6d4630"),
        eyes=Eyes(inner="#9fb0b4", outer="#4f7290", rim="#1b2a38"),
        brows=Brows(start=(0.125, 7.41), peak=(0.40, 7.455), end=(0.555, 7.40), thickness=0.065, count=380),
        brow_colour="#35190c",
        frame=(3.02, -0.07),
        hair=Hair("crop", "#3a1a0b", count=22000, radius=0.002),
        lashes=0.6,
        top=Top("crew", "#2f6d73"),
        studio=Studio(backdrop=("#d9cdbd", "#8a7a6a")),
    ),
    "amara": Person(
        shape=macro("female", "young", {"african": 0.85, "caucasian": 0.15})
        | both("eyes/eye-scale-incr", 0.7)
        | mood(smile=0.25, wide=0.15)
        | {"head/head-oval": 0.4},
        skin=Skin(tone="#7a4a31", lips="#8a4440", blush=0.45, shadow=0.2, lip_gloss=0.7, scale=0.02),
        eyes=Eyes(inner="#4a2a14", outer="#2a170c", rim="#0b0705", white="#e2dad3"),
        brows=Brows(start=(0.125, 7.435), peak=(0.38, 7.475), end=(0.54, 7.425), thickness=0.05, count=300),
        brow_colour="#120b08",
        frame=(3.18, -0.03),
        hair=Hair("afro", "#0c0705", count=9000, radius=0.0032, length=0.5),
        top=Top("scoop", "#d9a03a"),
        studio=Studio(backdrop=("#4fa39a", "#1f5a5c"), key=1.25),
    ),
    "mei": Person(
        shape=macro("female", "young", {"asian": 0.85, "caucasian": 0.15})
        | both("eyes/eye-scale-incr", 0.95)
        | mood(smile=0.38, wide=0.45)
        | {"head/head-oval": 0.3, "mouth/mouth-scale-horiz-decr": 0.4},
        skin=Skin(tone="#dca584", lips="#b8545a", blush=0.75, lip_gloss=0.5),
        eyes=Eyes(inner="#5a3a20", outer="#2e1c10", rim="#0d0806"),
        brows=Brows(start=(0.125, 7.425), peak=(0.38, 7.475), end=(0.53, 7.435), thickness=0.045, count=260),
        brow_colour="#1c1512",
        hair=Hair("bob", "#16110f", count=22000, roughness=0.25),
        tucked=True,
        top=Top("roll", "#b8443f"),
        studio=Studio(backdrop=("#c7a9c9", "#6a5680"), key=0.9),
    ),
    "elena": Person(
        shape=macro("female", "old:0.12", {"caucasian": 0.65, "african": 0.2, "asian": 0.15})
        | both("eyes/eye-scale-incr", 0.6)
        | mood(smile=0.3, wide=0.15),
        skin=Skin(tone="#c99473", lips="#a8504c", blush=0.6, lip_gloss=0.4, shadow=0.2),
        eyes=Eyes(inner="#7a8a4a", outer="#3c5a3c", rim="#16201a"),
        brows=Brows(start=(0.125, 7.435), peak=(0.39, 7.475), end=(0.54, 7.425), thickness=0.045, count=300),
        brow_colour="#2a1c14",
        tucked=True,
        hair=Hair("waves", "#371b0b", count=22000),
        top=Top("crew", "#3b3f5c"),
        studio=Studio(backdrop=("#e0b79a", "#a05f4a")),
    ),
    "walter": Person(
        shape=macro("male", "old:0.6", {"caucasian": 0.8, "african": 0.2})
        | both("eyes/eye-scale-incr", 0.55)
        | mood(smile=0.45, wide=0.6),
        skin=Skin(tone="#cf977a", lips="#a8685c", blush=0.8, shadow=0.4, stubble=0.3, stubble_colour="#8a7f78"),
        eyes=Eyes(inner="#9ab0c0", outer="#5a7d9c", rim="#22303c", white="#e0d6cf"),
        brow_colour="#66605b",
        frame=(3.0, -0.09),
        hair=Hair("crop", "#77726d", count=17000, recede=0.35, length=0.75, grey=0.25),
        beard=0.2,
        beard_colour="#969089",
        beard_grey=0.25,
        lashes=0.5,
        top=Top("roll", "#2c3e57"),
        studio=Studio(backdrop=("#9fb2a4", "#4d6158")),
    ),
    "marcus": Person(
        shape=macro("male", "young", {"caucasian": 1.0})
        | both("eyes/eye-scale-incr", 0.55)
        | mood(smile=0.1, wide=0.2)
        | {"chin/chin-jaw-drop-decr": 0.3, "nose/nose-greek-incr": 0.6, "head/head-scale-vert-decr": 0.2},
        substance="marble",
        eyes=Eyes(inner="#8d867b", outer="#d2ccc2", rim="#8b8479", white="#e4dfd6", pupil=1.1, pupil_light=0.25),
        brows=Brows(start=(0.125, 7.41), peak=(0.40, 7.455), end=(0.555, 7.40), thickness=0.06, count=46, length=0.16),
        hair=Hair("locks", "#ffffff", count=430, radius=0.052, length=0.42),
        lashes=0.0,
        top=Top("scoop", "#ffffff", gap=0.12),
        studio=Studio(backdrop=("#5b6f86", "#1d2733"), key=0.85, fill=0.22, rim=1.3, warmth=0.1),
        frame=(2.95, -0.18),
        seed=4,
    ),
    "tilo": Person(
        shape=macro("male", "young", {"caucasian": 0.5, "asian": 0.5})
        | both("eyes/eye-scale-incr", 1.3)
        | mood(smile=0.45, wide=0.35)
        | {
            "head/head-round": 0.7,
            "nose/nose-point-width-incr": 0.7,
            "nose/nose-scale-horiz-incr": 0.5,
            "ears/l-ear-scale-incr": 0.6,
            "ears/r-ear-scale-incr": 0.6,
            "chin/chin-jaw-drop-decr": 0.5,
        },
        substance="clay",
        skin=Skin(tone="#e39a72"),
        eyes=Eyes(inner="#5b3a22", outer="#3a2415", rim="#1a100a", white="#f4efe8", pupil=1.25),
        brows=Brows(start=(0.125, 7.44), peak=(0.40, 7.49), end=(0.555, 7.43), thickness=0.05, count=26, length=0.16),
        brow_colour="#7a3b24",
        hair=Hair("locks", "#a5512c", count=360, radius=0.07, length=0.40),
        lashes=0.0,
        top=Top("roll", "#4d8f6d", gap=0.1),
        studio=Studio(backdrop=("#f0d9a0", "#c58f4e"), fill=0.7),
        seed=7,
    ),
    "agnes": Person(
        shape=macro("female", "old:0.75", {"caucasian": 1.0})
        | both("eyes/eye-scale-incr", 0.8)
        | mood(smile=0.4, wide=0.3)
        | {"head/head-oval": 0.3, "mouth/mouth-scale-vert-incr": 0.4},
        finish="oil",
        skin=Skin(tone="#dba182", lips="#b2625a", blush=1.0, shadow=0.3),
        eyes=Eyes(inner="#a8bccb", outer="#5b86ad", rim="#22364a"),
        brows=Brows(start=(0.125, 7.43), peak=(0.39, 7.475), end=(0.54, 7.42), thickness=0.05, count=320),
        brow_colour="#6d6259",
        frame=(2.95, -0.12),
        hair=Hair("afro", "#8a8178", count=11000, radius=0.0028, length=0.26, grey=0.35),
        top=Top("roll", "#7a2436"),
        studio=Studio(backdrop=("#6d7350", "#23261c"), key=1.1, fill=0.25, warmth=0.12),
        seed=9,
    ),
}
