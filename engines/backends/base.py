"""The seam behind which every runtime sits: load a graph, pin what stays, run by tensor name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from engines.model_folder import ModelFolder
    from engines.spec import RoleName, TensorSpec

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class BackendSettings:
    """How a backend runs; what a backend does not know it refuses with a sentence."""

    threads: int = 0
    """CPU threads; 0 leaves the choice to the backend."""
    precision: Literal["auto", "fp32", "fp16", "bf16", "int8"] = "auto"
    """Arithmetic; `auto` is the fastest that the backend verified on this device."""
    engine_folder: Path | None = None
    """Where built engines lie; None is the folder that `build_engines` uses by itself."""

    @property
    def thread_text(self) -> str:
        """Threads in words, for descriptions."""
        if self.threads == 0:
            return "automatic threads"
        return "1 thread" if self.threads == 1 else f"{self.threads} threads"


class Engine(ABC):
    """One loaded graph. Inputs and outputs are addressed by name, never by position."""

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    carries_masks: bool = False
    """Whether `target_segmentation` may be left out: the engine then carries the avatar's masks along itself, and gives
    them as a further output, `carried_segmentation`."""

    def __init__(self, inputs: Mapping[str, TensorSpec], outputs: Mapping[str, TensorSpec]) -> None:
        self.inputs = inputs
        self.outputs = outputs

    @abstractmethod
    def pin(self, tensors: Mapping[str, Array]) -> None:
        """Keep these inputs for every later `run`; a later `pin` of the same name replaces it.

        Raises:
            ValueError: a name, shape or dtype is not this graph's.
        """

    @abstractmethod
    def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """Run once with the pinned inputs and these; outputs are valid until the next `run`.

        Raises:
            ValueError: an input is missing, or a name, shape or dtype is not this graph's.
            BackendError: the runtime failed.
        """

    @abstractmethod
    def close(self) -> None:
        """Free what the engine holds; calling it twice is allowed."""

    def check(self, tensors: Mapping[str, Array]) -> None:
        """Raise ValueError, naming the tensor, unless each is an input of this graph with its shape and dtype."""
        for name, tensor in tensors.items():
            spec = self.inputs.get(name)
            if spec is None:
                raise ValueError(f"no input {name!r}; there are {', '.join(self.inputs)}")
            if tuple(tensor.shape) != spec.shape or tensor.dtype != np.dtype(spec.dtype):
                raise ValueError(f"{name} is {tensor.dtype} {tensor.shape}, expected {spec.dtype} {spec.shape}")

    def check_complete(self, pinned: Collection[str], tensors: Mapping[str, Array]) -> None:
        """Raise ValueError unless pinned and given inputs together are this graph's, each once."""
        self.check(tensors)
        twice = [name for name in tensors if name in pinned]
        if twice:
            raise ValueError(f"{', '.join(twice)} is pinned; pin the new value instead of passing it")
        missing = [name for name in self.inputs if name not in tensors and name not in pinned]
        if missing:
            raise ValueError(f"no value for {', '.join(missing)}; pin it or pass it")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Backend(ABC):
    """A runtime. Vendor modules are imported inside the methods, so that listing backends costs nothing."""

    name: str
    needs_gpu: bool = False

    @abstractmethod
    def why_unavailable(self) -> str | None:
        """None if it can be used on this machine, else one sentence with what to install or change."""

    @abstractmethod
    def why_unsuitable(self, model: ModelFolder, settings: BackendSettings) -> str | None:
        """None if it can run this model with these settings, else one sentence with what to choose instead."""

    @abstractmethod
    def describe(self, settings: BackendSettings) -> str:
        """Backend, version, device, precision and threads in one short line, for the status bar and `bench`."""

    @abstractmethod
    def load(self, model: ModelFolder, role: RoleName, settings: BackendSettings) -> Engine:
        """An engine for one role of a model folder.

        Raises:
            BackendError: the backend is not usable here, or a setting is not one it knows.
        """
