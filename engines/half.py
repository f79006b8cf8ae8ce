"""Half precision: convolutions in float16, coordinates, softmaxes and affine algebra left in float32."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable

_Module = TypeVar("_Module", bound=nn.Module)
_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


class Scale(nn.Module):
    """A batch norm that no convolution precedes, as one multiplication and one addition a channel."""

    scale: Tensor
    offset: Tensor

    def __init__(self, norm: nn.BatchNorm2d) -> None:
        super().__init__()
        scale, offset = _scale_and_offset(norm)
        self.register_buffer("scale", scale.view(1, -1, 1, 1))
        self.register_buffer("offset", offset.view(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) -> the same shape."""
        return x * self.scale + self.offset


def half_precision(model: _Module, run: Callable[[_Module], object]) -> _Module:
    """A copy of the model whose convolutions have float16 weights and give float16.

    Batch norms are folded first, in float32: in float16 their small variances would be lost. What comes after a
    convolution runs in float16 until the networks themselves convert to float32, as `engines.networks.layers` does
    where coordinates begin.

    Args:
        model: in eval mode; it is left as it is.
        run: runs every part of the model once, so that it is seen which norm follows which convolution.
    """
    model = _folded(model, run)
    for module in model.modules():
        if isinstance(module, (*_CONVOLUTIONS, Scale)):
            module.half()
            module.register_forward_pre_hook(_to_half)
    return model


def rounded_weights(model: _Module, run: Callable[[_Module], object]) -> _Module:
    """A copy of the model in float32 whose convolutions have weights that float16 holds exactly.

    The graphs then take half the space and lose nothing. Arguments as of `half_precision`.
    """
    model = _folded(model, run)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, _CONVOLUTIONS):
                module.weight.copy_(module.weight.half().float())
    return model


def _folded(model: _Module, run: Callable[[_Module], object]) -> _Module:
    model = copy.deepcopy(model)
    followers = _followers(model, run)
    for conv, norm in followers.items():
        _fold(conv, norm)
    folded = set(followers.values())
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(parent, name, nn.Identity() if child in folded else Scale(child))
    return model


def _to_half(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(x.half() for x in inputs)


def _followers(model: _Module, run: Callable[[_Module], object]) -> dict[nn.Module, nn.BatchNorm2d]:
    """Which batch norm takes which convolution's output; a convolution that meets several is left out."""
    produced: list[tuple[Tensor, nn.Module]] = []
    pairs: list[tuple[nn.Module, nn.BatchNorm2d]] = []

    def remember(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        produced.append((output, module))

    def match(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if isinstance(module, nn.BatchNorm2d):
            pairs.extend((conv, module) for output, conv in produced if output is inputs[0])

    hooks = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(remember))
        elif isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(match))
    try:
        with torch.no_grad():
            run(model)
    finally:
        for hook in hooks:
            hook.remove()
    distinct = set(pairs)
    convs = [conv for conv, _ in distinct]
    norms = [norm for _, norm in distinct]
    return {conv: norm for conv, norm in distinct if convs.count(conv) == 1 and norms.count(norm) == 1}


def _fold(conv: nn.Module, norm: nn.BatchNorm2d) -> None:
    assert isinstance(conv, nn.Conv2d)
    scale, offset = _scale_and_offset(norm)
    with torch.no_grad():
        bias = conv.bias if conv.bias is not None else torch.zeros_like(offset)
        conv.bias = nn.Parameter(bias * scale + offset, requires_grad=False)
        conv.weight.mul_(scale.view(-1, 1, 1, 1))


def _scale_and_offset(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """The norm in eval mode as y = scale * x + offset, each (channels,) float32."""
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm without running statistics cannot be folded")
    with torch.no_grad():
        weight = norm.weight if norm.affine else torch.ones_like(norm.running_var)
        bias = norm.bias if norm.affine else torch.zeros_like(norm.running_mean)
        scale = weight / torch.sqrt(norm.running_var + norm.eps)
        return scale, bias - norm.running_mean * scale
