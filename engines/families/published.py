"""Configurations as MCS and FOMM publish them, checked, and what of them a checkpoint's shapes tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

Shapes = Mapping[str, tuple[int, ...]]
"""The shape of every key of a state dict."""


class Params(BaseModel):
    """A section of a configuration; unknown keys are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HourglassParams(Params):
    """Of an hourglass and the anti-aliased picture it reads."""

    block_expansion: int = Field(ge=1)
    max_features: int = Field(ge=1)
    num_blocks: int = Field(ge=1, le=10)
    scale_factor: float = Field(1.0, gt=0, le=1)

    def check_size(self, size: int) -> None:
        """Raise ValueError unless pictures of this side can be halved in every block."""
        step = 2**self.num_blocks * round(1 / self.scale_factor)
        if size % step:
            raise ValueError(f"size {size} is not a multiple of {step}")


class ReaderParams(HourglassParams):
    """Of a network that finds parts: heatmaps are sharpened by a temperature."""

    temperature: float = Field(0.1, gt=0)


class AutoencoderParams(Params):
    """Of a generator's encoder and decoder."""

    block_expansion: int = Field(ge=1)
    max_features: int = Field(ge=1)
    num_down_blocks: int = Field(ge=0, le=10)
    num_bottleneck_blocks: int = Field(ge=0)


def hourglass_from_shapes(shapes: Shapes, prefix: str, *, down: str) -> dict[str, int | float]:
    """Parameters of the hourglass at `prefix` and of the anti-alias kernel `down`.

    Raises:
        KeyError: the keys of an hourglass are not there.
    """
    encoder = f"{prefix}.encoder.down_blocks"
    count = _count(shapes, encoder)
    widths = [shapes[f"{encoder}.{block}.conv.weight"][0] for block in range(count)]
    narrowest = shapes[f"{prefix}.decoder.up_blocks.{count - 1}.conv.weight"][0]
    return {
        "block_expansion": narrowest,
        "max_features": max(widths),
        "num_blocks": count,
        "scale_factor": _scale(shapes.get(f"{down}.weight")),
    }


def autoencoder_from_shapes(shapes: Shapes, prefix: str) -> dict[str, int]:
    """Parameters of the generator at `prefix`.

    Raises:
        KeyError: the keys of a generator are not there.
    """
    first = shapes[f"{prefix}.first.conv.weight"][0]
    count = _count(shapes, f"{prefix}.down_blocks")
    widths = [first, *(shapes[f"{prefix}.down_blocks.{block}.conv.weight"][0] for block in range(count))]
    return {
        "block_expansion": first,
        "max_features": max(widths),
        "num_down_blocks": count,
        "num_bottleneck_blocks": _count(shapes, f"{prefix}.bottleneck", letter="r"),
    }


def _count(shapes: Shapes, prefix: str, *, letter: str = "") -> int:
    pattern = re.compile(re.escape(f"{prefix}.{letter}") + r"(\d+)\.")
    return len({match[1] for key in shapes if (match := pattern.match(key))})


def _scale(kernel: tuple[int, ...] | None) -> float:
    """The kernel reaches round(4 (1 / scale - 1) / 2) pixels to each side; no kernel, no scaling."""
    if kernel is None:
        return 1.0
    return 1 / (1 + (kernel[-1] // 2) / 2)
