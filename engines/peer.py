"""The yardstick of `bench`: the same networks in PyTorch eager float32, with nothing kept from frame to frame.

This is how the published code runs a video: every frame reads the avatar's motion and encodes its picture again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.backends.base import BackendSettings
from engines.errors import BackendError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from engines.spec import ModelSpec


class Peer:
    """A model's networks with random weights: how long they take does not depend on them."""

    def __init__(self, spec: ModelSpec, *, threads: int = 0) -> None:
        """Build the networks of the model's family.

        Raises:
            BackendError: PyTorch is not installed.
        """
        try:
            import torch
        except ImportError as error:
            raise BackendError(
                f"PyTorch cannot be imported ({error}); install it with: pip install 'puppet-live[train]'"
            ) from error
        from engines import families

        if threads:
            torch.set_num_threads(threads)
        torch.manual_seed(0)
        self._model: Any = families.build(spec.family, spec.configuration).eval()
        words = BackendSettings(threads=torch.get_num_threads()).thread_text
        self.description = f"PyTorch {torch.__version__} eager, CPU, fp32, {words}"

    def render(
        self, avatar: NDArray[np.uint8], driving: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], dict[str, float]]:
        """One frame, with everything computed anew.

        Args:
            avatar: uint8 (S, S, 3) RGB.
            driving: uint8 (S, S, 3) RGB.

        Returns:
            The picture, uint8 (S, S, 3) RGB, and the seconds that each role took; the segmenter ran twice.
        """
        import torch

        with torch.inference_mode():
            source_image, driving_image = _tensor(avatar), _tensor(driving)
            times = [time.perf_counter()]
            source, target = self._model.segment(source_image), self._model.segment(driving_image)
            times.append(time.perf_counter())
            features = self._model.encode(source_image)
            times.append(time.perf_counter())
            picture = self._model.generate(features, source, target)["image"]
            times.append(time.perf_counter())
            pixels = (picture[0].permute(1, 2, 0) * 255).round().clamp(0, 255).to(torch.uint8).numpy()
        segmenter, encoder, generator = (float(value) for value in np.diff(times))
        return pixels, {"segmenter": segmenter, "encoder": encoder, "generator": generator}


def _tensor(image: NDArray[np.uint8]) -> Any:
    """(1, 3, S, S) float32 in [0, 1]."""
    import torch

    return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()
