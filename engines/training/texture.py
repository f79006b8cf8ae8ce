"""Perceptual distance on VGG16's features: of the whole at half size, of a random square, of mouth and eyes.

Each is at most a quarter of the whole picture's pixels: VGG is dear.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import TrainingError
from engines.training.perceptual_metric import headed, read_heads, read_trunk, unit, why_unavailable
from engines.training.selecting import at, rows_with_face

SIDE = 128
"""Of the squares, pixels."""
SPREAD = 0.5
"""Standard deviation of a square's middle about the face's, in half sides of the picture."""

DETAIL_SIDE = 64
"""Of the patches of mouth and eyes, pixels."""
COLOUR_SIDE = 4
"""Pixels of a patch whose mean colour is compared."""
COLOUR = 10.0
"""Weight of the colours beside the features, which hardly tell a mouth's red from grey."""
HEADED = 10.0
"""Weight of LPIPS's linear heads on the features, beside their plain distance."""
_EYES = ((33, 133), (362, 263))
_MOUTH = (61, 291, 0, 17)
_EYE_SHARE, _MOUTH_SHARE = 0.55, 0.8
"""Sides of the patches over the distance of the eyes' outer corners."""


class TextureLoss(nn.Module):
    """Distance of VGG16's features of result and truth.

    Sum over the blocks of mean |a - b| / mean |b| (Johnson et al., 2016) and of LPIPS (Zhang et al., 2018).
    """

    def __init__(self) -> None:
        """Load the trunk.

        Raises:
            TrainingError: a package with weights is missing.
        """
        super().__init__()
        reason = why_unavailable()
        if reason is not None:
            raise TrainingError(f"the texture loss needs VGG16: {reason.partition(': ')[2]}, or set its weight to 0")
        self.trunk = read_trunk().requires_grad_(False)
        for index, head in enumerate(read_heads()):
            self.register_buffer(f"head_{index}", head, persistent=False)

    def whole(self, result: Tensor, truth: Tensor) -> Tensor:
        """Compare (batch, 3, size, size) pictures in [0, 1] at half size."""
        return self.distance(functional.avg_pool2d(result, 2), functional.avg_pool2d(truth, 2))

    def square(self, result: Tensor, truth: Tensor, points: Tensor, *, generator: torch.Generator) -> Tensor:
        """Compare a square near the face.

        Args:
            result: (batch, 3, size, size) in [0, 1].
            truth: the same.
            points: (batch, 470, 2) in [-1, 1], all 0 where no mesh is known.
            generator: of the places.
        """
        size = truth.shape[-1]
        side = min(SIDE, size)
        middle = points.mean(dim=1).cpu() + SPREAD * torch.randn(len(points), 2, generator=generator)
        corner = ((middle.clamp(-1, 1) + 1) / 2 * size - side / 2).round().long().clamp(0, size - side).tolist()

        def squares(pictures: Tensor) -> Tensor:
            cut = [picture[:, y : y + side, x : x + side] for picture, (x, y) in zip(pictures, corner, strict=True)]
            return torch.stack(cut).contiguous(memory_format=torch.channels_last)

        return self.distance(squares(result), squares(truth))

    def details(self, result: Tensor, truth: Tensor, points: Tensor, known: Tensor) -> Tensor:
        """Compare mouth and eyes, upright and as large as a patch; 0 where no face is known.

        Args:
            result: (batch, 3, size, size) in [0, 1].
            truth: the same.
            points: (batch, 470, 2) mesh of the truth, in [-1, 1].
            known: (batch,) bool, where there is one.
        """
        rows = rows_with_face(known)
        if rows is None:
            return result.new_zeros((), dtype=torch.float32)
        ours, theirs = (cut_details(picture[rows], points[rows]) for picture in (result, truth))
        colours = [functional.avg_pool2d(each, COLOUR_SIDE) for each in (ours, theirs)]
        off = (colours[0] - colours[1]).abs().mean() / colours[1].mean().clamp_min(1e-3)
        return known.float().mean() * (self.distance(ours, theirs) + COLOUR * off)

    def distance(self, result: Tensor, truth: Tensor) -> Tensor:
        """Compare (batch, 3, h, w) pictures in [0, 1] as they are."""
        with torch.no_grad():
            wanted = self.trunk(truth)
        total = result.new_zeros((), dtype=torch.float32)
        for index, (ours, theirs) in enumerate(zip(self.trunk(result), wanted, strict=True)):
            total = total + (ours.float() - theirs.float()).abs().mean() / theirs.float().abs().mean()
            total = total + HEADED * headed(unit(ours), unit(theirs), self.get_buffer(f"head_{index}"))
        return total


def cut_details(pictures: Tensor, points: Tensor) -> Tensor:
    """Right eyes, left eyes and mouths, each upright and as large as a patch.

    Args:
        pictures: (batch, 3, size, size).
        points: (batch, 470, 2) mesh, in [-1, 1].

    Returns:
        (3 x batch, 3, 64, 64) float32; all right eyes first.
    """
    grid = patches(points)
    each = pictures.float().repeat(len(grid) // len(pictures), 1, 1, 1)
    found = functional.grid_sample(each, grid, padding_mode="border", align_corners=True)
    return found.contiguous(memory_format=torch.channels_last)


def patches(points: Tensor) -> Tensor:
    """Where right eye, left eye and mouth are looked up, upright by the eye line.

    Args:
        points: (batch, 470, 2) in [-1, 1], corners aligned.

    Returns:
        (3 x batch, 64, 64, 2) grid; all right eyes first.
    """
    across = points[:, _EYES[1][1]] - points[:, _EYES[0][0]]
    middles = [at(points, group).mean(dim=1) for group in (*_EYES, _MOUTH)]
    grids = []
    for middle, share in zip(middles, (_EYE_SHARE, _EYE_SHARE, _MOUTH_SHARE), strict=True):
        cosine, sine = (share / 2 * across).unbind(dim=1)
        rows = [torch.stack([cosine, -sine, middle[:, 0]], dim=1), torch.stack([sine, cosine, middle[:, 1]], dim=1)]
        size = [len(points), 3, DETAIL_SIDE, DETAIL_SIDE]
        grids.append(functional.affine_grid(torch.stack(rows, dim=1), size, align_corners=True))
    return torch.cat(grids)
