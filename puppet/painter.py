"""Paints the avatar in a target motion: chooses the view, runs the engine, and enlarges what it gives."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from engines.engine_spec import CARRIED_MASKS
from puppet import images
from puppet.engine_set import motion_inputs
from puppet.enlargement import OUTPUTS, Enlarger
from puppet.motion import carry_masks
from puppet.views import Mix, ViewSwitch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engines.backends.base import Array
    from engines.spec import RoleName
    from puppet.avatar import Avatar
    from puppet.engine_set import EngineSet
    from puppet.types import Floats, Image, Motion

ITSELF = Mix(0, None, 1.0)
"""The avatar's first view alone."""


class Wanted(NamedTuple):
    """What one picture shall be like."""

    role: RoleName
    """Engine to run."""
    more: Mapping[str, Array]
    """Its inputs beside the motion."""
    at: float
    """Seconds, when the driving frame was captured."""
    size: int
    """Side of the picture, pixels, no smaller than the model's."""
    has_own_masks: bool
    """The target's masks are the avatar's, carried along."""
    is_from_first_view: bool
    """However near another one is."""


class Painted(NamedTuple):
    """One picture."""

    image: Image
    """uint8 (S, S, 3) RGB."""
    target: Motion
    """As it was given, with the masks that the engine carried along, if it did."""
    deformation: Floats | None
    """float32 (h, h, 2), where the engine gives one."""
    seconds: Mapping[str, float]
    """Of each stage."""


class Painter:
    """Holds what is pinned of one avatar after the other."""

    def __init__(self, engines: EngineSet, *, model_size: int) -> None:
        self._engines = engines
        self._model_size = model_size
        self._views: tuple[Avatar, ...] = ()
        self._switch: ViewSwitch | None = None
        self._pinned = 0
        self._enlargers: dict[int, Enlarger] = {}

    def set_avatar(self, avatar: Avatar) -> None:
        """Paint this one from now on.

        Raises:
            ValueError: it was made by another model.
        """
        self._pin(0, avatar)
        self._views = avatar.views
        self._switch = ViewSwitch([view.motion for view in avatar.views])
        self._enlargers.clear()

    def paint(self, target: Motion, wanted: Wanted) -> Painted:
        """Paint one picture of a target motion; while one view passes over into another, both.

        Raises:
            BackendError: the engine failed.
        """
        assert self._switch is not None  # an avatar was set
        mix = ITSELF if wanted.is_from_first_view else self._switch.follow(target, wanted.at)
        seconds: dict[str, float] = defaultdict(float)
        before = None if mix.before is None else self._from_view(mix.before, target, wanted, seconds)
        result = self._from_view(mix.now, target, wanted, seconds)
        if before is None:
            return result
        image = cv2.addWeighted(result.image, mix.share, before.image, 1 - mix.share, 0)
        return result._replace(image=np.asarray(image, np.uint8))

    def _from_view(self, view: int, target: Motion, wanted: Wanted, seconds: dict[str, float]) -> Painted:
        started = time.perf_counter()
        if view != self._pinned:
            self._pin(view, self._views[view])
        if wanted.has_own_masks:
            target = self._carried(view, target)
        outputs = self._engines.run(wanted.role, {**motion_inputs("target", target), **wanted.more})
        if CARRIED_MASKS in outputs:
            target = replace(target, segmentation=outputs[CARRIED_MASKS][0].copy())
        ran = time.perf_counter()
        seconds[wanted.role] += ran - started
        if wanted.size > self._model_size:
            image = self._enlarged(view, outputs, wanted.size)
            seconds["enlargement"] += time.perf_counter() - ran
        else:
            image = outputs["image"][0].copy()
        deformation = outputs.get("deformation")
        return Painted(image, target, None if deformation is None else deformation[0], seconds)

    def _carried(self, view: int, target: Motion) -> Motion:
        """With the masks of a view other than the first, whose the target has already."""
        if view == 0 or target.segmentation is None:
            return target
        return replace(target, segmentation=carry_masks(self._views[view].motion, target))

    def _enlarged(self, view: int, outputs: Mapping[str, Array], size: int) -> Image:
        """A picture of the generator or the swapper, larger; what the swapper took from the driver has no detail."""
        image = outputs["image"][0]
        if not outputs.keys() >= OUTPUTS:
            return images.resize(image, width=size, height=size)
        enlarger = self._enlargers.get(view)
        if enlarger is None or enlarger.size != size:
            avatar = self._views[view]
            picture = avatar.image if avatar.picture is None else avatar.picture
            enlarger = self._enlargers[view] = Enlarger(picture, size=size, model_size=self._model_size)
        return enlarger.enlarge(image, outputs["warped"][0], outputs["deformation"][0])

    def _pin(self, index: int, view: Avatar) -> None:
        self._engines.pin({**view.features, **motion_inputs("source", view.motion)})
        self._pinned = index
