"""Are mouth and eyes painted or photographed? Asked of a network that learns to tell, beside the model."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from engines.training.texture import cut_details

WIDTHS = (48, 96, 192)
LEAK = 0.2
KINDS = 3
"""Right eyes, left eyes and mouths, in this order."""


class Discriminator(nn.Module):
    """Patches to a map of scores, higher for photographs (patch discriminator, Isola et al., 2017).

    With instance norm it told held-out patches apart after 50 steps; with spectral norm not after 150.
    """

    def __init__(self) -> None:
        super().__init__()
        sizes = (3 + 1, *WIDTHS)  # the colours, and whether it is a mouth
        self.stages = nn.ModuleList(
            nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False) for inputs, outputs in itertools.pairwise(sizes)
        )
        self.score = nn.Conv2d(sizes[-1], 1, 3, 1, 1)

    def forward(self, patches: Tensor) -> list[Tensor]:
        """Features of each stage, then the scores, (n, 1, h / 8, w / 8), of (n, 4, h, w) patches."""
        x = patches
        found = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            x = functional.leaky_relu(functional.instance_norm(x) if index else x, LEAK)
            found.append(x)
        return [*found, self.score(x)]


class AdversarialLoss(nn.Module):
    """A hinge loss on upright patches of mouth and eyes, with feature matching (Lim and Ye, 2017; Wang et al., 2018).

    One backward pass trains both sides: the discriminator's term does not see where a result came from, and the
    model's terms see the discriminator's weights as constants.
    """

    def __init__(self) -> None:
        super().__init__()
        self.discriminator = Discriminator()

    def forward(self, result: Tensor, truth: Tensor, points: Tensor, known: Tensor) -> dict[str, Tensor]:
        """Terms by name; each 0 where no face is known.

        Args:
            result: (batch, 3, size, size) in [0, 1].
            truth: the same.
            points: (batch, 470, 2) mesh of the truth, in [-1, 1].
            known: (batch,) bool, where there is one.

        Returns:
            `discriminator`: sum of max(0, 1 - D(truth)) and max(0, 1 + D(result)), for its weights alone;
            `adversarial`: -D(result), and `matching`: mean |a - b| / mean |b| of D's features, for the model alone.
        """
        ours, theirs = (_kinded(cut_details(picture, points)) for picture in (result, truth))
        counts = known.to(result.device).float().repeat(KINDS)

        def mean(scores: Tensor) -> Tensor:
            return (scores.float().mean(dim=(1, 2, 3)) * counts).mean()

        real, false = self.discriminator(theirs), self.discriminator(ours.detach())
        judged = mean(functional.relu(1 - real[-1])) + mean(functional.relu(1 + false[-1]))
        weights = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        seen = functional_call(self.discriminator, weights, (ours,))
        matching = torch.stack(
            [
                mean((one.float() - other.detach().float()).abs()) / other.detach().float().abs().mean()
                for one, other in zip(seen[:-1], real[:-1], strict=True)
            ]
        ).sum()
        return {"discriminator": judged, "adversarial": -mean(seen[-1]), "matching": matching}


def _kinded(patches: Tensor) -> Tensor:
    """With a plane that is 1 in mouths."""
    count = len(patches) // KINDS
    plane = torch.zeros_like(patches[:, :1])
    plane[-count:] = 1
    return torch.cat([patches, plane], dim=1)
