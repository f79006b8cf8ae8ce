"""Puts a run together: networks, objective, batches and loop for a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engines import families
from engines.training.guidance import template
from engines.training.objective import GuidedObjective
from engines.training.pairs import PairSampler
from engines.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_fabric import Fabric

    from engines.families.base import PuppetModel
    from engines.training.cache import Cache
    from engines.training.config import TrainConfig
    from engines.training.objective import Objective
    from engines.training.trainer import Intervals


def trainer(
    config: TrainConfig, cache: Cache, *, run: Path, fabric: Fabric, intervals: Intervals | None = None
) -> Trainer:
    """A trainer with seeded fresh weights; call its `resume` to go on from the run folder.

    Raises:
        pydantic.ValidationError: the networks' configuration is not the family's.
        TrainingError: a package of the extra `train` is missing.
    """
    # Tiny activations turn into denormals, which CPUs handle a hundred times slower.
    torch.set_flush_denormal(True)
    torch.backends.cudnn.benchmark = True  # shapes stay the same
    torch.manual_seed(config.seed)
    model = families.build(config.family, config.network)
    sampler = PairSampler(cache, config, device=fabric.device)
    return Trainer(
        model,
        lambda networks: _objective(networks, config, cache),
        sampler,
        config=config,
        run=run,
        fabric=fabric,
        intervals=intervals,
    )


def _objective(model: PuppetModel, config: TrainConfig, cache: Cache) -> Objective:
    if config.family == "compact":
        mean_face = torch.from_numpy(template(cache.points[cache.scores > 0]))
        return GuidedObjective(model, config, mean_face=mean_face)
    from engines.training.self_supervised import SelfSupervisedObjective

    return SelfSupervisedObjective(model, config)
