"""TensorRT's and CUDA's modules: found, asked for versions and devices, their messages sent to `logging`."""

from __future__ import annotations

import logging
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from engines.engine_spec import TITLES, Machine
from engines.errors import BackendError, GpuError

if TYPE_CHECKING:
    from engines.engine_spec import TensorRtName

log = logging.getLogger(__name__)

MODULES: dict[TensorRtName, tuple[str, ...]] = {
    "tensorrt": ("tensorrt",),
    "tensorrt-rtx": ("tensorrt_rtx", "tensorrt_rtx_bindings"),
}
"""The first that is there; the meta package of TensorRT-RTX only passes its bindings on."""


def import_trt(name: TensorRtName) -> Any:
    """TensorRT's module.

    Raises:
        BackendError: it is not installed, or cannot be loaded; the sentence says how to install it.
    """
    failures = []
    for module in MODULES[name]:
        try:
            return import_module(module)
        except (ImportError, OSError, RuntimeError) as error:  # a wheel without its libraries raises any of these
            failures.append(str(error))
    raise BackendError(
        f"{TITLES[name]} cannot be imported ({failures[-1]}); install it with: pip install 'puppet-live[{name}]'"
    )


def import_cudart() -> Any:
    """CUDA's runtime, of NVIDIA's own bindings.

    Raises:
        BackendError: they are not installed.
    """
    try:
        return import_module("cuda.bindings.runtime")
    except (ImportError, OSError, RuntimeError) as error:
        raise BackendError(
            f"CUDA's bindings cannot be imported ({error}); install them with: pip install cuda-bindings"
        ) from error


def checked(result: tuple[Any, ...], doing: str) -> Any:
    """What a call of CUDA's bindings gave besides its error code.

    Raises:
        GpuError: the code is an error; the sentence says what was being done.
    """
    code, *values = result
    if int(code) != 0:
        raise GpuError(f"the GPU failed while {doing} ({getattr(code, 'name', code)}); {_advice(int(code))}")
    return values[0] if len(values) == 1 else tuple(values)


def machine(name: TensorRtName) -> Machine:
    """Versions and GPU here; without a driver or a GPU those fields are empty.

    Raises:
        BackendError: TensorRT or CUDA's bindings are not installed.
    """
    return _machine(name, import_trt(name), import_cudart())


@cache
def _machine(name: TensorRtName, trt: Any, cudart: Any) -> Machine:
    driver = int(checked(cudart.cudaDriverGetVersion(), "its driver was asked for its version"))
    bare = Machine(
        backend=name,
        version=str(trt.__version__),
        cuda=version_text(int(checked(cudart.cudaRuntimeGetVersion(), "CUDA was asked for its version"))),
        driver=version_text(driver) if driver else None,
    )
    properties = first_gpu(cudart)
    if not driver or properties is None:
        return bare
    return bare.model_copy(
        update={"device": device_name(properties), "capabilities": (capability(properties),)},
    )


def first_gpu(cudart: Any) -> Any:
    """What CUDA says of the first GPU, its `cudaDeviceProp`; None if it finds none."""
    code, count = cudart.cudaGetDeviceCount()
    if int(code) != 0 or not count:
        return None
    return checked(cudart.cudaGetDeviceProperties(0), "it was asked for its name")


def device_name(properties: Any) -> str:
    """Of a GPU, by its `cudaDeviceProp`."""
    return str(properties.name.decode().strip("\0"))


def capability(properties: Any) -> str:
    """Compute capability of a GPU, such as 8.9."""
    return f"{properties.major}.{properties.minor}"


def why_no_gpu(name: TensorRtName) -> str | None:
    """None if there is a GPU to run on, else what is missing.

    Raises:
        BackendError: TensorRT or CUDA's bindings are not installed.
    """
    here = machine(name)
    if here.device is not None:
        return _why_unknown(here)
    if here.driver is None:
        return "there is no NVIDIA driver here"
    return f"the NVIDIA driver (for CUDA {here.driver}) finds no GPU for CUDA {here.cuda}; update it"


def compute_capability(trt: Any, capability: str) -> Any:
    """TensorRT-RTX's name of a compute capability such as 8.9; None if it knows no such GPU."""
    return getattr(trt.ComputeCapability, "SM" + capability.replace(".", ""), None)


def _why_unknown(here: Machine) -> str | None:
    """None unless it is a GPU that TensorRT-RTX leaves out, as those of data centres."""
    if here.backend != "tensorrt-rtx" or compute_capability(import_trt(here.backend), here.capabilities[0]) is not None:
        return None
    return f"TensorRT-RTX {here.version} knows no GPU of compute capability {here.capabilities[0]} ({here.device})"


def logger(trt: Any) -> Any:
    """An object that TensorRT writes its messages to; errors are kept in `errors` for the sentence that follows."""

    class _Logger(trt.ILogger):  # type: ignore[misc]  # the base is known at run time only
        def __init__(self) -> None:
            super().__init__()
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity <= trt.ILogger.ERROR:
                # What matters of them ends up in an exception; without a GPU, a build that succeeds has some, too.
                self.errors.append(message)
            log.log(logging.INFO if severity <= trt.ILogger.WARNING else logging.DEBUG, "%s", message)

    return _Logger()


def version_text(number: int) -> str:
    """CUDA's number of a version, such as 13000, as 13.0."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _advice(code: int) -> str:
    if code == 2:
        return "its memory is full: close other programs that use it, or choose another backend"
    return "start the program again; if it stays so, update the driver or choose another backend"
