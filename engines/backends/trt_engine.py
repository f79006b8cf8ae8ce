"""One TensorRT engine at work: buffers that stay where they are, and a CUDA graph for a whole run with its copies."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.backends.base import Array, Engine
from engines.engine_spec import CARRY_MASKS, TARGET_MASKS
from engines.errors import BackendError, GpuError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engines.backends.cuda import Cuda
    from engines.backends.trt import Loaded
    from engines.spec import RoleSpec, TensorSpec

log = logging.getLogger(__name__)

COMPUTING: frozenset[str] = frozenset({"without copies"})
"""Names the graph that `timed` launches, among those that are named after the inputs they copy."""


@dataclass(frozen=True)
class _Buffer:
    """One tensor, on the GPU and in pinned memory of the host."""

    device: int
    host: int
    size: int
    """Bytes."""
    array: Array
    """The host's side, with the tensor's shape and type."""


class TrtEngine(Engine):
    """An engine of TensorRT or TensorRT-RTX.

    Every tensor has one place on the GPU and one in pinned memory, so a run allocates nothing. Copies in, kernels and
    copies out are captured once for each set of inputs that is given together, launched as one, and waited for once.
    Pinned tensors stay on the GPU.
    """

    def __init__(self, loaded: Loaded, role: RoleSpec, cuda: Cuda) -> None:
        """Take an engine over; it and the stream are freed by `close`.

        Raises:
            BackendError: the engine's tensors are not those of its side-car.
            GpuError: there is not enough memory.
        """
        spec = loaded.file.spec
        super().__init__({each.name: each for each in role.inputs}, {each.name: each for each in role.outputs})
        self._path = loaded.file.path
        self._loaded: Loaded | None = loaded
        self._cuda = cuda
        self._inputs = tuple(each.name for each in spec.inputs)
        self._outputs = tuple(each.name for each in spec.outputs)
        self.carries_masks = CARRY_MASKS in self._inputs
        loaded.check_tensors()
        self._buffers = {each.name: self._buffer(each) for each in (*spec.inputs, *spec.outputs)}
        for name, buffer in self._buffers.items():
            loaded.place(name, buffer.device)
        self._pinned: set[str] = set()
        self._graphs: dict[frozenset[str], Any] = {}
        """By the inputs that are given, and `COMPUTING`; None where it cannot be captured."""
        self._is_carrying: bool | None = None
        self._marks: list[Any] = []

    def pin(self, tensors: Mapping[str, Array]) -> None:
        """See `Engine`; the tensors are copied to the GPU, once."""
        self.check(tensors)
        self._open()
        self._copy_in(tensors)
        self._cuda.synchronise()
        self._pinned |= set(tensors)

    def run(self, tensors: Mapping[str, Array]) -> dict[str, Array]:
        """See `Engine`; where `target_segmentation` is left out, the avatar's masks are carried along on the GPU.

        The outputs then include them, `carried_segmentation`.

        Raises:
            GpuError: the GPU is lost, or out of memory.
        """
        missing = {TARGET_MASKS} - set(tensors) if self.carries_masks else set()
        self.check_complete(self._pinned | missing, tensors)
        self._open()
        if self.carries_masks:
            self._carry(TARGET_MASKS in missing - self._pinned)
        self._fill(tensors)
        given = frozenset(tensors)
        if given not in self._graphs:
            self._graphs[given] = self._warmed_up(given)
        elif (graph := self._graphs[given]) is not None:
            self._cuda.launch(graph)
        else:
            self._enqueue(given)
        self._cuda.synchronise()
        return {name: self._buffers[name].array for name in self._outputs}

    def timed(self, tensors: Mapping[str, Array]) -> dict[str, float]:
        """Run once in pieces, after a `run` with the same inputs; returns milliseconds by trtexec's names.

        The middle piece is a graph of its own, as with trtexec's --useCudaGraph.
        """
        cuda, marks = self._cuda, self._marks
        while len(marks) < 4:
            marks.append(cuda.event())
        if COMPUTING not in self._graphs:
            self._graphs[COMPUTING] = self._captured(self._execute, copies=0)
        graph = self._graphs[COMPUTING]
        self._fill(tensors)
        cuda.mark(marks[0])
        self._enqueue_in(tensors)
        cuda.mark(marks[1])
        started = time.perf_counter()
        if graph is None:
            self._execute()
        else:
            cuda.launch(graph)
        enqueued = time.perf_counter()
        cuda.mark(marks[2])
        self._copy_out()
        cuda.mark(marks[3])
        cuda.synchronise()
        times = [cuda.between(*marks[index : index + 2]) for index in range(3)]
        return {
            "H2D Latency": times[0],
            "GPU Compute Time": times[1],
            "D2H Latency": times[2],
            "Enqueue Time": 1000 * (enqueued - started),
            "Latency": sum(times),
        }

    def close(self) -> None:
        """See `Engine`; the outputs of the last run are gone with it."""
        self._graphs.clear()
        self._buffers.clear()
        self._cuda.close()  # its graphs hold kernels of the engine, so they go first
        if self._loaded is not None:
            self._loaded.release()
        self._loaded = None

    def _open(self) -> Loaded:
        if self._loaded is None:
            raise BackendError(f"the engine of {self._path.name} is closed; load it again")
        return self._loaded

    def _buffer(self, spec: TensorSpec) -> _Buffer:
        dtype = np.dtype(spec.dtype)
        size = int(np.prod(spec.shape, dtype=np.int64)) * dtype.itemsize
        host, array = self._cuda.allocate_pinned(size)
        array[:] = 0
        return _Buffer(self._cuda.allocate(size), host, size, array.view(dtype).reshape(spec.shape))

    def _carry(self, is_carrying: bool) -> None:
        """Say where the target's masks come from; it stays so on the GPU until it changes."""
        if is_carrying != self._is_carrying:
            self._copy_in({CARRY_MASKS: np.array(is_carrying)})
            self._is_carrying = is_carrying

    def _copy_in(self, tensors: Mapping[str, Array]) -> None:
        self._fill(tensors)
        self._enqueue_in(tensors)

    def _fill(self, tensors: Mapping[str, Array]) -> None:
        for name, tensor in tensors.items():
            np.copyto(self._buffers[name].array, tensor)

    def _enqueue_in(self, names: Iterable[str]) -> None:
        for name in names:
            buffer = self._buffers[name]
            self._cuda.copy_in(buffer.device, buffer.host, buffer.size)

    def _copy_out(self) -> None:
        for name in self._outputs:
            buffer = self._buffers[name]
            self._cuda.copy_out(buffer.host, buffer.device, buffer.size)

    def _execute(self) -> None:
        self._open().execute(int(self._cuda.stream))

    def _enqueue(self, given: frozenset[str]) -> None:
        self._enqueue_in(sorted(given))
        self._execute()
        self._copy_out()

    def _warmed_up(self, given: frozenset[str]) -> Any:
        """Run once as it is, for TensorRT prepares much at its first run; then capture the same, for all later ones."""
        self._enqueue(given)
        self._cuda.synchronise()
        self._open().keep_runtime_cache()
        return self._captured(lambda: self._enqueue(given), copies=len(given) + len(self._outputs))

    def _captured(self, enqueue: Callable[[], None], *, copies: int) -> Any:
        """A graph, or None where TensorRT does something that cannot be in one."""
        if not self._open().can_be_captured(int(self._cuda.stream)):
            log.info("%s runs without a CUDA graph: TensorRT says that it cannot be captured", self._path.name)
            return None
        try:
            return self._cuda.captured(enqueue, more_than=copies)
        except GpuError as error:
            log.info("%s runs without a CUDA graph: %s", self._path.name, error)
            return None
