"""Measures the filter of the live program: how far trembling falls at rest, and how far movements lag behind."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engines.errors import EngineError
from engines.model_folder import BUNDLED, ModelFolder
from puppet import images
from puppet.errors import PuppetError
from puppet.puppeteer import Puppeteer
from puppet.smoothing import Smoother
from puppet.sources.video_file import VideoFile
from puppet.types import Motion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Values = NDArray[Any]
    """(frames, parts, 6): shift, then affine, row by row."""

PARTS, RATE = 17, 30
SHIFT_NOISE, AFFINE_NOISE = 0.0015, 0.004
"""Standard deviations: over twice of what `--clips` finds for a sensor's noise."""
SENSOR_NOISE = 4.0
"""Standard deviation of a webcam's noise indoors, levels of 255."""
QUICK = 0.5
"""Speed of the head, units a second, above which a clip's frame counts as a movement."""
MOST = 3.0
"""Frames of delay that are tried."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 if it went well, 2 if what was given cannot be used."""
    parser = argparse.ArgumentParser(prog="check_smoothing", description=__doc__)
    parser.add_argument("--clips", type=Path, nargs="*", default=[], metavar="CLIP", help="square clips of real faces")
    parser.add_argument("--model", type=Path, default=BUNDLED, help="model folder that reads them")
    parser.add_argument("--amounts", type=float, nargs="+", default=[0.2, 0.5, 1.0], help="of smoothing")
    options = parser.parse_args(arguments)
    try:
        for amount in options.amounts:
            print(f"smoothing {amount:g}: {_synthetic(amount)}", flush=True)
        if options.clips:
            with Puppeteer(ModelFolder.read(options.model)) as puppeteer:
                for path in options.clips:
                    _report_clip(path, puppeteer, options.amounts)
    except (EngineError, PuppetError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def smoothed(values: Values, amount: float, *, rate: float = RATE) -> Values:
    """What the filter makes of a trajectory."""
    smoother, found = Smoother(), []
    for index, row in enumerate(values.astype(np.float32)):
        motion = smoother.smooth(Motion(row[:, :2], row[:, 2:].reshape(-1, 2, 2)), 1 + index / rate, amount)
        found.append(np.concatenate([motion.shift, motion.affine.reshape(-1, 4)], axis=1))
    return np.array(found)


def noise(frames: int, rng: np.random.Generator) -> Values:
    """Trembling around nothing, each part by itself."""
    sizes = np.array([SHIFT_NOISE] * 2 + [AFFINE_NOISE] * 4)
    return rng.normal(0, 1, (frames, PARTS, 6)) * sizes


def turn(frames: int, *, seconds: float, way: float) -> Values:
    """From rest to rest as muscles do it (least jerk), (frames,); it begins after a second."""
    passed = np.clip((np.arange(frames) / RATE - 1) / seconds, 0, 1)
    return way * (10 * passed**3 - 15 * passed**4 + 6 * passed**5)


def delay(true: Values, followed: Values) -> float:
    """Frames by which one trajectory, (frames,), is behind the other."""
    times = np.arange(len(true))
    tried = np.linspace(0, MOST, 151)
    errors = [np.square(np.interp(times - late, times, true) - followed).sum() for late in tried]
    return float(tried[int(np.argmin(errors))])


def _synthetic(amount: float) -> str:
    rng = np.random.default_rng(0)
    trembling = noise(10 * RATE, rng)
    figures = [f"at rest, tremor {_falls(trembling, smoothed(trembling, amount))}"]
    for seconds, way in ((0.3, 0.5), (0.5, 0.5), (0.5, 0.15)):
        true = turn(3 * RATE, seconds=seconds, way=way)
        driven = noise(3 * RATE, rng)
        driven[:, :, 0] += true[:, None]
        followed = smoothed(driven, amount)
        late = float(np.mean([delay(true, followed[:, part, 0]) for part in range(PARTS)]))
        figures.append(f"{way:g} units in {seconds:g} s lag {late:.2f} frames")
    return "; ".join(figures)


def _falls(before: Values, after: Values) -> str:
    """By how much the standard deviation falls, of shifts and affines."""
    ratios = []
    for columns in (slice(2), slice(2, 6)):
        first, second = (float(np.std(each[RATE:, :, columns], axis=0).mean()) for each in (before, after))
        ratios.append(f"1/{first / second:.1f}" if second > first / 1000 else "0")
    return f"x {ratios[0]} (shifts), x {ratios[1]} (affines)"


def _report_clip(path: Path, puppeteer: Puppeteer, amounts: Sequence[float]) -> None:
    video = VideoFile(path)
    rate = float(video.clip.rate)
    side = puppeteer.size
    frames = [images.resize(frame.image, width=side, height=side) for frame in video.frames()]
    moving = np.array([_values(puppeteer.read(frame)) for frame in frames])
    rng = np.random.default_rng(0)
    still = np.clip(frames[0] + rng.normal(0, SENSOR_NOISE, (3 * RATE, *frames[0].shape)), 0, 255)
    resting = np.array([_values(puppeteer.read(frame.astype(np.uint8))) for frame in still])
    print(f"{path.name}: shifts tremble by {np.std(resting[..., :2], axis=0).mean():.5f}")
    for amount in amounts:
        calm = smoothed(resting, amount)
        late = _lag(moving, smoothed(moving, amount, rate=rate), rate)
        print(f"  smoothing {amount:g}: its first frame in a sensor's noise, tremor {_falls(resting, calm)}; {late}")


def _values(motion: Motion) -> Values:
    return np.concatenate([motion.shift, motion.affine.reshape(-1, 4)], axis=1)


def _lag(moving: Values, followed: Values, rate: float) -> str:
    """How far the middle of the parts is behind while it is quick, along its own way."""
    head, behind = moving[:, :, :2].mean(axis=1), (moving - followed)[:, :, :2].mean(axis=1)
    step = np.gradient(head, axis=0)
    is_quick = np.linalg.norm(step, axis=1) * rate > QUICK
    if is_quick.sum() < 3:
        return "no quick movement in it"
    lag = float((step * behind)[is_quick].sum() / np.square(step[is_quick]).sum())
    return f"its quick movements lag {lag:.2f} frames"


if __name__ == "__main__":
    sys.exit(main())
