"""What the published families are trained on: perceptual reconstruction and equivariance, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engines.training.objective import Objective, Outcome, equivariance, halves, part_colours
from engines.training.perceptual import PerceptualLoss
from engines.training.transforms import Pyramid

if TYPE_CHECKING:
    from engines.families.base import PuppetModel
    from engines.training.config import TrainConfig
    from engines.training.pairs import Pairs


class SelfSupervisedObjective(Objective):
    """The losses of MCS, section 3.5, and of FOMM, section 3.3, with the cheaper perceptual network."""

    def __init__(self, model: PuppetModel, config: TrainConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config
        self.perceptual = PerceptualLoss()
        self.pyramid = Pyramid()
        self.rival = None

    def forward(self, batch: Pairs, step: int) -> Outcome:
        """Losses of one batch at a step of the run."""
        both = self.model.segment(torch.cat([batch.source, batch.driving]))
        source, driving = halves(both, len(batch.source))
        image = self.model.generate(self.model.encode(batch.source), source, driving)["image"]
        terms = {"perceptual": self.config.weights.perceptual * self._distance(image, batch.driving)}
        terms |= equivariance(self.model, batch.driving, driving, self.config, step=step)
        pictures = {"source": batch.source, "driving": batch.driving, "image": image.detach().float()}
        if driving.segmentation is not None:
            pictures["masks"] = part_colours(driving.segmentation).detach()
        loss = torch.stack(list(terms.values())).sum()
        return Outcome(loss, {name: term.detach() for name, term in terms.items()}, pictures)

    def _distance(self, image: Tensor, truth: Tensor) -> Tensor:
        """Perceptual distance summed over the scales of the pyramid."""
        total = image.new_zeros((), dtype=torch.float32)
        for ours, theirs in zip(self.pyramid(image.float()).values(), self.pyramid(truth).values(), strict=True):
            with torch.no_grad():
                wanted = self.perceptual.features(theirs)
            total = total + self.perceptual(ours, wanted)
        return total
