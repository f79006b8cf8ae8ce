"""Nora: flat shapes with soft shading, in the manner of a modern editorial illustration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avatars.pen import Pen, ellipse, mirror, sheet, spline, symmetric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SKIN, SHADE, DEEP, LIGHT = "#f0b48f", "#d98f6d", "#b9694f", "#ffd2b0"
HAIR, HAIR_DARK, HAIR_LIGHT = "#8c2f2a", "#5f1c22", "#c65a3c"
FACE = [(500, 200), (385, 225), (305, 305), (274, 420), (278, 525), (303, 625), (352, 705), (424, 765), (500, 786)]
EYE = [(449, 482), (430, 453), (396, 440), (362, 450), (341, 473), (366, 494), (399, 501), (430, 496)]

HAIR_LEFT = [
    (588, 128),
    (500, 100),
    (370, 112),
    (258, 200),
    (218, 340),
    (214, 460),
    (236, 560),
    (262, 600),
    (268, 500),
    (286, 410),
    (330, 345),
    (410, 300),
    (500, 248),
    (572, 180),
]
HAIR_RIGHT = [
    (560, 125),
    (640, 125),
    (735, 200),
    (785, 330),
    (790, 460),
    (768, 560),
    (738, 602),
    (734, 500),
    (716, 410),
    (676, 330),
    (620, 260),
    (578, 190),
]


def draw(size: int) -> NDArray[np.uint8]:
    """The picture, (size, size, 3) uint8 RGB."""
    pen = Pen(size, zoom=1.06, rise=30)
    _background(pen)
    _back_hair(pen)
    _shoulders(pen)
    _head(pen)
    _nose_and_mouth(pen)
    for flip in (False, True):
        _eye(pen, flip)
    _front_hair(pen)
    return pen.picture()


def _background(pen: Pen) -> None:
    pen.glow(sheet(), ["#ffe3b8", "#f6b98a"], (500, 430), 720)
    pen.fill(ellipse(500, 470, 425, 425), "#fff1d6", alpha=0.65)
    pen.fill(ellipse(845, 190, 46, 46), "#ef7f5a", alpha=0.55)
    pen.fill(ellipse(120, 760, 26, 26), "#2f8f8b", alpha=0.5)
    pen.fill(ellipse(905, 655, 18, 18), "#2f8f8b", alpha=0.5)


def _back_hair(pen: Pen) -> None:
    back = [
        (500, 92),
        (350, 118),
        (238, 215),
        (200, 360),
        (178, 500),
        (196, 590),
        (150, 690),
        (188, 790),
        (262, 860),
        (380, 880),
        (500, 860),
        (620, 880),
        (738, 860),
        (816, 790),
        (846, 690),
        (804, 590),
        (826, 500),
        (800, 360),
        (762, 215),
        (650, 118),
    ]
    path = spline(back, tension=1.0)
    pen.shade(path, [HAIR, HAIR_DARK], (500, 250), (500, 800))
    with pen.inside(path):
        for x, bend in ((208, 22), (236, 18), (764, -18), (792, -22)):
            pen.taper(
                [(x, 600), (x - bend, 690), (x + bend * 0.4, 780), (x + bend * 2, 850)],
                HAIR_LIGHT,
                [0, 8, 7, 0],
                alpha=0.4,
            )


def _shoulders(pen: Pen) -> None:
    neck = symmetric([(500, 680), (404, 690), (408, 790), (396, 860), (330, 905), (330, 1060), (500, 1060)])
    pen.fill(spline(neck), SKIN)
    with pen.inside(spline(neck)):
        pen.fill(spline(symmetric([(500, 650), (380, 690), (392, 770), (440, 838), (500, 850)])), SHADE, blur=5)
    top = symmetric([(500, 935), (440, 925), (385, 868), (300, 885), (160, 930), (40, 1000), (-20, 1110), (500, 1120)])
    path = spline(top, tension=0.9)
    pen.shade(path, ["#2f8f8b", "#1d6670"], (300, 880), (600, 1020))
    pen.line([(385, 868), (440, 925), (500, 937), (560, 925), (615, 868)], "#f5e7c8", 15)
    with pen.inside(path):
        for y in (962, 1000, 1038):
            pen.line([(20, y + 46), (280, y - 18), (500, y + 8), (720, y - 18), (980, y + 46)], "#f5e7c8", 9, alpha=0.9)


def _head(pen: Pen) -> None:
    for flip in (False, True):
        ear = [(284, 455), (258, 440), (243, 470), (250, 520), (268, 560), (288, 556)]
        pen.fill(spline(mirror(ear) if flip else ear, tension=1.0), SHADE)
        ring = [(262, 582), (252, 592), (262, 603), (273, 592)]
        pen.fill(spline(mirror(ring) if flip else ring, tension=1.0), "#f2c14e")
    face = spline(symmetric(FACE), tension=1.0)
    pen.shade(face, [LIGHT, SKIN, SKIN], (340, 300), (680, 760))
    with pen.inside(face):
        side = [
            (735, 200),
            (640, 300),
            (668, 430),
            (650, 540),
            (655, 640),
            (590, 735),
            (505, 800),
            (700, 830),
            (790, 560),
        ]
        pen.fill(spline(side, tension=1.0), SHADE, alpha=0.42, blur=9)
        for x in (342, 658):
            pen.fill(ellipse(x, 588, 58, 38), "#ee7a62", blur=22, alpha=0.55)
        pen.fill(ellipse(500, 745, 40, 18), LIGHT, blur=10, alpha=0.5)


def _nose_and_mouth(pen: Pen) -> None:
    pen.fill(
        spline([(515, 455), (532, 545), (542, 588), (522, 606), (500, 612), (518, 540)], tension=1.0),
        SHADE,
        alpha=0.55,
        blur=5,
    )
    pen.fill(ellipse(500, 614, 36, 8), SHADE, blur=5, alpha=0.7)
    pen.fill(ellipse(496, 572, 15, 22), LIGHT, blur=8, alpha=0.85)
    for flip in (False, True):
        nostril = [(463, 586), (465, 602), (480, 606)]
        hole = [(474, 606), (484, 601), (493, 606)]
        pen.taper(mirror(nostril) if flip else nostril, DEEP, [1, 5, 1], alpha=0.75)
        pen.taper(mirror(hole) if flip else hole, DEEP, [1, 7, 1], alpha=0.9)
    upper = [
        (424, 668),
        (466, 650),
        (488, 643),
        (500, 648),
        (512, 643),
        (534, 650),
        (576, 668),
        (540, 673),
        (500, 677),
        (460, 673),
    ]
    lower = [(430, 671), (462, 675), (500, 679), (538, 675), (570, 671), (548, 699), (500, 712), (452, 699)]
    pen.fill(spline(upper, tension=0.9), "#b9433f")
    pen.fill(spline(lower, tension=0.9), "#d15c52")
    pen.fill(ellipse(494, 692, 28, 6), "#f39a86", blur=3, alpha=0.8)
    pen.taper(
        [(416, 660), (428, 669), (466, 673), (500, 678), (534, 673), (572, 669), (584, 660)],
        "#6d1f25",
        [2, 6, 4, 5, 4, 6, 2],
    )
    pen.fill(ellipse(500, 726, 36, 7), SHADE, blur=5, alpha=0.8)


def _eye(pen: Pen, flip: bool) -> None:
    def side(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return mirror(points) if flip else points

    x = 604 if flip else 396
    pen.fill(
        spline(side([(455, 478), (430, 436), (394, 424), (354, 438), (330, 472), (400, 470)]), tension=1.0),
        SHADE,
        alpha=0.5,
        blur=4,
    )
    white = spline(side(EYE), tension=1.0)
    pen.fill(white, "#fffaf2")
    with pen.inside(white):
        pen.fill(ellipse(x, 470, 29, 30), "#1f5a4d")
        pen.glow(ellipse(x, 471, 26, 27), ["#7cc08f", "#2f7f68"], (x, 482), 30)
        pen.fill(ellipse(x, 470, 13, 13.5), "#10211f")
        pen.fill(
            spline(side([(455, 440), (330, 430), (334, 462), (362, 458), (396, 450), (430, 460), (452, 480)])),
            "#7d5c55",
            alpha=0.45,
            blur=3,
        )
        pen.fill(ellipse(x - 9, 460, 7.5, 8), "#ffffff")
        pen.fill(ellipse(x + 10, 482, 3.5, 3.5), "#ffffff", alpha=0.8)
    pen.taper(
        side([(452, 485), (431, 453), (396, 439), (361, 448), (338, 470), (322, 466)]), "#3a1518", [3, 9, 12, 13, 10, 0]
    )
    pen.taper(side([(346, 458), (332, 448), (322, 446)]), "#3a1518", [8, 4, 0])
    pen.taper(side([(438, 496), (400, 504), (362, 496), (346, 482)]), DEEP, [0, 4, 5, 2], alpha=0.8)
    pen.taper(side([(446, 440), (398, 420), (350, 436)]), DEEP, [0, 5, 2], alpha=0.75)
    pen.taper(side([(452, 398), (412, 378), (368, 376), (322, 404)]), HAIR_DARK, [12, 17, 14, 2])


def _front_hair(pen: Pen) -> None:
    for shape in (HAIR_RIGHT, HAIR_LEFT):
        pen.fill(spline([(x, y + 14) for x, y in shape], tension=1.0), DEEP, alpha=0.35, blur=8)
        pen.shade(spline(shape, tension=1.0), ["#a53d2f", HAIR, HAIR_DARK], (520, 110), (400, 600))
    with pen.inside(spline(HAIR_LEFT, tension=1.0)):
        for i in range(5):
            d = i * 26
            pen.taper(
                [
                    (575 - d * 0.6, 130 + d * 0.2),
                    (430 - d, 190 + d * 0.3),
                    (310 - d * 0.8, 290 + d * 0.4),
                    (250 - d * 0.2, 470),
                ],
                HAIR_LIGHT,
                [0, 9, 11, 0],
                alpha=0.65,
            )
    with pen.inside(spline(HAIR_RIGHT, tension=1.0)):
        for i in range(3):
            d = i * 26
            pen.taper(
                [(590 + d, 135), (690 + d * 0.8, 240 + d * 0.2), (745 + d * 0.4, 390), (752 + d * 0.3, 540)],
                HAIR_LIGHT,
                [0, 8, 9, 0],
                alpha=0.55,
            )
