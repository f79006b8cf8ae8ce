"""Drives clips and portraits with a model and measures the pictures; what drives is handed in."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

import cv2
import numpy as np

from engines.errors import TrainingError
from engines.training import identity
from engines.training.evaluation_set import evenly
from engines.training.gestures import GESTURES, Gesture, gesture
from engines.training.landmarks68 import at_metric_size
from engines.training.metrics import agreement, l1, mean, still_pairs
from engines.training.results import (
    ClipResult,
    EvaluationOptions,
    EvaluationResult,
    Flicker,
    FrameResult,
    GestureAgreement,
    Masks,
    PairResult,
    summarise,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engines.faces import Image, Mesh
    from engines.training.evaluation_set import ClipFile, EvaluationSet, PortraitFile
    from engines.training.judge import Judge, Look

_JPEG_QUALITY = 92
_MASKS: tuple[Masks, ...] = ("driving", "avatar")
_T = TypeVar("_T")


class Driver(Protocol):
    """A model at work, as far as an evaluation needs it."""

    def set_avatar(self, image: Image) -> None:
        """Take the picture to be driven, uint8 (256, 256, 3) RGB.

        Raises:
            TrainingError: the model cannot use it.
        """

    def set_first(self, image: Image) -> None:
        """Take the frame from which relative motion counts.

        Raises:
            TrainingError: the model cannot use it.
        """

    def drive(self, image: Image, *, relative: bool, masks: Masks) -> Image:
        """The avatar moved like a frame, uint8 (S, S, 3) RGB."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One frame's pictures for the report, as JPEG at 256 pixels."""

    clip: str
    title: str
    driving: bytes
    result: bytes
    avatar: bytes
    akd: float | None
    """To the true frame, pixels; None where the result shows no face, and in cross-identity samples."""
    is_cross: bool


