"""`onnxruntime-gpu` as far as the project calls it: the real module for the CPU, which says that it has CUDA.

Everything but the place of tensors is real, so that calls and their order are checked by ONNX Runtime itself.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import onnxruntime

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


class FakeOnnxRuntime:
    """The module."""

    def __init__(self) -> None:
        self.providers = ["TensorrtExecutionProvider", CUDA, CPU]
        self.gives_cuda = True
        """Whether sessions come to run there."""
        self.faults: dict[str, Exception] = {}
        """What calls shall raise, by name, until taken out."""
        self.can_capture = True
        """Whether all of a graph comes to run there."""
        self.captured: list[bool] = []
        """Of each session, whether its launches are."""
        self.copies = 0
        """To the GPU."""
        self.OrtValue = SimpleNamespace(ortvalue_from_numpy=self._value)

    def __getattr__(self, name: str) -> Any:
        return getattr(onnxruntime, name)

    def get_available_providers(self) -> list[str]:
        return self.providers

    def preload_dlls(self) -> None:
        print("Failed to load libcufft.so.12")  # noqa: T201 - as it does

    def InferenceSession(self, path: str, options: Any, *, providers: list[Any], enable_fallback: int) -> Any:
        ((name, wanted),) = providers
        assert (name, wanted["use_tf32"], enable_fallback) == (CUDA, "0", 0)
        self._fail("InferenceSession")
        is_captured = wanted.get("enable_cuda_graph") == "1"
        if is_captured and not self.can_capture:
            raise RuntimeError("This session cannot use the graph capture feature as requested by the user")
        self.captured.append(is_captured)
        return _Session(self, onnxruntime.InferenceSession(path, options, providers=[CPU]))

    def _value(self, array: Any, device: str, number: int) -> Any:
        assert (device, number) == ("cuda", 0)
        self._fail("ortvalue_from_numpy")
        return _Value(self, onnxruntime.OrtValue.ortvalue_from_numpy(array, "cpu", 0))

    def _fail(self, name: str) -> None:
        if name in self.faults:
            raise self.faults[name]


class _Value:
    def __init__(self, module: FakeOnnxRuntime, value: Any) -> None:
        self.module, self.value = module, value

    def update_inplace(self, array: Any) -> None:
        assert array.flags.c_contiguous
        self.module.copies += 1
        self.value.update_inplace(array)

    def numpy(self) -> Any:
        """A copy, as from a GPU."""
        return self.value.numpy().copy()


class _Session:
    def __init__(self, module: FakeOnnxRuntime, session: Any) -> None:
        self._module, self._session = module, session

    def get_providers(self) -> list[str]:
        return [CUDA, CPU] if self._module.gives_cuda else [CPU]

    def io_binding(self) -> Any:
        binding = self._session.io_binding()
        bind_input, bind_output = binding.bind_ortvalue_input, binding.bind_ortvalue_output
        binding.bind_ortvalue_input = lambda name, value: bind_input(name, value.value)
        binding.bind_ortvalue_output = lambda name, value: bind_output(name, value.value)
        return binding

    def run_with_iobinding(self, binding: Any) -> None:
        self._module._fail("run_with_iobinding")
        self._session.run_with_iobinding(binding)


def installed(patch: Any) -> FakeOnnxRuntime:
    """Let the project find it until the patch is undone."""
    module = FakeOnnxRuntime()
    patch.setattr("engines.backends.onnxrt_cuda.import_onnxruntime", lambda: module)
    return module
