"""The yardsticks of the GPU report: the same networks in PyTorch, eager in float32 and compiled in float16."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from engines.errors import BackendError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engines.spec import ModelSpec

Way = Literal["eager fp32", "compiled fp16"]


class GpuPeer:
    """A model's networks with random weights on a GPU; how long they take does not depend on the weights."""

    def __init__(self, spec: ModelSpec, *, way: Way, is_cached: bool, device: str = "cuda") -> None:
        """Build the networks of the model's family.

        Args:
            spec: of the model.
            way: eager as the published code runs, or with `torch.compile` and CUDA graphs.
            is_cached: keep the avatar's motion and features, as this program does; the published code does not.
            device: PyTorch's name of it.

        Raises:
            BackendError: PyTorch is not installed, or has no such device.
        """
        try:
            import torch
        except ImportError as error:
            raise BackendError(
                f"PyTorch cannot be imported ({error}); install it with: pip install 'puppet-live[train]'"
            ) from error
        if device == "cuda" and not torch.cuda.is_available():
            raise BackendError(f"PyTorch {torch.__version__} finds no GPU; install a build with CUDA")
        from engines import families

        torch.manual_seed(0)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        model: Any = families.build(spec.family, spec.configuration).eval().requires_grad_(False)
        if way == "compiled fp16":
            model = _halved(model, spec.size)
        self._device = device
        self._is_cached = is_cached
        self._model = model.to(device)
        # One function: of several in a row, each with its own CUDA graph, one overwrites what another gave.
        self._paint = torch.compile(self._painted, mode="reduce-overhead") if way == "compiled fp16" else self._painted
        name = torch.cuda.get_device_name() if device == "cuda" else device
        kept = "avatar kept" if is_cached else "nothing kept"
        self.description = f"PyTorch {torch.__version__} {way}, {name}, {kept}"
        self._avatar: Any = None
        self._kept: Any = None

    def set_avatar(self, picture: NDArray[np.uint8]) -> None:
        """Take the avatar, uint8 (S, S, 3) RGB."""
        self._avatar = self._there(picture)
        self._kept = self._read_avatar() if self._is_cached else None

    def render(self, driving: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """One frame from bytes to bytes, uint8 (S, S, 3) RGB; the motion is taken as it is."""
        import torch

        with torch.inference_mode():
            source, features = self._kept or self._read_avatar()
            pixels: NDArray[np.uint8] = self._paint(features, source, self._there(driving)).cpu().numpy()
        return pixels  # `cpu` waited for the GPU

    def _painted(self, features: Any, source: Any, driving: Any) -> Any:
        """From bytes to bytes on the device, uint8 (S, S, 3)."""
        import torch

        target = self._model.segment(_scaled(driving))
        picture = self._model.generate(features, source, target)["image"]
        return (picture[0].float().permute(1, 2, 0) * 255).round().clamp(0, 255).to(torch.uint8)

    def _read_avatar(self) -> tuple[Any, Any]:
        import torch

        with torch.inference_mode():
            picture = _scaled(self._avatar)
            return self._model.segment(picture), self._model.encode(picture)

    def _there(self, image: NDArray[np.uint8]) -> Any:
        import torch

        return torch.from_numpy(image).to(self._device, non_blocking=True)


def _scaled(image: Any) -> Any:
    """(1, 3, S, S) float32 in [0, 1]."""
    return (image.permute(2, 0, 1)[None].float() / 255).contiguous()


def _halved(model: Any, size: int) -> Any:
    """Convolutions in float16, as `engines.half` leaves them for export."""
    import torch

    from engines.half import half_precision

    def run(some: Any) -> None:
        image = torch.zeros(1, 3, size, size)
        motion = some.segment(image)
        some.generate(some.encode(image), motion, motion)

    return half_precision(model, run)
