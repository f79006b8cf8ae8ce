"""How strongly mouth, eyes and head move, each by itself, where the names of the parts say which is which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from puppet.limits import common_way
from puppet.part_groups import of_head, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from puppet.settings import LiveSettings
    from puppet.types import Floats

MOUTH = frozenset({"lip", "lips", "mouth", "chin", "jaw"})
EYES = frozenset({"eye", "eyes", "iris", "lid", "lids", "brow", "brows"})
"""Words in the names of parts."""
IRIS, EYE = "iris", "eye"
GAZE = 1.6
"""By how much irises move more beside their eyes than was read: small as they are, they are read too timidly."""
FEWEST = 4
"""Parts beside mouth and eyes, for the head's own movement to be seen."""


class Gains:
    """Scales the ways of the parts, region by region."""

    def __init__(self, part_names: Sequence[str]) -> None:
        """Take the names of the K parts."""
        self._mouth, self._eyes = (
            np.array([bool(words(name) & region) for name in part_names], bool) for region in (MOUTH, EYES)
        )
        self._head = ~(self._mouth | self._eyes) & of_head(part_names)
        self._irises = [
            (index, part_names.index(eye))
            for index, name in enumerate(part_names)
            if IRIS in words(name) and (eye := name.replace(IRIS, EYE)) in part_names
        ]
        self.has_regions = bool(self._mouth.any() and self._eyes.any() and self._head.sum() >= FEWEST)

    def shifts(self, way: Floats, rest: Floats, settings: LiveSettings) -> Floats:
        """How far each part shall go, float32 (K, 2).

        Mouth and eyes keep the movement of the head, which the other parts show, by the head's gain; what they do
        beside it, save for going to one side as a whole (a turned head does that), by their own. Irises go farther.

        Args:
            way: as driven, float32 (K, 2).
            rest: from where, float32 (K, 2).
            settings: with the gains.
        """
        scaled = self._by_region(way, rest, settings)
        for iris, eye in self._irises:
            scaled[iris] = scaled[eye] + np.float32(GAZE) * (scaled[iris] - scaled[eye])
        return scaled

    def _by_region(self, way: Floats, rest: Floats, settings: LiveSettings) -> Floats:
        if not self.has_regions or settings.mouth == settings.eyes == settings.head:
            return way * np.float32(settings.head)
        head = common_way(way, rest, of=self._head)
        scaled = way * np.float32(settings.head)
        for region, gain in ((self._mouth, settings.mouth), (self._eyes, settings.eyes)):
            own = (way - head)[region]
            aside = np.array([own[:, 0].mean(), 0], np.float32)
            scaled[region] += np.float32(gain - settings.head) * (own - aside)
        return scaled

    def strengths(self, settings: LiveSettings) -> Floats:
        """For the affine of each part, float32 (K,)."""
        if not self.has_regions:
            return np.full(len(self._head), settings.head, np.float32)
        gains = np.where(self._mouth, settings.mouth, np.where(self._eyes, settings.eyes, settings.head))
        return np.asarray(gains, np.float32)
