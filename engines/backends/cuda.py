"""A stream of one GPU, its memory and its graphs, through NVIDIA's own bindings. Use it from one thread."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.backends.trt_vendor import checked
from engines.errors import GpuError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

DEVICE = 0
"""Of several GPUs the first is used; CUDA_VISIBLE_DEVICES says which that is."""
NON_BLOCKING = 1
"""Flag of a stream that does not wait for the default one."""


class Cuda:
    """One stream and everything that was allocated for it; `close` frees it all."""

    def __init__(self, cudart: Any) -> None:
        """Make a stream.

        Args:
            cudart: `cuda.bindings.runtime`.

        Raises:
            GpuError: there is no GPU, or it fails.
        """
        self._cudart = cudart
        # Its context becomes this thread's; TensorRT-RTX asks for one when it reads the kernels it kept.
        checked(cudart.cudaSetDevice(DEVICE), "it was opened")
        self.stream = checked(cudart.cudaStreamCreateWithFlags(NON_BLOCKING), "a stream was made")
        self._device: list[int] = []
        self._pinned: list[int] = []
        self._graphs: list[Any] = []
        self._events: list[Any] = []
        self._is_closed = False

    def allocate(self, size: int) -> int:
        """The address of so many bytes on the GPU."""
        address = int(checked(self._cudart.cudaMalloc(size), f"{size / 1e6:.1f} MB were asked for"))
        self._device.append(address)
        return address

    def allocate_pinned(self, size: int) -> tuple[int, NDArray[np.uint8]]:
        """The address of so many bytes of page-locked memory of the host, and the same as an array."""
        doing = f"{size / 1e6:.1f} MB of pinned memory were asked for"
        address = int(checked(self._cudart.cudaHostAlloc(size, 0), doing))
        self._pinned.append(address)
        # A view, not a copy: valid until `close`.
        return address, np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))

    def copy_in(self, device: int, host: int, size: int) -> None:
        """Enqueue a copy from the host."""
        kind = self._cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        checked(self._cudart.cudaMemcpyAsync(device, host, size, kind, self.stream), "inputs were copied")

    def copy_out(self, host: int, device: int, size: int) -> None:
        """Enqueue a copy to the host."""
        kind = self._cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        checked(self._cudart.cudaMemcpyAsync(host, device, size, kind, self.stream), "outputs were copied")

    def synchronise(self) -> None:
        """Wait for everything that was enqueued."""
        checked(self._cudart.cudaStreamSynchronize(self.stream), "it computed")

    def captured(self, enqueue: Callable[[], None], *, more_than: int = 0) -> Any:
        """What a call enqueues, as a graph that is launched at once later; nothing runs yet.

        Args:
            enqueue: the call.
            more_than: how many steps of it are copies; a graph of no more than these has missed the rest.

        Raises:
            GpuError: something in it cannot be captured.
        """
        cudart = self._cudart
        mode = cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        checked(cudart.cudaStreamBeginCapture(self.stream, mode), "a graph was begun")
        try:
            enqueue()
        except GpuError:
            # It has failed already; this only leaves the capture.
            graph = cudart.cudaStreamEndCapture(self.stream)[1]
            if graph is not None:
                cudart.cudaGraphDestroy(graph)
            raise
        graph = checked(cudart.cudaStreamEndCapture(self.stream), "a graph was captured")
        try:
            _, steps = checked(cudart.cudaGraphGetNodes(graph), "a graph was looked at")
            if steps <= more_than:
                raise GpuError(f"the graph that was captured holds {steps} steps and none that computes")
            executable = checked(cudart.cudaGraphInstantiate(graph, 0), "a graph was made")
        finally:
            cudart.cudaGraphDestroy(graph)
        self._graphs.append(executable)
        return executable

    def launch(self, graph: Any) -> None:
        """Enqueue a captured graph."""
        checked(self._cudart.cudaGraphLaunch(graph, self.stream), "a graph was launched")

    def event(self) -> Any:
        """A mark whose time can be taken."""
        made = checked(self._cudart.cudaEventCreate(), "an event was made")
        self._events.append(made)
        return made

    def mark(self, event: Any) -> None:
        """Enqueue a mark."""
        checked(self._cudart.cudaEventRecord(event, self.stream), "an event was recorded")

    def between(self, start: Any, end: Any) -> float:
        """Milliseconds between two marks that have passed."""
        return float(checked(self._cudart.cudaEventElapsedTime(start, end), "events were compared"))

    def close(self) -> None:
        """Free everything; calling it twice is allowed. What a lost GPU refuses to free is gone anyway."""
        if self._is_closed:
            return
        self._is_closed = True
        frees = (
            (self._graphs, self._cudart.cudaGraphExecDestroy),
            (self._events, self._cudart.cudaEventDestroy),
            (self._device, self._cudart.cudaFree),
            (self._pinned, self._cudart.cudaFreeHost),
            ([self.stream], self._cudart.cudaStreamDestroy),
        )
        for held, free in frees:
            while held:
                free(held.pop())
