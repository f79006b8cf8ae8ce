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
        self._segment, self._encode, self._generate = model.segment, model.encode, model.generate
        if way == "compiled fp16":
            self._segment, self._encode, self._generate = (
                torch.compile(call, mode="reduce-overhead") for call in (model.segment, model.encode, model.generate)
            )
        name = torch.cuda.get_device_name() if device == "cuda" else device
        kept = "avatar kept" if is_cached else "nothing kept"
        self.description = f"PyTorch {torch.__version__} {way}, {name}, {kept}"
        self._avatar: Any = None
        self._kept: Any = None

    def set_avatar(self, picture: NDArray[np.uint8]) -> None:
        """Take the avatar, uint8 (S, S, 3) RGB."""
        self._avatar = self._tensor(picture)
        self._kept = self._read_avatar() if self._is_cached else None

    def render(self, driving: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """One frame from bytes to bytes, uint8 (S, S, 3) RGB; the motion is taken as it is."""
        import torch

        with torch.inference_mode():
            source, features = self._kept or self._read_avatar()
            target = self._segment(self._tensor(driving))
            picture = self._generate(features, source, target)["image"]
            levels = (picture[0].float().permute(1, 2, 0) * 255).round().clamp(0, 255).to(torch.uint8)
            pixels: NDArray[np.uint8] = levels.cpu().numpy()  # waits for the GPU
        return pixels

    def _read_avatar(self) -> tuple[Any, Any]:
        import torch

        with torch.inference_mode():
            # Compiled graphs reuse their outputs' memory.
            source = type(found)(*_cloned(found)) if isinstance(found := self._segment(self._avatar), tuple) else found
            features = {name: value.clone() for name, value in self._encode(self._avatar).items()}
        return source, features

    def _tensor(self, image: NDArray[np.uint8]) -> Any:
        """(1, 3, S, S) float32 in [0, 1], on the device."""
        import torch

        bytes_there = torch.from_numpy(image).to(self._device, non_blocking=True)
        return (bytes_there.permute(2, 0, 1)[None].float() / 255).contiguous()


def _cloned(motion: Any) -> list[Any]:
    return [None if each is None else each.clone() for each in motion]


def _halved(model: Any, size: int) -> Any:
    """Convolutions in float16, as `engines.half` leaves them for export."""
    import torch

    from engines.half import half_precision

    def run(some: Any) -> None:
        image = torch.zeros(1, 3, size, size)
        motion = some.segment(image)
        some.generate(some.encode(image), motion, motion)

    return half_precision(model, run)
