"""Does the result's face do what the true one does? Asked of the face mesh network, which sees lids and lips.

Pictorial losses hardly notice a mouth that stays shut: it is a few pixels of the picture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.faces import LEFT_EYE_CORNER, MESH_SIDE, RIGHT_EYE_CORNER
from engines.training.face_network import FaceNetwork
from engines.training.selecting import at, rows_with_face

TAPS = (48, 24)
"""Sides of the feature maps that are compared."""
FACE_PX = MESH_SIDE / 1.5
"""Longer side of a face in its crop."""
# Outer and inner lips, above and below; then lids of the right and of the left eye.
_LIPS = ((13, 14), (82, 87), (312, 317), (81, 178), (311, 402), (0, 17))
_LIDS = ((160, 144), (159, 145), (158, 153), (385, 380), (386, 374), (387, 373))
GAPS = (*_LIPS, *_LIDS)
"""Mesh points whose distance says how far mouth and eyes are open."""
_JITTER = (0.12, 0.08, 0.06)
"""Of a crop: turn in radians, relative size, shift over its side. A picture cannot please all of them by a trick."""


class ExpressionLoss(nn.Module):
    """Distance of the meshes, of their openings and of the network's features between result and truth."""

    def __init__(self) -> None:
        super().__init__()
        self.network = FaceNetwork()

    def forward(
        self, result: Tensor, truth: Tensor, points: Tensor, known: Tensor, *, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Compare faces.

        Args:
            result: (batch, 3, size, size) in [0, 1].
            truth: the same.
            points: (batch, 470, 2) mesh of the truth, in [-1, 1].
            known: (batch,) bool, where there is one.
            generator: of the crops' jitter.

        Returns:
            `mesh` and `gaps` in lengths of a face, `features` relative to the truth's; 0 where no face is known.
        """
        zero = result.new_zeros((), dtype=torch.float32)
        rows = rows_with_face(known)
        if rows is None:
            return dict.fromkeys(("mesh", "gaps", "features"), zero)
        grid = crops(points[rows], generator=generator)
        ours, theirs = (
            functional.grid_sample(picture[rows].float(), grid, padding_mode="border", align_corners=True)
            for picture in (result, truth)
        )
        with torch.no_grad():
            wanted, wanted_features = self.network(theirs, taps=TAPS)
        found, features = self.network(ours, taps=TAPS)
        share = known.float().mean()
        apart = (found - wanted)[..., :2].abs().mean() / FACE_PX
        opened = (gaps(found) - gaps(wanted)).abs().mean() / FACE_PX
        distance = zero
        for one, other in zip(features, wanted_features, strict=True):
            distance = distance + (one - other).abs().mean() / other.abs().mean()
        return {"mesh": share * apart, "gaps": share * opened, "features": share * distance / len(TAPS)}


def gaps(mesh: Tensor) -> Tensor:
    """(batch, gaps, 2) vectors between the points of `GAPS`, of a (batch, 468, 3) mesh."""
    first, second = zip(*GAPS, strict=True)
    return (at(mesh, second) - at(mesh, first))[..., :2]


def crops(points: Tensor, *, generator: torch.Generator) -> Tensor:
    """Where the mesh network looks: squares of 1.5 faces around the mesh, upright by the eye line, jittered.

    Args:
        points: (batch, 470, 2) in [-1, 1], corners aligned.
        generator: of the jitter.

    Returns:
        (batch, 192, 192, 2) grid.
    """
    low, high = points.amin(dim=1), points.amax(dim=1)
    eyes = points[:, LEFT_EYE_CORNER] - points[:, RIGHT_EYE_CORNER]
    noise = (2 * torch.rand(len(points), 4, generator=generator) - 1).to(points.device)
    turn, grow, move = _JITTER
    angle = torch.atan2(eyes[:, 1], eyes[:, 0]) + turn * noise[:, 0]
    half = 0.75 * (high - low).amax(dim=1) * (1 + grow * noise[:, 1])
    centre = (low + high) / 2 + 2 * half[:, None] * move * noise[:, 2:]
    cosine, sine = half * torch.cos(angle), half * torch.sin(angle)
    rows = [torch.stack([cosine, -sine, centre[:, 0]], dim=1), torch.stack([sine, cosine, centre[:, 1]], dim=1)]
    affine = torch.stack(rows, dim=1)
    return functional.affine_grid(affine, [len(points), 3, MESH_SIDE, MESH_SIDE], align_corners=True)
