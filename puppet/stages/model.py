"""The model as the inference thread knows it; tests and benchmarks have others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from puppet.avatar import Avatar
    from puppet.settings import LiveSettings
    from puppet.types import Frame, Image, Motion, Rendered


class Model(Protocol):
    """What the thread needs of a `Puppeteer`."""

    description: str
    notice: str | None
    size: int
    part_names: tuple[str, ...]
    avatar: Avatar | None
    first: Motion | None

    def make_avatar(self, picture: Image, *further: Image, name: str) -> Avatar:
        """Read a picture, and further views of the same face."""
        ...

    def set_avatar(self, avatar: Avatar) -> None:
        """Drive this one from now on."""
        ...

    def side(self, settings: LiveSettings) -> int:
        """Of the pictures that it renders."""
        ...

    def calibrate(self, motion: Motion | None) -> None:
        """Count relative motion from here."""
        ...

    def read(self, image: Image) -> Motion:
        """The motion of a picture."""
        ...

    def animate(self, driving: Motion, frame: Frame, settings: LiveSettings) -> Rendered:
        """The avatar, moved."""
        ...

    def __enter__(self) -> Self:
        """It holds resources."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Free them."""
        ...
