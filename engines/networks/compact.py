"""Networks of the compact family: a thin segmenter, motion blending with a learnt correction, a warping U-Net.

The outputs of the segmenter are those of co-part segmentation (MCS); the generator warps a cached feature pyramid and
the avatar's own pixels along one deformation and blends them with a decoded picture. Convolutions are plain 3x3, which
beat depthwise ones on CPUs. Every batch norm follows a convolution, so that all of them fold. Only the last blend runs
at full size.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.networks.compact_motion import resized
from engines.networks.layers import heatmap_mean, spatial_softmax

MAP_SIDE = 64
"""Side of heatmaps, masks and the deformation, whatever the picture's size."""

TEMPERATURE = 0.1

IRIS_FEATURES = 16


class ConvBlock(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class ResBlock(nn.Module):
    """Two convolutions with norm, added to the input; ReLU after the sum, so that both norms fold."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = ConvBlock(features, features)
        self.second = nn.Conv2d(features, features, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(features)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features, h, w) to the same shape."""
        return torch.relu(x + self.norm(self.second(self.first(x))))


class IrisReader(nn.Module):
    """Heatmaps of the irises, off the picture itself and what the segmenter made of it."""

    def __init__(self, *, features: int, irises: int) -> None:
        super().__init__()
        self.fine = nn.Sequential(ConvBlock(3, IRIS_FEATURES), ConvBlock(IRIS_FEATURES, IRIS_FEATURES, stride=2))
        self.layers = nn.Sequential(
            ConvBlock(features + IRIS_FEATURES, IRIS_FEATURES), ConvBlock(IRIS_FEATURES, IRIS_FEATURES)
        )
        self.heat = nn.Conv2d(IRIS_FEATURES, irises, 3, 1, 1)

    def forward(self, picture: Tensor, features: Tensor) -> Tensor:
        """Read where irises are.

        Args:
            picture: (batch, 3, 128, 128) in [-1, 1].
            features: (batch, features, 64, 64) of the segmenter.

        Returns:
            (batch, irises, 64, 64), before the softmax.
        """
        heat: Tensor = self.heat(self.layers(torch.cat([features, self.fine(picture)], dim=1)))
        return heat


class Segmenter(nn.Module):
    """Picture to shifts, affines and soft masks of the parts (MCS, section 3.1).

    The picture is reduced to 128 pixels first, so that motion does not depend on the size of the output. Irises are
    read by layers of their own: they have no mask, and are stretched as their eyes are.
    """

    def __init__(self, *, parts: int, eyes: tuple[int, ...], widths: tuple[int, ...]) -> None:
        """Fresh weights.

        Args:
            parts: with a mask; an iris for each eye follows them.
            eyes: which of the parts have an iris.
            widths: features at 1/2, 1/4, ... of 128 pixels.
        """
        super().__init__()
        self.parts = parts
        self.eyes = eyes
        self.stem = ConvBlock(3, widths[0], kernel=5, stride=2)
        self.down = nn.ModuleList(
            nn.Sequential(ConvBlock(a, b, stride=2), ConvBlock(b, b)) for a, b in itertools.pairwise(widths)
        )
        ups = []
        features = widths[-1]
        for skip in reversed(widths[:-1]):
            ups.append(ConvBlock(features + skip, skip))
            features = skip
        self.up = nn.ModuleList(ups)
        self.heat = nn.Conv2d(widths[0], parts, 3, 1, 1)
        self.mask = nn.Conv2d(widths[0], parts + 1, 3, 1, 1)
        self.affine = nn.Conv2d(widths[1], 4 * parts, 3, 1, 1)
        self.iris = IrisReader(features=widths[0], irises=len(eyes))
        nn.init.zeros_(self.affine.weight)
        with torch.no_grad():
            assert self.affine.bias is not None
            self.affine.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(parts))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read the parts' motion.

        Args:
            image: (batch, 3, size, size) in [0, 1], size a multiple of 128.

        Returns:
            Of parts and irises, shift (batch, K, 2), affine (batch, K, 2, 2), segmentation (batch, K + 1, 64, 64).
        """
        factor = image.shape[-1] // (2 * MAP_SIDE)
        x = functional.avg_pool2d(image, factor) if factor > 1 else image
        picture = 2 * x - 1
        x = self.stem(picture)
        skips = [x]
        for stage in self.down:
            x = stage(x)
            skips.append(x)
        skips.pop()
        half = x
        for stage in self.up:
            half = x
            x = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = stage(torch.cat([x, skips.pop()], dim=1))
        batch = x.shape[0]
        heat = spatial_softmax(self.heat(x), temperature=TEMPERATURE)
        irises = spatial_softmax(self.iris(picture, x), temperature=TEMPERATURE)
        weight = functional.avg_pool2d(heat, 2) * 4
        local = self.affine(half).float().reshape(batch, self.parts, 4, MAP_SIDE // 2, MAP_SIDE // 2)
        affine = (local * weight[:, :, None]).sum(dim=(3, 4)).reshape(batch, self.parts, 2, 2)
        masks = self.mask(x).float().softmax(dim=1)
        return (
            torch.cat([heatmap_mean(heat), heatmap_mean(irises)], dim=1),
            torch.cat([affine, *(affine[:, eye : eye + 1] for eye in self.eyes)], dim=1),
            torch.cat([masks, masks.new_zeros(batch, len(self.eyes), MAP_SIDE, MAP_SIDE)], dim=1),
        )


class Refiner(nn.Module):
    """Corrects the blended deformation and says how far to trust what was warped, at each scale.

    FOMM's dense motion network does the same from scratch (FOMM, section 3.2); here it starts from MCS's blend.
    """

    def __init__(self, *, parts: int, irises: int, features: int) -> None:
        super().__init__()
        # Masks, heat difference, warped picture, displacement, warped background mask.
        self.layers = nn.Sequential(
            ConvBlock(2 * parts + irises + 1 + 3 + 2 + 1, features),
            nn.Conv2d(features, features, 3, 1, 2, dilation=2, bias=False),
            nn.BatchNorm2d(features),
            nn.ReLU(inplace=True),
            nn.Conv2d(features, features, 3, 1, 4, dilation=4, bias=False),
            nn.BatchNorm2d(features),
            nn.ReLU(inplace=True),
        )
        self.correction = nn.Conv2d(features, 2, 3, 1, 1)
        self.trust = nn.Conv2d(features, 3, 3, 1, 1)
        for head, bias in ((self.correction, 0.0), (self.trust, 2.0)):
            assert head.bias is not None
            nn.init.zeros_(head.weight)
            nn.init.constant_(head.bias, bias)
        self.features = features

    def forward(self, clues: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Correction (batch, h, w, 2), trust in [0, 1] (batch, 3, h, w), features (batch, features, h, w)."""
        x = self.layers(clues)
        return self.correction(x).float().permute(0, 2, 3, 1), torch.sigmoid(self.trust(x)), x