@dataclass
class Evaluation:
    """Runs the measurements and gathers the samples for the report."""

    judge: Judge
    options: EvaluationOptions
    driver: Driver | None = None
    """None measures the baseline alone."""
    done: Callable[[str], None] = lambda _: None
    """Called with the name of each clip and pair when it is done."""
    samples: list[Sample] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """One sentence for everything that could not be measured."""

    def run(self, files: EvaluationSet, *, model: str | None, backend: str | None, folder: str) -> EvaluationResult:
        """Measure everything.

        Args:
            files: clips and portraits.
            model: its name, for the record.
            backend: what runs it, for the record.
            folder: of the clips, for the record.

        Raises:
            TrainingError: no clip could be used.
        """
        started = time.perf_counter()
        clips = [result for clip in files.clips if (result := self._tried(clip.name, self.clip, clip))]
        if not clips:
            raise TrainingError(f"no clip of {folder} could be measured: {' '.join(self.left_out)}")
        pairs: list[PairResult] = []
        if self.driver:
            for clip, portrait in files.pairs(self.options.pairs, seed=self.options.seed):
                pairs += self._tried(f"{clip.name} > {portrait.name}", self.pair, clip, portrait) or []
        return EvaluationResult(
            model=model,
            backend=backend,
            clips_folder=folder,
            options=self.options,
            seconds=time.perf_counter() - started,
            left_out=tuple(self.left_out),
            summary=summarise(clips, pairs),
            clips=tuple(clips),
            pairs=tuple(pairs),
        )

    def clip(self, file: ClipFile) -> ClipResult:
        """Reconstruct a clip from its first frame in absolute motion, and copy that frame for comparison.

        Raises:
            TrainingError: the clip cannot be read, or the model cannot use its first frame.
        """
        frames = file.frames()
        self._set(avatar=frames[0], first=frames[0])
        first = self.judge.look(frames[0])
        measured = []
        for index in evenly(len(frames), self.options.frames, first=False):
            truth = self.judge.look(frames[index])
            result = None
            if self.driver:
                look = self.judge.look(self._reconstructed(self.driver, frames[index]))
                result = self.judge.compare(truth, look)
                sample = (frames[index], look.image, frames[0])
                self._keep(file, f"{file.name}, frame {index}", sample, akd=result["akd"], is_cross=False)
            measured.append(FrameResult(index=index, result=result, baseline=self.judge.compare(truth, first)))
        flicker = self._flicker(self.driver, frames) if self.driver and self.options.still_pairs else None
        return ClipResult(clip=file.name, identity=file.identity, frames=tuple(measured), flicker=flicker)

    def pair(self, clip: ClipFile, portrait: PortraitFile) -> list[PairResult]:
        """Drive another person's portrait in relative motion, with either kind of masks.

        Raises:
            TrainingError: a file cannot be read, or the model cannot use the portrait.
        """
        assert self.driver is not None
        frames, avatar = clip.frames(), portrait.image()
        frames = [frames[index] for index in evenly(len(frames), self.options.pair_frames, first=True)]
        driving = [self.judge.mesh(frame) for frame in frames]
        person = self.judge.look(avatar, perceive=False)
        self._set(avatar=avatar, first=frames[0])
        embedded = set(evenly(len(frames), self.options.embeddings, first=True))
        middle = len(frames) // 2
        results = []
        for masks in _MASKS:
            looks = [
                self.judge.look(
                    self.driver.drive(frame, relative=True, masks=masks), embed=index in embedded, perceive=False
                )
                for index, frame in enumerate(frames)
            ]
            sample = (frames[middle], looks[middle].image, avatar)
            title = f"{clip.name} drives {portrait.name}, {masks} masks"
            self._keep(clip, title, sample, akd=None, is_cross=True)
            missed, aed, gestures = _kept(person, driving, looks)
            results.append(
                PairResult(
                    clip=clip.name,
                    avatar=portrait.name,
                    masks=masks,
                    frames=len(frames),
                    missed=missed,
                    aed=aed,
                    gestures=gestures,
                )
            )
        return results

    def _set(self, *, avatar: Image, first: Image) -> None:
        if self.driver:
            self.driver.set_avatar(avatar)
            self.driver.set_first(first)

    def _reconstructed(self, driver: Driver, image: Image) -> Image:
        return at_metric_size(driver.drive(image, relative=False, masks=self.options.masks))

    def _flicker(self, driver: Driver, frames: Sequence[Image]) -> Flicker | None:
        still = still_pairs(frames, self.judge.mesh, limit=self.options.still_pairs)
        if not still:
            return None
        changes = [
            l1(self._reconstructed(driver, frames[t]), self._reconstructed(driver, frames[t + 1])) for t in still
        ]
        own = [l1(frames[t], frames[t + 1]) for t in still]
        return Flicker(pairs=len(still), result=float(np.mean(changes)), driver=float(np.mean(own)))

    def _keep(
        self,
        clip: ClipFile,
        title: str,
        pictures: tuple[Image, Image, Image],
        *,
        akd: float | None,
        is_cross: bool,
    ) -> None:
        driving, result, avatar = (_jpeg(at_metric_size(picture)) for picture in pictures)
        self.samples.append(Sample(clip.name, title, driving, result, avatar, akd, is_cross))

    def _tried(self, name: str, measure: Callable[..., _T], *arguments: object) -> _T | None:
        """One file that cannot be used is named and left out; the others still count."""
        try:
            return measure(*arguments)
        except TrainingError as error:
            self.left_out.append(str(error))
            return None
        finally:
            self.done(name)


def _kept(
    person: Look, driving: Sequence[Mesh | None], looks: Sequence[Look]
) -> tuple[float | None, float | None, dict[str, GestureAgreement]]:
    """Share of missed faces, identity distance to the portrait, and agreement of the gestures."""
    both = [(wanted, look.mesh) for wanted, look in zip(driving, looks, strict=True) if wanted and look.mesh]
    found = agreement(_gestures([wanted for wanted, _ in both]), _gestures([got for _, got in both]))
    gestures = {
        name: GestureAgreement(correlation=value.correlation if value else None, gain=value.gain if value else None)
        for name, value in ((name, found[name]) for name in GESTURES)
    }
    missed = mean([float(look.mesh is None) for wanted, look in zip(driving, looks, strict=True) if wanted])
    embeddings = [look.embedding for look in looks if look.embedding is not None]
    own = person.embedding
    aed = mean([identity.distance(own, other) for other in embeddings]) if own is not None else None
    return missed, aed, gestures


def _gestures(meshes: Sequence[Mesh]) -> list[Gesture]:
    return [gesture(mesh, meshes[0]) for mesh in meshes]


def _jpeg(image: Image) -> bytes:
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert done
    return data.tobytes()
