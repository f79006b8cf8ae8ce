"""What an evaluation found, as it is written to JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from engines.training.gestures import GESTURES
from engines.training.judge import FIGURES
from engines.training.metrics import mean, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

Masks = Literal["driving", "avatar"]
Figures = dict[str, float | None]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EvaluationOptions(_Frozen):
    """What is measured."""

    frames: int = Field(
        default=6, ge=1, description="frames of each clip for reconstruction, evenly taken, the first left out"
    )
    masks: Masks = Field(default="driving", description="part masks in reconstruction")
    pairs: int = Field(default=24, ge=0, description="driving clips with another person's portrait")
    pair_frames: int = Field(default=40, ge=3, description="frames of each such pair")
    embeddings: int = Field(default=8, ge=1, description="frames of each pair whose identity is measured")
    still_pairs: int = Field(default=4, ge=0, description="still frame pairs of each clip for flicker")
    seed: int = Field(default=0, description="of the choice of portraits")


class FrameResult(_Frozen):
    """One frame of a clip, driven from the clip's first frame."""

    index: int
    result: Figures | None = Field(description="None without a model")
    baseline: Figures = Field(description="of the first frame, copied")


class Flicker(_Frozen):
    """Change from frame to frame while the driver is still, mean difference in [0, 1]."""

    pairs: int
    result: float
    driver: float


class ClipResult(_Frozen):
    """Reconstruction of one clip."""

    clip: str
    identity: str
    frames: tuple[FrameResult, ...]
    flicker: Flicker | None = None

    def figures(self) -> Figures:
        """Mean over the frames."""
        return {name: mean([frame.result.get(name) for frame in self.frames if frame.result]) for name in FIGURES}

    def baseline(self) -> Figures:
        """The same of the first frame, copied."""
        return {name: mean([frame.baseline.get(name) for frame in self.frames]) for name in FIGURES}


class GestureAgreement(_Frozen):
    """How a gesture follows the driver's; None where the driver hardly makes it or no face was found."""

    correlation: float | None
    gain: float | None


class PairResult(_Frozen):
    """One clip driving another person's portrait in relative motion."""

    clip: str
    avatar: str
    masks: Masks
    frames: int
    missed: float | None = Field(description="share of frames whose result shows no face")
    aed: float | None = Field(description="identity distance to the portrait")
    gestures: dict[str, GestureAgreement]


class CrossSummary(_Frozen):
    """Mean over the pairs of one mask mode."""

    pairs: int
    missed: float | None
    aed: float | None
    correlation: Figures
    gain: Figures
    counted: dict[str, int] = Field(description="pairs whose driver makes the gesture")


class Summary(_Frozen):
    """Mean over the clips, each counted once."""

    result: Figures | None
    baseline: Figures
    ratio: Figures | None
    flicker_ratio: float | None = Field(description="change of the result over the driver's own, all clips together")
    cross: dict[Masks, CrossSummary]


class EvaluationResult(_Frozen):
    """The whole of `evaluation.json`."""

    model: str | None
    backend: str | None
    clips_folder: str
    options: EvaluationOptions
    seconds: float
    left_out: tuple[str, ...] = Field(description="metrics and files that could not be used, one sentence each")
    summary: Summary
    clips: tuple[ClipResult, ...]
    pairs: tuple[PairResult, ...]


def summarise(clips: Sequence[ClipResult], pairs: Sequence[PairResult]) -> Summary:
    """Mean over clips and pairs; a ratio is that of the means."""
    has_model = any(frame.result for clip in clips for frame in clip.frames)
    baseline = {name: mean([clip.baseline()[name] for clip in clips]) for name in FIGURES}
    result = {name: mean([clip.figures()[name] for clip in clips]) for name in FIGURES} if has_model else None
    flickers = [clip.flicker for clip in clips if clip.flicker]
    masks: tuple[Masks, ...] = ("driving", "avatar")
    return Summary(
        result=result,
        baseline=baseline,
        ratio={name: ratio(result[name], baseline[name]) for name in FIGURES} if result else None,
        flicker_ratio=ratio(sum(flicker.result for flicker in flickers), sum(flicker.driver for flicker in flickers)),
        cross={mode: _cross(found) for mode in masks if (found := [pair for pair in pairs if pair.masks == mode])},
    )


def _cross(pairs: list[PairResult]) -> CrossSummary:
    correlations = {name: [pair.gestures[name].correlation for pair in pairs] for name in GESTURES}
    return CrossSummary(
        pairs=len(pairs),
        missed=mean([pair.missed for pair in pairs]),
        aed=mean([pair.aed for pair in pairs]),
        correlation={name: mean(values) for name, values in correlations.items()},
        gain={name: mean([pair.gestures[name].gain for pair in pairs]) for name in GESTURES},
        counted={name: sum(value is not None for value in values) for name, values in correlations.items()},
    )