class Encoder(nn.Module):
    """The avatar's feature pyramid at 1/2, 1/4 and 1/8 of the picture's size."""

    def __init__(self, *, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        half, quarter, eighth, bottleneck = widths
        self.to_half = ConvBlock(3, half, kernel=5, stride=2)
        self.to_quarter = nn.Sequential(ConvBlock(half, quarter, stride=2), ConvBlock(quarter, quarter))
        self.to_eighth = nn.Sequential(
            ConvBlock(quarter, eighth, stride=2), ConvBlock(eighth, bottleneck), ResBlock(bottleneck)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, 3, size, size) in [0, 1] to features at the three scales."""
        half = self.to_half(2 * image - 1)
        quarter = self.to_quarter(half)
        return half, quarter, self.to_eighth(quarter)


class Decoder(nn.Module):
    """Warped pyramid to a picture and a blend mask."""

    def __init__(self, *, widths: tuple[int, int, int, int], motion: int, blocks: int) -> None:
        super().__init__()
        half, quarter, _, bottleneck = widths
        self.middle = middle = quarter + quarter // 3
        self.enter = ConvBlock(bottleneck + motion, bottleneck)
        self.blocks = nn.Sequential(*(ResBlock(bottleneck) for _ in range(blocks)))
        self.up_quarter = ConvBlock(bottleneck, middle)
        self.at_quarter = ConvBlock(middle + quarter + motion, middle)
        self.up_half = ConvBlock(middle, half)
        self.at_half = ConvBlock(2 * half, half)
        self.final = nn.Conv2d(half, 16, 3, 1, 1)
        assert self.final.bias is not None
        nn.init.zeros_(self.final.bias)

    def forward(self, pyramid: tuple[Tensor, Tensor, Tensor], motion: Tensor) -> tuple[Tensor, Tensor]:
        """Decode.

        Args:
            pyramid: warped and gated features at 1/2, 1/4, 1/8.
            motion: (batch, motion, 64, 64) features of the refiner.

        Returns:
            picture (batch, 3, size, size) in [0, 1] and mask (batch, 1, size, size) in [0, 1].
        """
        half, quarter, eighth = pyramid
        coarse = resized(motion, eighth.shape[-1])
        x = self.blocks(self.enter(torch.cat([eighth, coarse], dim=1)))
        x = self.up_quarter(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        x = self.at_quarter(torch.cat([x, quarter, resized(motion, quarter.shape[-1])], dim=1))
        x = self.up_half(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        x = self.at_half(torch.cat([x, half], dim=1))
        x = functional.pixel_shuffle(self.final(x).float(), 2)
        return torch.sigmoid(x[:, :3]), torch.sigmoid(x[:, 3:])
