"""What a step of training minimises, for the compact family and for the published ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.errors import TrainingError
from engines.families.base import PartMotion, PuppetModel
from engines.networks.compact_motion import carry_masks, part_maps
from engines.training.adversarial import AdversarialLoss
from engines.training.expression import ExpressionLoss
from engines.training.grain import grain_loss
from engines.training.guidance import ASIDE, GAZES, GUIDED, OPENINGS, attention, mask_prior, targets
from engines.training.likeness import LikenessLoss
from engines.training.perceptual import PerceptualLoss
from engines.training.selecting import at
from engines.training.texture import TextureLoss
from engines.training.transforms import Transform, equivariance_affine, equivariance_shift

if TYPE_CHECKING:
    from engines.training.config import TrainConfig
    from engines.training.pairs import Pairs

PRIOR_SHARE = 0.08
"""Share of the run in which masks are drawn to their prior."""
EQUIVARIANCE_STEPS = 4
"""Guided parts need the equivariance only now and then."""
PYRAMID = (1, 2, 4)


@dataclass(eq=False)
class Outcome:
    """Of one step."""

    loss: Tensor
    parts: dict[str, Tensor]
    """Each weighted term, detached."""
    pictures: dict[str, Tensor]
    """What the picture grid shows, (batch, 3 or 1, h, w), detached."""


class Objective(nn.Module):
    """Losses of a batch at a step, around the model that they train."""

    rival: nn.Module | None
    """Trained beside the model, against it."""


class GuidedObjective(Objective):
    """Reconstruction of the driving frame from the avatar, with parts guided by mesh points (compact family)."""

    mean_face: Tensor

    def __init__(self, model: PuppetModel, config: TrainConfig, *, mean_face: Tensor) -> None:
        super().__init__()
        self.model = model
        self.config = config
        pictorial = config.weights.perceptual + config.weights.perceptual_decoded
        self.perceptual = PerceptualLoss() if pictorial > 0 else None
        self.expression = ExpressionLoss()
        self.texture = TextureLoss() if config.weights.texture > 0 else None
        self.likeness = make_likeness(config)
        self.rival = AdversarialLoss() if config.weights.adversarial > 0 else None
        self.register_buffer("mean_face", mean_face, persistent=False)

    def forward(self, batch: Pairs, step: int) -> Outcome:
        """Losses of one batch at a step of the run."""
        done = self.config.done(step)
        weights = self.config.weights
        count = len(batch.source)
        both = self.model.segment(torch.cat([batch.source, batch.driving]))
        source, driving = halves(both, count)
        target, carried = self._target(source, driving, step)
        features = self.model.encode(batch.source)
        made = self.model.generate(features, source, target)
        weight = attention(batch.driving_points, batch.known, side=batch.driving.shape[-1], most=weights.attention)

        terms = {
            "reconstruction": weights.reconstruction * _pyramid_l1(made["image"], batch.driving, weight),
            "warped": weights.warped * max(0.25, 1 - 1.5 * done) * _l1(made["warped"], batch.driving, weight),
            "decoded": weights.decoded * _l1(made["decoded"], batch.driving, weight),
            "correction": weights.correction * made["correction"].abs().mean(),
        }
        if weights.grain > 0:
            terms["grain"] = weights.grain * grain_loss(made["image"], batch.driving)
        if self.perceptual is not None:
            terms |= self._perceptual(self.perceptual, made, batch.driving, weight)
        if self.texture is not None:
            terms |= self._textures(self.texture, made, batch, step)
        terms |= self._faces(made["image"], batch, step)
        terms |= self._guidance(batch, both, done)
        if step % EQUIVARIANCE_STEPS == 0 and both.shift.requires_grad:
            terms |= equivariance(self.model, batch.driving, driving, self.config, step=step)
        loss = torch.stack(list(terms.values())).sum()
        pictures = {
            "source": batch.source,
            "driving": batch.driving,
            **{name: made[name] for name in ("image", "warped", "decoded", "mask", "visibility")},
            "masks": part_colours(target.segmentation),
            "carried": part_colours(carried),
        }
        return Outcome(
            loss,
            {name: term.detach() for name, term in terms.items()},
            {name: picture.detach().float() for name, picture in pictures.items()},
        )

    def _target(self, source: PartMotion, driving: PartMotion, step: int) -> tuple[PartMotion, Tensor]:
        """Driving motion whose masks are, in some pairs, the avatar's own carried along, as live in `avatar` mode."""
        assert source.segmentation is not None
        assert driving.segmentation is not None
        matrix, offset = part_maps((source.shift, source.affine), (driving.shift, driving.affine))
        carried = carry_masks(source.segmentation, matrix, offset)
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        chosen = torch.rand(len(carried), generator=generator) < self.config.carried_masks
        masks = torch.where(chosen.to(carried.device)[:, None, None, None], carried, driving.segmentation)
        return PartMotion(driving.shift, driving.affine, masks), carried

    def _perceptual(
        self, loss: PerceptualLoss, made: dict[str, Tensor], truth: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        weights = self.config.weights
        with torch.no_grad():
            full = loss.features(truth)
            half = loss.features(functional.avg_pool2d(truth, 2))
        on_result = loss(made["image"], full, weight)
        on_result = on_result + loss(functional.avg_pool2d(made["image"], 2), half) / 3
        terms = {"perceptual": weights.perceptual * on_result}
        if weights.perceptual_decoded > 0:
            on_decoded = loss(made["decoded"], full, weight)
            terms["perceptual_decoded"] = weights.perceptual_decoded * on_decoded
        return terms

    def _faces(self, image: Tensor, batch: Pairs, step: int) -> dict[str, Tensor]:
        weights = self.config.weights
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        known = (batch.driving, batch.driving_points, batch.known)
        seen = self.expression(image, *known, generator=generator)
        terms = {
            "mesh": weights.mesh * seen["mesh"],
            "gaps": weights.gaps * seen["gaps"],
            "face": weights.face * seen["features"],
        }
        if self.likeness is not None:
            found = self.likeness(image, *known, generator=generator)
            terms["likeness"] = weights.likeness * found.likeness
            terms["traits"] = weights.traits * found.traits
        if self.rival is not None:
            judged = self.rival(image, *known)
            terms["discriminator"] = judged["discriminator"]
            terms["adversarial"] = weights.adversarial * judged["adversarial"]
            terms["matching"] = weights.adversarial * weights.matching * judged["matching"]
        return terms

    def _textures(self, loss: TextureLoss, made: dict[str, Tensor], batch: Pairs, step: int) -> dict[str, Tensor]:
        """The whole, a square, and mouth and eyes in turn; all at once and at full size if it shall be thorough."""
        weight = self.config.weights.texture
        points, truth = batch.driving_points, batch.driving
        if self.config.thorough:
            full = loss.distance(made["image"], truth)
            return {
                "texture_full": weight * full,
                "texture_whole": 0.75 * weight * loss.whole(made["image"], truth),
                "texture_details": 0.75 * weight * loss.details(made["image"], truth, points, batch.known),
                "texture_decoded": weight / 4 * loss.whole(made["decoded"], truth),
            }
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        if step % 3 == 0:
            return {"texture_whole": 3.6 * weight * loss.whole(made["image"], truth)}
        if step % 3 == 1:
            return {"texture": 3.6 * weight * loss.square(made["image"], truth, points, generator=generator)}
        return {"texture_details": 2.25 * weight * loss.details(made["image"], truth, points, batch.known)}

    def _guidance(self, batch: Pairs, both: PartMotion, done: float) -> dict[str, Tensor]:
        weights = self.config.weights
        points = torch.cat([batch.source_points, batch.driving_points])
        known = batch.known.to(points.device).repeat(2)[:, None, None].float()
        wanted = targets(points, self.mean_face)
        fade = max(weights.lasting, 1 - (1 - weights.lasting) * done / 0.6)
        share = known.mean().clamp_min(1e-3)
        shift = ((at(both.shift, GUIDED) - wanted.shift).abs() * known).mean() / share
        affine = ((at(both.affine, GUIDED) - wanted.affine).abs() * known[..., None]).mean() / share
        read = at(both.shift, GUIDED)
        opened = (_offsets(read, OPENINGS) - _offsets(wanted.shift, OPENINGS)).abs() * known
        aside = _offsets(wanted.shift, GAZES)
        rare = 1 + 4 * (aside.norm(dim=-1, keepdim=True) / ASIDE).clamp_max(2)
        looks = (_offsets(read, GAZES) - aside).abs() * rare * known
        terms = {
            "shift": weights.shift * fade * shift,
            "affine": weights.affine * fade * affine,
            "opening": weights.opening * opened.mean() / share,
            "gaze": weights.gaze * looks.mean() / share,
        }
        if done < PRIOR_SHARE:
            assert both.segmentation is not None
            prior = mask_prior(points, side=both.segmentation.shape[-1])
            drawn = -(prior * both.segmentation.clamp_min(1e-6).log()).sum(dim=1, keepdim=True) * known[..., None]
            terms["prior"] = weights.prior * (1 - done / PRIOR_SHARE) * drawn.mean() / share
        return terms


def equivariance(
    model: PuppetModel, picture: Tensor, read: PartMotion, config: TrainConfig, *, step: int
) -> dict[str, Tensor]:
    """Shifts and affines must follow a random affine and thin-plate transform of the picture (FOMM, Eq. 9 to 11).

    Args:
        model: whose segmenter is asked.
        picture: (batch, 3, size, size) in [0, 1].
        read: what the segmenter said of the picture.
        config: of the run; its seed and the step choose the transform.
        step: of the run.

    Returns:
        The weighted terms, by name.
    """
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    transform = Transform.random(len(picture), generator=generator, device=picture.device)
    moved = model.segment(transform.frame(picture))
    weight = config.weights.equivariance
    return {
        "equivariance_shift": weight * equivariance_shift(read.shift, moved.shift, transform),
        "equivariance_affine": weight * equivariance_affine(read.affine, moved.shift, moved.affine, transform),
    }


def halves(both: PartMotion, count: int) -> tuple[PartMotion, PartMotion]:
    """Motion of a batch of avatars followed by as many driving pictures, taken apart."""
    masks = (None, None) if both.segmentation is None else (both.segmentation[:count], both.segmentation[count:])
    first = PartMotion(both.shift[:count], both.affine[:count], masks[0])
    return first, PartMotion(both.shift[count:], both.affine[count:], masks[1])


def make_likeness(config: TrainConfig) -> LikenessLoss | None:
    """The loss of a configuration, None where it has no weight.

    Raises:
        TrainingError: it has a weight, but no network, or one that cannot be read.
    """
    if config.weights.likeness == config.weights.traits == 0:
        return None
    if not config.recognisers:
        raise TrainingError(
            "likeness and traits need face recognition networks; set `recognisers`, or both weights to 0"
        )
    return LikenessLoss(*map(Path, config.recognisers))


def _l1(result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    return ((result.float() - truth).abs() * weight).mean() / weight.mean()


def _pyramid_l1(result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    total = result.new_zeros(())
    for factor in PYRAMID:
        small = [functional.avg_pool2d(x, factor) if factor > 1 else x for x in (result, truth, weight)]
        total = total + _l1(*small)
    return total / len(PYRAMID)


def _offsets(shifts: Tensor, pairs: tuple[tuple[int, int], ...]) -> Tensor:
    """(batch, pairs, 2): from the second part of each pair to the first."""
    first, second = zip(*pairs, strict=True)
    return at(shifts, first) - at(shifts, second)


def part_colours(masks: Tensor | None) -> Tensor:
    """(batch, 3, h, w): every part in a colour of its own, the background black."""
    assert masks is not None
    hue = torch.arange(masks.shape[1] - 1, device=masks.device) * 2.399963  # golden angle
    palette = torch.stack([0.5 + 0.5 * torch.cos(hue + phase) for phase in (0.0, 2.1, 4.2)], dim=1)
    return torch.einsum("bkhw,kc->bchw", masks[:, 1:], palette)
