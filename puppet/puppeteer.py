"""A model at work: reads driving frames and renders the avatar moving like them. No thread, no Qt."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engines.backends.base import BackendSettings
from puppet import images
from puppet.avatar import Avatar
from puppet.engine_set import EngineSet
from puppet.enlargement import OUTPUTS
from puppet.errors import AvatarError, PuppetError
from puppet.loading import silently
from puppet.motion import MotionBasis, is_usable
from puppet.painter import Painted, Painter, Wanted
from puppet.swap import PartSwap
from puppet.types import Image, Motion, Rendered

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from engines.backends.base import Array
    from engines.model_folder import ModelFolder
    from engines.spec import RoleName
    from puppet.settings import LiveSettings
    from puppet.types import Frame

log = logging.getLogger(__name__)


class Puppeteer:
    """The engines of one model with one avatar pinned. Use it from one thread; `close` it, or use `with`.

    Usage: `make_avatar`, `set_avatar`, then `render` frame by frame.
    """

    def __init__(
        self,
        model: ModelFolder,
        *,
        backend: str = "auto",
        engine_settings: BackendSettings | None = None,
        auto_size: int = 0,
        step: Callable[[str], None] = silently,
    ) -> None:
        """Load the engines.

        Args:
            model: the folder.
            backend: its name, or auto.
            engine_settings: threads and arithmetic.
            auto_size: side of pictures whose size is left open, pixels; never below the model's own.
            step: told what is loaded next; may raise to end it.

        Raises:
            EngineError: the backend is not usable here, or a graph cannot be loaded.
        """
        spec = model.spec
        self.size = spec.size
        self.auto_size = auto_size
        self.parts = spec.parts
        self.part_names = spec.part_names
        self.family = spec.family
        self._model = model
        self._engines = EngineSet(model, backend=backend, settings=engine_settings or BackendSettings(), step=step)
        self.description = self._engines.description
        self.notice = self._engines.notice
        """What went wrong with the engines and was got round, one sentence for the user."""
        self.avatar: Avatar | None = None
        self.first: Motion | None = None
        # Folders of the compact family that hold a swapper are older: it did no more than the laying over here.
        blends = "swapper" in spec.roles and spec.family != "compact"
        self._swap = PartSwap(spec.part_names, blends_features=blends)
        self._basis: MotionBasis | None = None
        self._held_before = 0
        self._painter = Painter(self._engines, model_size=self.size)
        log.info("%s", self.description)

    @property
    def held(self) -> int:
        """How many frames showed the last good motion because theirs was unusable."""
        return self._held_before + (self._basis.held if self._basis else 0)

    @property
    def can_swap(self) -> bool:
        """Whether the model has masks, so that parts of avatar and driver can be swapped."""
        return any(tensor.name == "segmentation" for tensor in self._model.spec.roles["segmenter"].outputs)

    @property
    def can_enlarge(self) -> bool:
        """Whether pictures larger than the model's can be made with the avatar's own detail."""
        generator = self._model.spec.roles["generator"]
        return self._model.spec.align_corners and {tensor.name for tensor in generator.outputs} >= OUTPUTS

    def side(self, settings: LiveSettings) -> int:
        """Of the pictures that are rendered with these settings, pixels."""
        wanted = self.auto_size if settings.size == "auto" else settings.size
        return wanted if wanted > self.size and self.can_enlarge else self.size

    def check_size(self, size: int) -> None:
        """Raise PuppetError if pictures of that side, pixels, would be larger than the model can make them."""
        if size > self.size and not self.can_enlarge:
            raise PuppetError(
                f"--size {size}: {self._model.spec.name} gives pictures of {self.size} pixels only; leave the flag "
                "out, or export the model again if it is of the compact family"
            )

    def make_avatar(self, picture: Image, *further: Image, name: str) -> Avatar:
        """Read a picture's motion and features; it does not become the current avatar yet.

        Args:
            picture: uint8 (H, H, 3) RGB, square, framed as the model was trained; resized here.
            *further: pictures of the same face with other poses and expressions, framed alike.
            name: how it is called.

        Raises:
            AvatarError: no usable motion can be read off the picture.
        """
        image = self._fitted(picture)
        motion = self.read(image)
        if not is_usable(motion):
            raise AvatarError(
                f"{name}: the model reads no usable motion off it; frame the face or take another picture"
            )
        views = tuple(self.make_avatar(view, name=name) for view in further)
        return Avatar(name, image, motion, self.encode(image), picture, views)

    def set_avatar(self, avatar: Avatar) -> None:
        """Make this the avatar that is driven; the calibration stays.

        Raises:
            ValueError: the avatar was made by another model.
        """
        self._painter.set_avatar(avatar)
        self.avatar = avatar
        self._renew_basis()

    def read(self, image: Image) -> Motion:
        """The motion of a picture, uint8 (H, H, 3) RGB; resized here."""
        outputs = self._engines.run("segmenter", {"image": self._fitted(image)[None]})
        masks = outputs.get("segmentation")
        return Motion(
            outputs["shift"][0].copy(), outputs["affine"][0].copy(), None if masks is None else masks[0].copy()
        )

    def encode(self, image: Image) -> dict[str, Array]:
        """What the generator needs of an avatar's picture, uint8 (H, H, 3) RGB, by tensor name; resized here."""
        features = self._engines.run("encoder", {"image": self._fitted(image)[None]})
        return {name: value.copy() for name, value in features.items()}

    def calibrate(self, motion: Motion | None) -> None:
        """Make this the first motion, from which relative motion counts; None: the next frame's will be.

        Raises:
            ValueError: the motion is not usable, or has another number of parts.
        """
        if motion is not None and (not is_usable(motion) or motion.shift.shape != (self.parts, 2)):
            raise ValueError(f"not a usable motion of {self.parts} parts")
        self.first = motion
        self._renew_basis()

    def render(self, frame: Frame, settings: LiveSettings) -> Rendered:
        """Move the avatar like the person in the frame, uint8 (H, H, 3) RGB; the first frame calibrates.

        Raises:
            PuppetError: no avatar is set, the frame is not square, or a part to swap is not the model's.
            BackendError: an engine failed.
        """
        started = time.perf_counter()
        driving = self.read(frame.image)
        return self._animate(driving, frame, settings, {"segmenter": time.perf_counter() - started})

    def animate(self, driving: Motion, frame: Frame, settings: LiveSettings) -> Rendered:
        """As `render`, with the driving motion given; the frame's picture is used by part swap only."""
        return self._animate(driving, frame, settings, {})

    def close(self) -> None:
        """Free the engines; calling it twice is allowed."""
        self._engines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _animate(self, driving: Motion, frame: Frame, settings: LiveSettings, seconds: dict[str, float]) -> Rendered:
        self._follow_engines()
        started = time.perf_counter()
        if settings.swap and not self.can_swap:
            raise PuppetError(f"{self._model.spec.name} cannot swap parts; choose a model that has masks")
        target, held = self._transfer(driving, self._swap.motion_settings(settings) if settings.swap else settings)
        moved = time.perf_counter()
        painted = self._painter.paint(target, self._wanted(frame, settings, has_own_masks=driving.segmentation is None))
        seconds |= {"motion": moved - started, **painted.seconds}
        image = painted.image
        if settings.swap:
            started = time.perf_counter()
            image = self._laid_over(painted, frame, driving, settings)
            seconds["laying over"] = time.perf_counter() - started
        return Rendered(
            image,
            frame,
            driving,
            painted.target,
            seconds,
            limited=0 if self._basis is None else self._basis.limited,
            held=held,
            first=self.first,
            rest=None if self.avatar is None else self.avatar.motion,
        )

    def _wanted(self, frame: Frame, settings: LiveSettings, *, has_own_masks: bool) -> Wanted:
        role: RoleName = "swapper" if settings.swap and self._swap.blends_features else "generator"
        return Wanted(
            role,
            more=self._swap.graph_inputs(self._fitted(frame.image), settings) if role == "swapper" else {},
            at=frame.captured_at,
            size=self.side(settings),
            has_own_masks=has_own_masks or settings.masks == "avatar",
            is_from_first_view=bool(settings.swap),  # what is laid over knows of no other
        )

    def _laid_over(self, painted: Painted, frame: Frame, driving: Motion, settings: LiveSettings) -> Image:
        """Driver and avatar in one picture, of the size that was painted."""
        assert self.avatar is not None  # or nothing would have been painted
        side = painted.image.shape[0]
        fitted = replace(frame, image=images.resize(frame.image, width=side, height=side))
        return self._swap.compose(
            painted.image,
            fitted,
            (driving, painted.target),
            avatar=self.avatar,
            settings=settings,
            deformation=painted.deformation,
        )

    def _transfer(self, driving: Motion, settings: LiveSettings) -> tuple[Motion, bool]:
        """The target motion, and whether an earlier one had to be held."""
        if self.avatar is None:
            raise PuppetError("no avatar is set; choose an avatar picture first")
        if self.first is None and is_usable(driving):
            self.calibrate(driving)
        if self._basis is None:
            self._held_before += 1
            return self.avatar.motion, True
        held = self._basis.held
        target = self._basis.transfer(driving, settings)
        is_held = self._basis.held > held
        if target.segmentation is None and settings.masks == "driving" and not is_held:
            target = replace(target, segmentation=driving.segmentation)  # else the engine carries the avatar's along
        return target, is_held

    def _follow_engines(self) -> None:
        """Others may run since the last frame, which want other things."""
        if self.notice != self._engines.notice:
            self.notice, self.description = self._engines.notice, self._engines.description
            self._renew_basis()

    def _renew_basis(self) -> None:
        self._held_before = self.held
        if self.avatar is None or self.first is None:
            self._basis = None
        else:
            avatar = self.avatar.motion
            # Masks that the engine carries along need not be carried here.
            bare = Motion(avatar.shift, avatar.affine) if self._engines.carries_masks else avatar
            further = [view.motion for view in self.avatar.further]
            self._basis = MotionBasis(bare, self.first, self.part_names, further=further)

    def _fitted(self, image: Image) -> Image:
        """The picture at the model's size.

        Raises:
            PuppetError: it is not a square uint8 RGB picture.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.shape[0] != image.shape[1]:
            raise PuppetError(
                f"a picture is {image.dtype} {image.shape}; give uint8 (H, H, 3) RGB, cropped to a square"
            )
        return images.resize(image, width=self.size, height=self.size)
