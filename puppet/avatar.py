"""The picture that is driven, with all that is computed of it once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from puppet.types import Image, Motion


@dataclass(frozen=True, eq=False)
class Avatar:
    """One avatar, read by one model; another model needs its own."""

    name: str
    image: Image
    """uint8 (S, S, 3) RGB, as the model sees it."""
    motion: Motion
    """Where its parts are."""
    features: Mapping[str, NDArray[Any]]
    """What the encoder made of it, by tensor name; shapes and dtypes are the model's."""
    picture: Image | None = None
    """uint8 (H, H, 3) RGB, as it was given: where detail comes from in pictures larger than the model's."""
    further: tuple[Avatar, ...] = ()
    """The same face in other poses and expressions, from which pictures are made where they are nearer."""

    @property
    def views(self) -> tuple[Avatar, ...]:
        """All views; the first one is the avatar's own pose."""
        return (self, *self.further)
