"""FOMM gives the numbers of the reference."""

from __future__ import annotations

import pytest
import torch

from engines import families
from engines.families.base import PartMotion
from tests.networks import configuration, reference, seeded_image, seeded_model, table

PICTURE = 1e-4
"""Float32 convolutions differ that much between machines."""
MOTION = 1e-5


@pytest.fixture(scope="module")
def numbers() -> dict[str, torch.Tensor]:
    return reference("fomm_small")


def stored(numbers: dict[str, torch.Tensor], which: str) -> PartMotion:
    return PartMotion(numbers[f"{which}.value"], numbers[f"{which}.jacobian"], None)


def close(actual: torch.Tensor, expected: torch.Tensor, tolerance: float) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("which", "seed"), [("source", 1), ("driving", 2), ("initial", 3)])
def test_detector_finds_the_same_key_points(numbers: dict[str, torch.Tensor], which: str, seed: int) -> None:
    motion = seeded_model("fomm").segment(seeded_image(seed))

    close(motion.shift, numbers[f"{which}.value"], MOTION)
    close(motion.affine, numbers[f"{which}.jacobian"], MOTION)
    assert motion.segmentation is None


@pytest.mark.parametrize(("align_corners", "suffix"), [(True, ""), (False, ".align_corners_false")])
def test_generator_paints_the_same_picture(numbers: dict[str, torch.Tensor], align_corners: bool, suffix: str) -> None:
    model = seeded_model("fomm", align_corners=align_corners)

    out = model.generate(model.encode(seeded_image(1)), stored(numbers, "source"), stored(numbers, "driving"))

    close(out["image"], numbers[f"absolute.prediction{suffix}"], PICTURE)
    if align_corners:
        close(out["visibility"], numbers["absolute.occlusion"], PICTURE)
        close(out["masks"], numbers["absolute.mask"], PICTURE)


@pytest.mark.parametrize("mode", ["relative", "relative_adapted"])
def test_generator_follows_relative_motion(numbers: dict[str, torch.Tensor], mode: str) -> None:
    model = seeded_model("fomm")

    out = model.generate(model.encode(seeded_image(1)), stored(numbers, "source"), stored(numbers, mode))

    close(out["image"], numbers[f"{mode}.prediction"], PICTURE)


def test_there_are_no_parts_to_swap(numbers: dict[str, torch.Tensor]) -> None:
    model = seeded_model("fomm")
    image, motion, off = seeded_image(1), stored(numbers, "source"), torch.tensor(False)

    with pytest.raises(NotImplementedError, match="blends no features"):
        model.swap({}, motion, motion, driving_image=image, parts=torch.ones(1, 5), hard=off, source_mask=off)


@pytest.mark.parametrize("name", ["small", "vox"])
def test_keys_and_shapes_are_the_published_ones(name: str) -> None:
    with torch.device("meta"):
        model = families.build("fomm", configuration("fomm", name))

    assert {key: list(value.shape) for key, value in model.state_dict().items()} == table("fomm", name)["shapes"]
