"""Inputs to compare engines on: seeded pictures and real ones, and what the model's own graphs make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.backends.base import BackendSettings
from engines.backends.onnxrt import OnnxRuntimeBackend
from engines.building.carrying import with_carrying
from engines.engine_spec import CARRY_MASKS, TARGET_MASKS
from engines.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engines.model_folder import ModelFolder
    from engines.spec import RoleName

Feed = dict[str, NDArray[Any]]

SEEDS = (1, 2)
"""Of smooth pictures that are the same everywhere."""
SETTINGS = BackendSettings()


def pictures(model: ModelFolder, files: Sequence[Path]) -> list[NDArray[np.uint8]]:
    """Two seeded pictures, then the files' middle squares, each uint8 (1, S, S, 3) RGB at the model's size.

    Raises:
        BuildError: a file is no picture.
    """
    size = model.spec.size
    return [*(_seeded(size, seed) for seed in SEEDS), *(_read(file, size) for file in files)]


def feeds(model: ModelFolder, role: RoleName, images: Sequence[NDArray[np.uint8]]) -> list[Feed]:
    """Inputs of a role's engine, one for each picture, from the model's own graphs in ONNX Runtime.

    Roles that paint are given the first picture as the avatar of the second, and so on around; masks are given and
    carried along in turn.
    """
    if role in ("segmenter", "encoder"):
        return [{"image": image} for image in images]
    backend = OnnxRuntimeBackend()
    with backend.load(model, "segmenter", SETTINGS) as segmenter:
        motions = [_copied(segmenter.run({"image": image})) for image in images]
    with backend.load(model, "encoder", SETTINGS) as encoder:
        features = [_copied(encoder.run({"image": image})) for image in images]
    found = []
    for index, image in enumerate(images):
        target = motions[(index + 1) % len(images)]
        feed = {**features[index], **_named("source", motions[index]), **_named("target", target)}
        if role == "swapper":
            parts = (np.arange(model.spec.parts + 1) % 2).astype(np.float32)[None]
            feed |= {"driving_image": image, "parts": parts, "hard": np.array(False), "source_mask": np.array(True)}
        if any(each.name == CARRY_MASKS for each in with_carrying(model.spec.roles[role]).inputs):
            feed[CARRY_MASKS] = np.array(index % 2 == 1)
        found.append(feed)
    return found


def for_engine(feed: Feed) -> Feed:
    """What a `TrtEngine` is given for a feed: masks that it shall carry along are left out."""
    is_carrying = bool(feed.get(CARRY_MASKS, False))
    left_out = {CARRY_MASKS, TARGET_MASKS} if is_carrying else {CARRY_MASKS}
    return {name: value for name, value in feed.items() if name not in left_out}


def _named(side: str, motion: Feed) -> Feed:
    return {f"{side}_{name}": value for name, value in motion.items()}


def _copied(outputs: Feed) -> Feed:
    return {name: value.copy() for name, value in outputs.items()}


def _seeded(size: int, seed: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    small = rng.uniform(0, 255, (9, 9, 3)).astype(np.float32)
    large = cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(large), 0, 255).astype(np.uint8)[None]


def _read(file: Path, size: int) -> NDArray[np.uint8]:
    try:
        coded = np.frombuffer(file.read_bytes(), np.uint8)
    except OSError as error:
        raise BuildError(f"{file} cannot be read ({error.strerror}); name another picture with --pictures") from error
    image = cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB) if coded.size else None
    if image is None:
        raise BuildError(f"{file} is no picture; name another one with --pictures")
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    square = np.ascontiguousarray(image[top : top + side, left : left + side])
    return np.asarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA), np.uint8)[None]
