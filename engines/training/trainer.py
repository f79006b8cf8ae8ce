"""The loop: Lightning Fabric for devices and precision, checkpoints that survive a kill, exact resuming."""

from __future__ import annotations

import copy
import json
import math
import os
import time
from dataclasses import dataclass
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from engines.errors import TrainingError
from engines.training.config import TrainConfig
from engines.training.grid import picture_grid, save_picture
from engines.training.growth import begin_with

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lightning_fabric import Fabric
    from torch.utils.tensorboard import SummaryWriter

    from engines.families.base import PuppetModel
    from engines.training.objective import Objective, Outcome
    from engines.training.pairs import PairSampler

LOG_STEPS = 20
RIVAL_SHARE = 0.5
"""Of the model's learning rate, the discriminator's."""
RIVAL_BETAS = (0.5, 0.99)
STATE = "state.pt"
CONFIG = "config.json"


@dataclass(frozen=True)
class Progress:
    """Said after every step."""

    step: int
    steps: int
    seconds_per_step: float
    loss: float

    @property
    def seconds_left(self) -> float:
        """At the pace so far."""
        return (self.steps - self.step) * self.seconds_per_step


@dataclass(kw_only=True)
class Intervals:
    """How often things are written, seconds."""

    checkpoint_s: float = 120.0
    pictures_s: float = 300.0


