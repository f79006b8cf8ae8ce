"""Ren: a young man in the manner of hand-drawn animation: ink lines, flat colours, one hard shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import skia

from avatars.pen import Pen, Points, ellipse, mirror, sheet, spline, symmetric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SKIN, SHADE, BLUSH = "#f8d3b4", "#dfa58c", "#ee8f80"
INK = "#2a1b2b"
HAIR, HAIR_SHADE, HAIR_LIGHT = "#33507f", "#20315a", "#6f9bd0"
FACE = [(500, 205), (380, 225), (298, 310), (270, 430), (278, 540), (308, 640), (372, 722), (440, 776), (500, 795)]
EYE = [(452, 490), (440, 452), (402, 430), (362, 438), (336, 476), (350, 510), (396, 522), (438, 514)]

FACE_SHADOW = [
    (760, 180),
    (690, 330),
    (712, 470),
    (694, 580),
    (662, 668),
    (588, 752),
    (470, 812),
    (640, 860),
    (820, 560),
]
FRINGE_SHADOW = [
    (250, 200),
    (262, 470),
    (302, 490),
    (318, 400),
    (352, 456),
    (372, 380),
    (420, 430),
    (440, 370),
    (496, 442),
    (530, 360),
    (600, 370),
    (616, 418),
    (640, 370),
    (676, 450),
    (690, 380),
    (724, 490),
    (760, 430),
    (760, 200),
]


def draw(size: int) -> NDArray[np.uint8]:
    """The picture, (size, size, 3) uint8 RGB."""
    pen = Pen(size, zoom=1.02, rise=18)
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
    pen.shade(sheet(), ["#8fd3e8", "#d7f0ea", "#fbe6c6"], (500, 0), (500, 1000))
    for x, y, r in ((120, 300, 70), (190, 280, 90), (270, 310, 60), (800, 210, 60), (870, 190, 80), (945, 220, 60)):
        pen.fill(ellipse(x, y, r, r * 0.62), "#ffffff", alpha=0.75)
    pen.fill(
        spline(
            [
                (-40, 760),
                (150, 660),
                (330, 730),
                (520, 640),
                (720, 720),
                (900, 650),
                (1060, 720),
                (1060, 1060),
                (-40, 1060),
            ]
        ),
        "#8cc3a0",
        alpha=0.9,
    )
    pen.fill(
        spline([(-40, 860), (200, 770), (420, 830), (700, 760), (1060, 840), (1060, 1060), (-40, 1060)]),
        "#6aa98a",
        alpha=0.9,
    )


def _inked(pen: Pen, points: Points, ink: str, *, width: float = 7.0) -> None:
    path = spline(points, tension=1.0)
    pen.fill(path, ink)
    pen.outline(path, INK, width)


def _back_hair(pen: Pen) -> None:
    back = [
        (500, 95),
        (360, 105),
        (245, 190),
        (205, 330),
        (222, 450),
        (232, 560),
        (262, 600),
        (300, 640),
        (500, 700),
        (700, 640),
        (738, 600),
        (768, 560),
        (778, 450),
        (795, 330),
        (755, 190),
        (640, 105),
    ]
    _inked(pen, back, HAIR_SHADE)


def _shoulders(pen: Pen) -> None:
    neck = symmetric([(500, 690), (392, 690), (396, 800), (380, 880), (300, 940), (300, 1070), (500, 1070)])
    _inked(pen, neck, SKIN)
    with pen.inside(spline(neck, tension=1.0)):
        pen.fill(
            spline([(360, 680), (392, 760), (470, 850), (560, 862), (640, 830), (680, 1040), (760, 900), (650, 680)]),
            SHADE,
        )
    hood = symmetric([(500, 985), (430, 960), (368, 870), (330, 850), (250, 900), (120, 945), (30, 1060), (500, 1090)])
    _inked(pen, hood, "#e9b44c")
    with pen.inside(spline(hood, tension=1.0)):
        pen.fill(spline([(640, 850), (600, 960), (520, 1060), (1000, 1060), (960, 950), (760, 900)]), "#c98a35")
        pen.taper([(330, 862), (352, 930), (420, 1000), (470, 1040)], INK, [4, 6, 6, 3])
        pen.taper(mirror([(330, 862), (352, 930), (420, 1000), (470, 1040)]), INK, [4, 6, 6, 3])
    for flip in (False, True):
        cord = [(424, 950), (416, 985), (420, 1030)]
        pen.line(mirror(cord) if flip else cord, INK, 15)
        pen.line(mirror(cord) if flip else cord, "#fff4de", 8)


def _head(pen: Pen) -> None:
    for flip in (False, True):
        ear = [(286, 462), (254, 440), (236, 470), (242, 525), (262, 572), (290, 566)]
        inner = [(280, 482), (262, 476), (256, 506), (272, 540)]
        _inked(pen, mirror(ear) if flip else ear, SHADE if flip else SKIN)
        pen.taper(mirror(inner) if flip else inner, INK, [2, 5, 5, 2], alpha=0.8)
    face = spline(symmetric(FACE), tension=1.0)
    pen.fill(face, SKIN)
    with pen.inside(face):
        pen.fill(spline(FACE_SHADOW, tension=1.0), SHADE)
        pen.fill(spline(FRINGE_SHADOW, tension=0.7), SHADE)
        for x in (352, 648):
            pen.fill(ellipse(x, 610, 44, 20), BLUSH, blur=10, alpha=0.5)
            for i in (-1, 0, 1):
                pen.taper([(x + 16 * i + 5, 600), (x + 16 * i - 5, 620)], "#d0655f", [2, 4, 1], alpha=0.7)
    pen.outline(face, INK, 7)


def _nose_and_mouth(pen: Pen) -> None:
    pen.fill(spline([(502, 540), (528, 596), (534, 618), (512, 632), (492, 630), (506, 600)], tension=0.8), SHADE)
    pen.taper([(478, 618), (490, 632), (508, 634), (524, 624)], INK, [1, 5, 5, 1])
    pen.fill(ellipse(492, 600, 7, 10), "#fff1df", blur=2)
    upper = [(436, 688), (470, 679), (500, 683), (530, 679), (564, 688), (530, 695), (500, 698), (470, 695)]
    lower = [(448, 692), (500, 698), (552, 692), (528, 712), (500, 717), (472, 712)]
    pen.fill(spline(upper, tension=1.0), "#cf7a6c")
    pen.fill(spline(lower, tension=1.0), "#e09583")
    pen.taper([(424, 684), (444, 691), (500, 698), (556, 691), (576, 684)], INK, [3, 6, 6, 6, 3])
    pen.taper([(474, 729), (500, 733), (526, 729)], INK, [0, 4, 0], alpha=0.7)


def _eye(pen: Pen, flip: bool) -> None:
    def side(points: Points) -> Points:
        return mirror(points) if flip else points

    x = 602 if flip else 398
    white = spline(side(EYE), tension=1.0)
    pen.fill(white, "#fdfaf6")
    with pen.inside(white):
        pen.fill(ellipse(x, 478, 38, 45), INK)
        pen.glow(ellipse(x, 480, 34, 41), ["#f2b25a", "#b9632c", "#5c2a1c"], (x, 506), 62)
        pen.fill(ellipse(x, 477, 16, 20), INK)
        pen.fill(
            spline(
                side([(460, 420), (330, 420), (330, 478), (362, 456), (402, 450), (438, 466), (456, 492)]), tension=1.0
            ),
            "#5a3d57",
            alpha=0.45,
        )
        pen.fill(ellipse(x - 14, 460, 11, 12), "#ffffff")
        pen.fill(ellipse(x + 15, 499, 5.5, 6.5), "#ffffff", alpha=0.9)
    pen.taper(
        side([(456, 496), (442, 453), (402, 430), (360, 437), (334, 472), (322, 478)]), INK, [5, 13, 17, 17, 12, 2]
    )
    pen.taper(side([(430, 517), (396, 524), (356, 514)]), INK, [1, 6, 3])
    pen.taper(side([(444, 424), (402, 404), (352, 418)]), INK, [0, 5, 2], alpha=0.75)
    pen.taper(side([(456, 392), (408, 368), (362, 366), (318, 392)]), INK, [13, 20, 16, 3])


def _front_hair(pen: Pen) -> None:
    for base, tip, bend in SPIKES:
        _lock(pen, base, tip, bend, HAIR)
    cap = spline(
        [
            (232, 330),
            (262, 210),
            (350, 128),
            (480, 96),
            (620, 112),
            (722, 180),
            (772, 330),
            (660, 330),
            (500, 270),
            (340, 330),
        ],
        tension=1.0,
    )
    pen.fill(cap, HAIR)
    for base, tip, bend in FRINGE:
        _lock(pen, base, tip, bend, HAIR)
    with pen.inside(cap):
        pen.fill(
            spline([(640, 90), (694, 180), (716, 300), (752, 420), (800, 360), (800, 120)], tension=1.0),
            HAIR_SHADE,
            alpha=0.75,
        )
    roots = spline(
        [(300, 250), (400, 160), (530, 128), (640, 150), (716, 250), (620, 262), (520, 236), (400, 262)], tension=1.0
    )
    with pen.inside(roots):
        pen.fill(roots, HAIR)
    for points in STRANDS:
        pen.taper(points, INK, [0, 5, 1], alpha=0.85)
    for points in SHINE:
        pen.taper(points, HAIR_LIGHT, [0, 20, 0])


def _lock(pen: Pen, base: tuple[float, float, float, float], tip: tuple[float, float], bend: float, ink: str) -> None:
    """A pointed tuft from the base (x0, y0)-(x1, y1) to its tip; `bend` swings it sideways."""
    x0, y0, x1, y1 = base
    path = skia.Path()
    path.moveTo(x0, y0)
    path.quadTo((x0 + tip[0]) / 2 + bend, (y0 + tip[1]) / 2, *tip)
    path.quadTo((x1 + tip[0]) / 2 + bend, (y1 + tip[1]) / 2, x1, y1)
    pen.fill(path, ink)
    pen.outline(path, INK, 7)


SPIKES = [
    ((236, 420, 330, 250), (166, 440), -6),
    ((232, 500, 310, 350), (196, 560), -14),
    ((250, 300, 370, 170), (160, 306), -10),
    ((300, 180, 430, 110), (204, 176), -4),
    ((400, 130, 540, 110), (330, 66), 24),
    ((480, 118, 640, 124), (560, 36), -24),
    ((600, 120, 720, 180), (742, 92), 8),
    ((690, 170, 770, 290), (836, 236), 20),
    ((730, 260, 772, 400), (846, 398), 18),
    ((690, 350, 768, 500), (804, 560), 14),
    ((240, 420, 330, 320), (258, 622), -22),
    ((670, 320, 760, 420), (744, 618), 22),
]
FRINGE = [
    ((262, 300, 360, 230), (292, 462), -24),
    ((660, 230, 740, 300), (712, 470), 26),
    ((320, 240, 430, 180), (338, 430), -34),
    ((600, 190, 700, 290), (664, 424), 34),
    ((390, 200, 500, 160), (404, 404), -40),
    ((540, 170, 670, 260), (606, 396), 40),
    ((450, 180, 620, 210), (486, 420), -46),
]
STRANDS: list[Points] = [
    [(420, 330), (446, 250), (500, 180)],
    [(350, 340), (376, 270), (430, 200)],
    [(630, 320), (618, 250), (580, 185)],
    [(530, 300), (540, 240), (548, 190)],
    [(300, 300), (330, 240), (380, 190)],
    [(690, 320), (676, 260), (636, 200)],
]
SHINE: list[Points] = [
    [(292, 286), (316, 250), (352, 222)],
    [(366, 250), (398, 220), (436, 204)],
    [(450, 224), (490, 204), (532, 200)],
    [(556, 208), (590, 210), (618, 224)],
    [(640, 236), (664, 252), (682, 276)],
]
