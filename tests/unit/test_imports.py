"""What the program loads, and what it leaves alone until somebody asks for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OF_TRAINING = {"torch", "onnx", "onnxscript", "lightning_fabric"}
OF_THE_WINDOW = {"PyQt6"}
VENDORS = {"openvino", "onnxruntime", "pyvirtualcam", "tensorrt"}

IMPORT_ALL = """
import importlib, pkgutil, puppet
for module in pkgutil.walk_packages(puppet.__path__, "puppet."):
    if not module.name.startswith("puppet.gui"):
        importlib.import_module(module.name)
"""
HELP = """
import contextlib, runpy, sys
sys.argv = ["main.py", *{arguments!r}, "--help"]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(sys.stderr):
    runpy.run_path("main.py", run_name="__main__")
"""


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after running the code."""
    report = "\nimport sys\nprint(*sorted({name.partition('.')[0] for name in sys.modules}))"
    command = [sys.executable, "-W", "error", "-c", code + report]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 0, found.stderr
    return set(found.stdout.split())


def test_the_live_program_loads_neither_torch_nor_onnx_nor_qt() -> None:
    loaded = loaded_by(IMPORT_ALL)

    assert "numpy" in loaded
    assert not loaded & (OF_TRAINING | OF_THE_WINDOW)


def test_vendor_runtimes_are_loaded_on_request_only() -> None:
    assert not loaded_by(IMPORT_ALL + "\nimport engines.backends, engines.faces") & VENDORS


@pytest.mark.parametrize("arguments", [(), ("render",), ("bench",)])
def test_help_loads_neither_torch_nor_onnx_nor_qt(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(HELP.format(arguments=arguments))

    assert "argparse" in loaded
    assert not loaded & (OF_TRAINING | OF_THE_WINDOW | VENDORS)


def test_importing_the_package_costs_nothing() -> None:
    assert not loaded_by("import puppet") & {"numpy", "cv2", "pydantic", *VENDORS}
