"""ONNX Runtime's CUDA provider on a GPU that is none: found, refused with a sentence, and given up when it fails."""

from __future__ import annotations

from importlib import metadata

import numpy as np
import pytest

from engines import backends
from engines.backends.base import BackendSettings
from engines.errors import BackendError, GpuError
from engines.model_folder import ModelFolder
from puppet import doctor
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame
from tests.feeds import feed

LOST = RuntimeError("CUDA failure 999: unknown error ;\nGPU=0 ; hostname=here")


@pytest.fixture
def backend(fake_onnxruntime):
    return backends.get("onnxrt-cuda")


def grey(level: int) -> np.ndarray:
    return np.full((32, 32, 3), level, np.uint8)


def test_an_onnx_runtime_without_cuda_says_how_to_get_one(fake_onnxruntime, backend):
    fake_onnxruntime.providers = ["CPUExecutionProvider"]

    assert "has no CUDA; on an NVIDIA GPU replace it: pip uninstall -y onnxruntime; pip install 'onnxruntime-gpu" in (
        backend.why_unavailable()
    )


def test_cuda_that_cannot_be_used_is_said_in_one_line_and_asked_for_once(fake_onnxruntime, backend, capsys):
    fake_onnxruntime.faults["ortvalue_from_numpy"] = RuntimeError("/src/x.cc:1 get() CUDA Provider not available, more")

    assert "finds no CUDA that it can use (CUDA Provider not available); is the driver there?" in (
        reason := backend.why_unavailable()
    )
    fake_onnxruntime.faults.clear()
    assert backend.why_unavailable() == reason
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("can_capture", [True, False])
def test_launches_are_captured_where_all_of_a_graph_runs_there(fake_onnxruntime, backend, tiny_model, can_capture):
    fake_onnxruntime.can_capture = can_capture

    with backend.load(tiny_model, "encoder", BackendSettings()):
        assert fake_onnxruntime.captured == [can_capture]


def test_a_session_that_quietly_went_to_the_cpu_is_refused(fake_onnxruntime, backend, tiny_model):
    fake_onnxruntime.gives_cuda = False

    with pytest.raises(GpuError, match=r"does not run encoder\.onnx on the GPU; pip uninstall -y onnxruntime"):
        backend.load(tiny_model, "encoder", BackendSettings())


def test_auto_takes_it_before_the_cpu_and_after_tensorrt(backend, tiny_model):
    assert [each.name for each in backends.suitable("auto", tiny_model, BackendSettings())] == [
        "onnxrt-cuda", "ovino", "onnxrt",
    ]  # fmt: skip
    assert backends.names().index("onnxrt-cuda") > backends.names().index("tensorrt-rtx")


@pytest.mark.parametrize(
    ("held", "wanted", "usable"), [("fp32", "fp16", False), ("fp16", "fp16", True), ("int8", "auto", False)]
)
def test_it_computes_as_the_folder_says(backend, tiny_model, held, wanted, usable):
    model = ModelFolder(tiny_model.path, tiny_model.spec.model_copy(update={"precision": held}))

    assert (backend.why_unsuitable(model, BackendSettings(precision=wanted)) is None) == usable


def test_an_avatar_is_copied_once(fake_onnxruntime, backend, tiny_model, rng):
    values = feed(tiny_model, "generator", rng)
    target = {name: values.pop(name) for name in list(values) if name.startswith("target")}
    with backend.load(tiny_model, "generator", BackendSettings()) as engine:
        engine.pin(values)
        before = fake_onnxruntime.copies
        for _ in range(3):
            engine.run(target)

    assert fake_onnxruntime.copies - before == 3 * len(target)


def test_a_lost_gpu_is_said_and_the_cpu_goes_on(fake_onnxruntime, tiny_model, caplog):
    with Puppeteer(tiny_model, backend="onnxrt-cuda") as puppeteer:
        puppeteer.set_avatar(puppeteer.make_avatar(grey(100), name="grey"))
        puppeteer.render(Frame(grey(128), 0, 0.0), LiveSettings())
        wanted = puppeteer.render(Frame(grey(179), 1, 0.1), LiveSettings())
        fake_onnxruntime.faults["run_with_iobinding"] = LOST

        seen = puppeteer.render(Frame(grey(179), 2, 0.2), LiveSettings())

    np.testing.assert_array_equal(seen.image, wanted.image)
    assert "(CUDA failure 999: unknown error); free its memory, or choose another backend; ovino is used from now" in (
        puppeteer.notice
    )


def test_a_full_gpu_is_an_error_where_it_was_asked_for_by_name(fake_onnxruntime, backend, tiny_model):
    assert backend.why_unavailable() is None
    fake_onnxruntime.faults["ortvalue_from_numpy"] = RuntimeError("CUDA failure 2: out of memory")

    with pytest.raises(BackendError, match="CUDA failure 2: out of memory"):
        Puppeteer(tiny_model, backend="onnxrt-cuda")


def test_doctor_takes_either_package(monkeypatch):
    def version(package):
        if package == "onnxruntime":
            raise metadata.PackageNotFoundError(package)
        return "1.31.1"

    monkeypatch.setattr(metadata, "version", version)

    assert dict(doctor._packages())["onnxruntime"] == "1.31.1 (onnxruntime-gpu)"


def test_doctor_names_it(backend, tiny_model):
    rows = dict(doctor.examine(tiny_model.path)[0])

    assert rows["backend onnxrt-cuda"].startswith("usable: ONNX Runtime ")
    assert rows["backend onnxrt-cuda"].endswith(", CUDA")
