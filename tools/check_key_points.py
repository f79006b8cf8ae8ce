"""Key points of driven clips by dlib's 68 point predictor, which no training loss looks through.

tools/evaluate.py reads key points with the face mesh network; a model trained through that network pleases it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines.errors import EngineError
from engines.model_folder import ModelFolder
from engines.training.evaluation_set import ClipFile, EvaluationSet, evenly
from engines.training.landmarks68 import EYES, MOUTH, at_metric_size
from puppet.errors import PuppetError
from puppet.puppeteer import Puppeteer
from tools.evaluate import PuppeteerDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from engines.faces import Image

    Finder = Callable[[Image], NDArray[np.float64] | None]

PREDICTOR = "models/shape_predictor_68_face_landmarks.dat"
FEWEST = 8
"""Frames with both faces found, for a correlation over time."""
STILL = 0.008
"""A gesture whose standard deviation over time, in lengths of a face, is below this is none."""
_LIPS = ((61, 67), (62, 66), (63, 65))
_LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each model on the same frames; 0 if it went well, 2 if what was given cannot be used."""
    parser = argparse.ArgumentParser(prog="check_key_points", description=__doc__)
    parser.add_argument("--model", type=Path, nargs="+", required=True, help="model folders")
    parser.add_argument("--clips", type=Path, required=True, help="folder of square clips")
    parser.add_argument("--frames", type=int, default=6, help="frames of each clip")
    parser.add_argument("--pairs", type=int, default=24, help="clips that drive another's portrait")
    options = parser.parse_args(arguments)
    try:
        find = finder()
        files = EvaluationSet.read(options.clips, None, limit=None)
        print("model: frames, missed; AKD, mouth, eyes; across identities: mouth correlation (gain), eyes")
        for path in options.model:
            with Puppeteer(ModelFolder.read(path)) as puppeteer:
                driver = PuppeteerDriver(puppeteer)
                figures = [reconstruction(driver, files.clips, find, frames=options.frames)]
                figures.append(across(driver, files, find, pairs=options.pairs))
                print(f"{path}: {'; '.join(figures)}", flush=True)
    except (EngineError, PuppetError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def finder() -> Finder:
    """A function that gives (68, 2) points in pixels at 256, or None where dlib's own detector sees no face.

    Raises:
        EngineError: dlib or its predictor is not installed.
    """
    from importlib.util import find_spec

    package = find_spec("face_recognition_models")
    if find_spec("dlib") is None or package is None or package.origin is None:
        raise EngineError("dlib's predictor is missing; run: make evaluate-extra")
    import dlib

    detector: Any = dlib.get_frontal_face_detector()
    predictor: Any = dlib.shape_predictor(str(Path(package.origin).parent / PREDICTOR))

    def find(image: Image) -> NDArray[np.float64] | None:
        image = np.ascontiguousarray(at_metric_size(image))
        boxes = detector(image, 1)
        if not boxes:
            return None
        found = predictor(image, max(boxes, key=lambda box: box.area()))
        return np.array([(point.x, point.y) for point in found.parts()], np.float64)

    return find


def reconstruction(driver: PuppeteerDriver, clips: Sequence[ClipFile], find: Finder, *, frames: int) -> str:
    """Key point distances to the true frames, pixels at 256, each clip driving its own first frame."""
    distances, missed, count = [], 0, 0
    for clip in clips:
        pictures = clip.frames()
        driver.set_avatar(pictures[0])
        driver.set_first(pictures[0])
        for index in evenly(len(pictures), frames, first=False):
            truth = find(pictures[index])
            if truth is None:
                continue
            count += 1
            ours = find(driver.drive(pictures[index], relative=False, masks="driving"))
            if ours is None:
                missed += 1
                continue
            apart = np.linalg.norm(ours - truth, axis=1)
            distances.append((apart.mean(), apart[MOUTH].mean(), apart[EYES].mean()))
    means = np.mean(distances, axis=0)
    return f"{count}, {missed}; {means[0]:.2f}, {means[1]:.2f}, {means[2]:.2f}"


def across(driver: PuppeteerDriver, files: EvaluationSet, find: Finder, *, pairs: int) -> str:
    """Correlation over time, and gain, of another's portrait with its driver, by mouth and by eyes."""
    found: tuple[list[tuple[float, float]], ...] = ([], [])
    for clip, portrait in files.pairs(pairs, seed=0):
        pictures = clip.frames()
        pictures = [pictures[index] for index in evenly(len(pictures), 24, first=True)]
        driver.set_avatar(portrait.image())
        driver.set_first(pictures[0])
        both = [(find(picture), find(driver.drive(picture, relative=True, masks="avatar"))) for picture in pictures]
        seen = np.array([(*gaps(a), *gaps(b)) for a, b in both if a is not None and b is not None])
        if len(seen) < FEWEST:
            continue
        for kind, values in enumerate(found):
            theirs, ours = seen[:, kind], seen[:, kind + 2]
            if theirs.std() > STILL and ours.std() > 0:
                values.append((np.corrcoef(theirs, ours)[0, 1], np.polyfit(theirs, ours, 1)[0]))
    said = []
    for values in found:
        correlation, gain = np.mean(values, axis=0)
        said.append(f"{correlation:.2f} ({gain:.2f}, {len(values)} pairs)")
    return ", ".join(said)


def gaps(points: NDArray[np.float64]) -> tuple[float, float]:
    """How far mouth and eyes are open, in distances from the nose's root to the chin."""
    height = np.linalg.norm(points[27] - points[8])
    lips, lids = (np.mean([np.linalg.norm(points[a] - points[b]) for a, b in pairs]) for pairs in (_LIPS, _LIDS))
    return float(lips / height), float(lids / height)


if __name__ == "__main__":
    sys.exit(main())
