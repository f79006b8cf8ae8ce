"""CUDA's bindings as far as the project calls them, on a GPU made of host memory.

Nothing that is enqueued happens before somebody waits for the stream, so that a forgotten wait shows as wrong numbers.
Addresses are checked against what was allocated and for which side.
"""

from __future__ import annotations

import ctypes
from enum import IntEnum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

OUT_OF_MEMORY, LOST = 2, 999
"""Codes of CUDA's."""


class Kind(IntEnum):
    """`cudaMemcpyKind`."""

    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


class FakeCudart:
    """`cuda.bindings.runtime`; calls give a code and, where there is one, a value."""

    cudaMemcpyKind = Kind
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)

    def __init__(self, *, name: str, capability: tuple[int, int]) -> None:
        self.properties = SimpleNamespace(
            name=name.encode(), major=capability[0], minor=capability[1], totalGlobalMem=24 << 30
        )
        self.memory: dict[int, tuple[str, np.ndarray]] = {}
        """Address to "device" or "host" and the bytes."""
        self.streams: dict[int, list[Callable[[], None]]] = {}
        self.objects: set[int] = set()
        """Graphs and events that are alive."""
        self.graphs: dict[int, list[Callable[[], None]]] = {}
        self.capturing: dict[int, list[Callable[[], None]]] = {}
        self.calls: dict[str, int] = {}
        self.faults: dict[str, int] = {}
        """Codes that calls shall give, by name, until taken out."""
        self.has_context = False
        self._next = 1

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if not name.startswith("cuda") or not callable(found) or isinstance(found, type):
            return found

        def call(*arguments: Any) -> tuple[Any, ...]:
            self.calls[name] = self.calls.get(name, 0) + 1
            if name in self.faults:
                return (self.faults[name], None)
            given = found(*arguments)
            return given if isinstance(given, tuple) else (0,) if given is None else (0, given)

        return call

    def cudaDriverGetVersion(self) -> int:
        return 13000

    def cudaRuntimeGetVersion(self) -> int:
        return 13000

    def cudaGetDeviceCount(self) -> int:
        return 1

    def cudaGetDeviceProperties(self, device: int) -> Any:
        assert device == 0
        return self.properties

    def cudaSetDevice(self, device: int) -> None:
        assert device == 0
        self.has_context = True

    def cudaMemGetInfo(self) -> tuple[int, int, int]:
        return (0, 23 << 30, 24 << 30)

    def cudaStreamCreateWithFlags(self, flags: int) -> int:
        assert flags == 1
        return self._new(self.streams, [])

    def cudaStreamDestroy(self, stream: int) -> None:
        del self.streams[stream]

    def cudaStreamSynchronize(self, stream: int) -> None:
        assert stream not in self.capturing
        work, self.streams[stream] = self.streams[stream], []
        for do in work:
            do()

    def cudaMalloc(self, size: int) -> int:
        return self._allocate("device", size)

    def cudaHostAlloc(self, size: int, flags: int) -> int:
        assert flags == 0
        return self._allocate("host", size)

    def cudaFree(self, address: int) -> None:
        assert self.memory.pop(address)[0] == "device"

    def cudaFreeHost(self, address: int) -> None:
        assert self.memory.pop(address)[0] == "host"

    def cudaMemcpyAsync(self, to: int, origin: int, size: int, kind: Kind, stream: int) -> None:
        sides = ("device", "host") if kind == Kind.cudaMemcpyHostToDevice else ("host", "device")
        assert [self.memory[address][0] for address in (to, origin)] == list(sides)
        assert all(self.memory[address][1].nbytes == size for address in (to, origin))
        self.enqueue(stream, lambda: ctypes.memmove(to, origin, size))

    def cudaStreamBeginCapture(self, stream: int, mode: int) -> None:
        assert mode == 1
        self.capturing[stream] = []

    def cudaStreamEndCapture(self, stream: int) -> int:
        return self._new(self.graphs, self.capturing.pop(stream))

    def cudaGraphGetNodes(self, graph: int) -> tuple[int, list[int], int]:
        steps = len(self.graphs[graph])
        return (0, list(range(steps)), steps)

    def cudaGraphInstantiate(self, graph: int, flags: int) -> int:
        assert flags == 0
        return self._new(self.graphs, list(self.graphs[graph]))

    def cudaGraphDestroy(self, graph: int) -> None:
        del self.graphs[graph]

    def cudaGraphExecDestroy(self, graph: int) -> None:
        del self.graphs[graph]

    def cudaGraphLaunch(self, graph: int, stream: int) -> None:
        self.streams[stream].extend(self.graphs[graph])

    def cudaEventCreate(self) -> int:
        self._next += 1
        self.objects.add(self._next)
        return self._next

    def cudaEventDestroy(self, event: int) -> None:
        self.objects.remove(event)

    def cudaEventRecord(self, event: int, stream: int) -> None:
        assert event in self.objects

    def cudaEventElapsedTime(self, start: int, end: int) -> float:
        assert {start, end} <= self.objects
        return 0.25

    def enqueue(self, stream: int, do: Callable[[], None]) -> None:
        """To be done when the stream is waited for, or by the graph that is being captured."""
        self.capturing.get(stream, self.streams[stream]).append(do)

    def is_clean(self) -> bool:
        """Whether everything was freed."""
        return not (self.memory or self.streams or self.graphs or self.objects)

    def _allocate(self, side: str, size: int) -> int:
        held = np.full(max(size, 1), 0xAA, np.uint8)  # nobody may count on zeros
        self.memory[held.ctypes.data] = (side, held)
        return held.ctypes.data

    def _new(self, table: dict[int, Any], value: Any) -> int:
        self._next += 1
        table[self._next] = value
        return self._next
