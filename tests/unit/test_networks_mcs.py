"""MCS gives the numbers of the reference."""

from __future__ import annotations

import pytest
import torch

from engines import families
from engines.families.base import PartMotion, PuppetModel
from tests.networks import configuration, reference, seeded_image, seeded_model, table

PICTURE = 1e-4
"""Float32 convolutions differ that much between machines."""
MOTION = 1e-5


@pytest.fixture(scope="module")
def numbers() -> dict[str, torch.Tensor]:
    return reference("mcs_small")


@pytest.fixture(scope="module")
def model() -> PuppetModel:
    return seeded_model("mcs")


def stored(numbers: dict[str, torch.Tensor], which: str) -> PartMotion:
    return PartMotion(numbers[f"{which}.shift"], numbers[f"{which}.affine"], numbers.get(f"{which}.segmentation"))


def close(actual: torch.Tensor, expected: torch.Tensor, tolerance: float) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(("which", "seed"), [("source", 1), ("driving", 2), ("initial", 3)])
def test_segmenter_reads_the_same_motion(
    model: PuppetModel, numbers: dict[str, torch.Tensor], which: str, seed: int
) -> None:
    motion = model.segment(seeded_image(seed))

    close(motion.shift, numbers[f"{which}.shift"], MOTION)
    close(motion.affine, numbers[f"{which}.affine"], MOTION)
    if which != "initial":
        assert motion.segmentation is not None
        close(motion.segmentation, numbers[f"{which}.segmentation"], MOTION)


@pytest.mark.parametrize(("align_corners", "suffix"), [(True, ""), (False, ".align_corners_false")])
def test_generator_paints_the_same_picture(numbers: dict[str, torch.Tensor], align_corners: bool, suffix: str) -> None:
    model = seeded_model("mcs", align_corners=align_corners)

    out = model.generate(model.encode(seeded_image(1)), stored(numbers, "source"), stored(numbers, "driving"))

    close(out["image"], numbers[f"absolute.prediction{suffix}"], PICTURE)
    close(out["visibility"], numbers["absolute.visibility"], PICTURE)


def test_generator_follows_relative_motion(model: PuppetModel, numbers: dict[str, torch.Tensor]) -> None:
    target = stored(numbers, "relative")._replace(segmentation=numbers["driving.segmentation"])

    out = model.generate(model.encode(seeded_image(1)), stored(numbers, "source"), target)

    close(out["image"], numbers["relative.prediction"], PICTURE)


@pytest.mark.parametrize(("key", "own"), [("swap.soft_target.1_3", False), ("swap.hard_source.1_3", True)])
def test_parts_are_swapped_the_same(model: PuppetModel, numbers: dict[str, torch.Tensor], key: str, own: bool) -> None:
    picture = model.swap(
        model.encode(seeded_image(1)),
        stored(numbers, "source"),
        stored(numbers, "driving"),
        driving_image=seeded_image(2),
        parts=torch.tensor([[0.0, 1.0, 0.0, 1.0, 0.0]]),
        hard=torch.tensor(own),
        source_mask=torch.tensor(own),
    )

    close(picture, numbers[key], PICTURE)


def test_without_visibility_the_features_are_not_dimmed(numbers: dict[str, torch.Tensor]) -> None:
    values = configuration("mcs", "small")
    values["reconstruction_module_params"] |= {"estimate_visibility": False}
    model = seeded_model("mcs", **values)
    still = stored(numbers, "source")

    out = model.generate(model.encode(seeded_image(1)), still, still)

    assert bool((out["visibility"] == 1).all())


def test_a_motion_without_masks_is_refused(model: PuppetModel, numbers: dict[str, torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="no segmentation"):
        model.generate(model.encode(seeded_image(1)), stored(numbers, "initial"), stored(numbers, "initial"))


@pytest.mark.parametrize("name", ["small", "vox-5", "vox-10", "vox-15"])
def test_keys_and_shapes_are_the_published_ones(name: str) -> None:
    with torch.device("meta"):
        model = families.build("mcs", configuration("mcs", name))

    assert {key: list(value.shape) for key, value in model.state_dict().items()} == table("mcs", name)["shapes"]