class Trainer:
    """Trains one model in one run folder."""

    def __init__(
        self,
        model: PuppetModel,
        objective: Callable[[PuppetModel], Objective],
        sampler: PairSampler,
        *,
        config: TrainConfig,
        run: Path,
        fabric: Fabric,
        intervals: Intervals | None = None,
    ) -> None:
        self.config = config
        self.run = run
        self.fabric = fabric
        self.intervals = intervals or Intervals()
        self.sampler = sampler
        self.step = 0
        self._model = model
        if config.keep_statistics:
            keep_statistics(model)
        freeze(model, config.frozen)
        self._average = copy.deepcopy(model).requires_grad_(False)
        module = objective(model).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._rival = module.rival
        groups: list[dict[str, Any]] = [{"params": [p for p in model.parameters() if p.requires_grad]}]
        if self._rival is not None:
            groups.append({"params": list(self._rival.parameters()), "betas": RIVAL_BETAS})
        is_fused = fabric.device.type == "cuda"
        optimiser = torch.optim.Adam(groups, lr=config.learning_rate, betas=(0.9, 0.99), fused=is_fused)
        self._objective, self._optimiser = fabric.setup(module, optimiser)
        self._average.to(fabric.device)
        self._finite = torch.ones((), dtype=torch.bool, device=fabric.device)
        self._stop = False

    @property
    def average(self) -> PuppetModel:
        """The model with averaged weights, the one to keep."""
        return self._average

    def resume(self) -> bool:
        """Go on where the run folder's last checkpoint stands; false if there is none.

        Raises:
            TrainingError: the checkpoint cannot be read or belongs to other networks.
        """
        path = self.run / STATE
        if not path.exists():
            return False
        state = _read_state(path)
        try:
            self._model.load_state_dict(state["model"])
            self._average.load_state_dict(state["average"])
            if self._rival is not None:
                self._rival.load_state_dict(state["rival"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.step = int(state["step"])
        except (RuntimeError, KeyError, ValueError) as error:
            message = f"{path} belongs to other networks ({error}); start another run folder"
            raise TrainingError(message) from error
        return True

    def start_from(self, path: Path) -> None:
        """Begin with the weights of a file instead of fresh ones; see `begin_with`.

        Raises:
            TrainingError: the file cannot be read, or belongs to networks that do not fit.
        """
        begin_with(self._model, path)
        self._average.load_state_dict(self._model.state_dict())

    def stop(self) -> None:
        """End after the current step, with a checkpoint."""
        self._stop = True

    def fit(self, *, until: int | None = None, report: Callable[[Progress], None] | None = None) -> None:
        """Train to the last step, or to `until`; writes a checkpoint at the end and in between."""
        last = min(until or self.config.steps, self.config.steps)
        saved = drawn = time.monotonic()
        pace: float | None = None
        writer = self._writer()
        while self.step < last and not self._stop:
            started = time.monotonic()
            outcome = self._one_step()
            if writer is None:
                continue
            now = time.monotonic()
            pace = now - started if pace is None else 0.98 * pace + 0.02 * (now - started)
            if self.step % LOG_STEPS == 0 or self.step == last:
                for name, value in outcome.parts.items():
                    writer.add_scalar(f"loss/{name}", value.item(), self.step)
            if report is not None and self._is_looked_at():
                report(Progress(self.step, self.config.steps, pace, outcome.loss.item()))
            if now - drawn >= self.intervals.pictures_s or self.step == last:
                self._draw(outcome, writer)
                drawn = time.monotonic()
            if now - saved >= self.intervals.checkpoint_s:
                self.save()
                saved = time.monotonic()
        if writer is not None:
            writer.close()
            self.save()
        self.fabric.barrier()

    def save(self) -> None:
        """Write the whole state beside the last one, then put it in its place.

        Raises:
            TrainingError: the loss was not finite since the last one.
        """
        self._check_finite()
        self.run.mkdir(parents=True, exist_ok=True)
        state: dict[str, Any] = {
            "model": self._model.state_dict(),
            "average": self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
        }
        if self._rival is not None:
            state["rival"] = self._rival.state_dict()
        _replace(self.run / CONFIG, self.config.model_dump_json(indent=1).encode())
        unfinished = self.run / (STATE + ".part")
        torch.save(state, unfinished)
        os.replace(unfinished, self.run / STATE)

    def _one_step(self) -> Outcome:
        rate = learning_rate(self.config, self.step)
        for group, share in zip(self._optimiser.param_groups, (1.0, RIVAL_SHARE), strict=False):
            group["lr"] = rate * share
        batch = self.sampler.draw(self.step, rank=self.fabric.global_rank)
        outcome: Outcome = self._objective(batch, self.step)
        self._finite &= torch.isfinite(outcome.loss.detach())
        if self._is_looked_at():
            self._check_finite()
        self._optimiser.zero_grad(set_to_none=True)
        self.fabric.backward(outcome.loss)
        self.fabric.clip_gradients(
            self._objective, self._optimiser, max_norm=self.config.clip_norm, error_if_nonfinite=False
        )
        self._optimiser.step()
        self.step += 1
        self._follow()
        return outcome

    def _is_looked_at(self) -> bool:
        """Asking a GPU for a number lets it wait for the next step: there, not every step's is asked for."""
        return self.fabric.device.type == "cpu" or self.step % LOG_STEPS == 0

    def _check_finite(self) -> None:
        if not self._finite:
            raise TrainingError(
                f"the loss is not finite at step {self.step}, or some steps before; "
                f"resume from {self.run / STATE} with a lower learning rate"
            )

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the averaged weights and statistics towards the current ones."""
        decay = min(self.config.average, (1 + self.step) / (10 + self.step))
        current, average = self._model.state_dict(), self._average.state_dict()
        moving = [name for name, value in average.items() if value.is_floating_point()]
        torch._foreach_lerp_([average[name] for name in moving], [current[name] for name in moving], 1 - decay)
        for name in average.keys() - moving:
            average[name].copy_(current[name])

    def _draw(self, outcome: Outcome, writer: SummaryWriter) -> None:
        grid = picture_grid(outcome.pictures)
        writer.add_image("pictures", grid, self.step, dataformats="HWC")
        save_picture(grid, self.run / "pictures" / f"{self.step:07d}.png")

    def _writer(self) -> SummaryWriter | None:
        """TensorBoard's log, on the first process only."""
        if not self.fabric.is_global_zero:
            return None
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(self.run / "log"))


def keep_statistics(model: nn.Module) -> None:
    """Let batch norms normalise by what they have gathered, and gather no more."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def freeze(model: nn.Module, networks: Sequence[str]) -> None:
    """Let networks of a model stay as they are.

    Raises:
        TrainingError: the model has no such network.
    """
    parts = dict(model.named_children())
    for name in networks:
        if name not in parts:
            raise TrainingError(f"there is no network {name} to be frozen; choose from {', '.join(parts)}")
        keep_statistics(parts[name].requires_grad_(False))


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then half a cosine down to the final rate."""
    if step < config.warm_up:
        return config.learning_rate * (step + 1) / config.warm_up
    done = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    wave = 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
    return config.final_learning_rate + (config.learning_rate - config.final_learning_rate) * wave


def read_config(run: Path) -> TrainConfig:
    """The configuration of a run folder.

    Raises:
        TrainingError: there is none, or it is broken.
    """
    path = run / CONFIG
    try:
        return TrainConfig.model_validate(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read ({error}); name a folder that tools/train.py made") from error


def read_average(run: Path) -> dict[str, Tensor]:
    """Averaged weights of a run folder's last checkpoint.

    Raises:
        TrainingError: there is none, or it is broken.
    """
    weights: dict[str, Tensor] = _read_state(run / STATE)["average"]
    return weights


def _read_state(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it is cut off"
        raise TrainingError(f"{path} cannot be read ({reason}); name a folder that tools/train.py made") from error
    return state


def _replace(path: Path, content: bytes) -> None:
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)
