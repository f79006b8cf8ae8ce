"""The engines of one model on one backend; if the GPU fails, the same on the CPU, and it is said."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from engines import backends
from engines.engine_spec import CARRIED_MASKS, TARGET_MASKS
from engines.errors import BackendError, GpuError
from puppet.loading import silently
from puppet.motion import carry_masks
from puppet.types import Motion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engines.backends.base import Array, Backend, BackendSettings, Engine
    from engines.model_folder import ModelFolder
    from engines.spec import RoleName

log = logging.getLogger(__name__)

FIRST_ROLES: tuple[RoleName, ...] = ("segmenter", "encoder", "generator")
"""Loaded at once; the one for part swap waits until it is wanted."""
PAINTERS: frozenset[RoleName] = frozenset({"generator", "swapper"})
"""These hold the avatar."""


class EngineSet:
    """Loads, runs and closes engines. Use it from one thread."""

    def __init__(
        self, model: ModelFolder, *, backend: str, settings: BackendSettings, step: Callable[[str], None] = silently
    ) -> None:
        """Load what every frame needs.

        Args:
            model: the folder.
            backend: its name, or auto: the first that works, in the order of preference.
            settings: threads and arithmetic.
            step: told what is loaded next; may raise to end it.

        Raises:
            EngineError: the backend is not usable here, or a graph cannot be loaded.
        """
        self._model = model
        self._engines: dict[RoleName, Engine] = {}
        self._avatar: dict[str, Array] = {}
        self.notice: str | None = None
        """What went wrong and was got round, one sentence for the user."""
        candidates = backends.suitable(backend, model, settings)
        for number, candidate in enumerate(candidates, start=1):
            try:
                self._open(candidate, settings, step)
            except BackendError as error:
                self.close()
                if number == len(candidates):
                    raise
                self._note(f"{error}; {candidates[number].name} is used instead")
            except BaseException:
                self.close()
                raise
            else:
                break

    @property
    def carries_masks(self) -> bool:
        """Whether the painting engines carry the avatar's masks along themselves."""
        return self._engines["generator"].carries_masks

    def pin(self, avatar: Mapping[str, Array]) -> None:
        """Give the painting engines an avatar: its features, and its motion as `source_...`."""
        self._avatar = dict(avatar)
        try:
            for role in self._engines.keys() & PAINTERS:
                self._engines[role].pin(self._avatar)
        except GpuError as error:
            self._fall_back(error)

    def run(self, role: RoleName, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run an engine, which is loaded if it is not there yet; outputs are valid until the next run.

        Raises:
            BackendError: the engine failed, and not because of a GPU.
        """
        try:
            return self._engine(role).run(inputs)
        except GpuError as error:
            self._fall_back(error)
        more = {}
        if role in PAINTERS and TARGET_MASKS not in inputs and "source_segmentation" in self._avatar:
            more = {TARGET_MASKS: self._carried(inputs)[None]}
        outputs = self._engine(role).run({**inputs, **more})
        return {**outputs, CARRIED_MASKS: more[TARGET_MASKS]} if more else outputs

    def close(self) -> None:
        """Free the engines; calling it twice is allowed."""
        while self._engines:
            self._engines.popitem()[1].close()

    def _open(self, backend: Backend, settings: BackendSettings, step: Callable[[str], None] = silently) -> None:
        self._backend, self._settings = backend, settings
        for role in FIRST_ROLES:
            step(f"loading the {role}")
            self._engine(role)
        self.description = f"{self._model.spec.name} on {backend.describe(settings)}"

    def _engine(self, role: RoleName) -> Engine:
        """The engine of a role, loaded and given the avatar on first use."""
        engine = self._engines.get(role)
        if engine is None:
            started = time.perf_counter()
            engine = self._engines[role] = self._backend.load(self._model, role, self._settings)
            log.info("%s loaded in %.1f s", role, time.perf_counter() - started)
            if role in PAINTERS and self._avatar:
                engine.pin(self._avatar)
        return engine

    def _fall_back(self, error: GpuError) -> None:
        """Load everything once more where no GPU is needed."""
        self.close()
        settings = replace(self._settings, precision="auto")
        others = [each for each in backends.suitable(backends.AUTO, self._model, settings) if not each.needs_gpu]
        if not others:
            raise error
        backend = others[0]
        self._note(f"{error}; {backend.name} is used from now on")
        self._open(backend, settings)

    def _note(self, sentence: str) -> None:
        self.notice = sentence
        log.warning("%s", sentence)

    def _carried(self, inputs: Mapping[str, Array]) -> Array:
        avatar = Motion(*(self._avatar[f"source_{name}"][0] for name in ("shift", "affine", "segmentation")))
        return carry_masks(avatar, Motion(inputs["target_shift"][0], inputs["target_affine"][0]))


def motion_inputs(side: str, motion: Motion) -> dict[str, Array]:
    """The motion as inputs of a generator, `source_...` or `target_...`."""
    inputs: dict[str, Array] = {f"{side}_shift": motion.shift[None], f"{side}_affine": motion.affine[None]}
    if motion.segmentation is not None:
        inputs[f"{side}_segmentation"] = motion.segmentation[None]
    return inputs
