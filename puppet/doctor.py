"""`doctor`: what the program finds on this machine, and what is missing."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

from engines import backends
from engines.backends.base import BackendSettings
from engines.errors import EngineError
from engines.model_folder import ModelFolder
from puppet.config import has_screen
from puppet.errors import PuppetError
from puppet.sinks import virtual_camera
from puppet.sources.cameras import list_cameras

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("numpy", "opencv-python-headless", "av", "pillow", "openvino", "onnxruntime", "PyQt6", "pyvirtualcam")
INSTEAD = {"onnxruntime": "onnxruntime-gpu"}
"""Packages that bring the same module."""


def examine(model: Path, *, measure: bool = False) -> tuple[list[tuple[str, str]], bool]:
    """Look at interpreter, packages, backends and model.

    Args:
        model: folder to look into.
        measure: find anew which backend, arithmetic and picture size suit this machine.

    Returns:
        Rows of name and finding; whether pictures can be rendered here.
    """
    rows = [
        ("python", f"{platform.python_version()} ({platform.python_implementation()})"),
        ("platform", f"{platform.platform()}"),
        *((f"package {name}", version or "missing: pip install " + name) for name, version in _packages()),
    ]
    finding, is_whole = _model(model)
    usable = False
    for name in backends.names():
        reason = backends.get(name).why_unavailable()
        if reason is None and is_whole:
            reason = backends.get(name).why_unsuitable(ModelFolder.read(model), BackendSettings())
        usable = usable or reason is None
        rows.append((f"backend {name}", reason or f"usable: {backends.get(name).describe(BackendSettings())}"))
    rows.append(("model", finding))
    if is_whole:
        rows.append(("auto", _choice(model, measure=measure)))
    rows.append(("screen", "yes" if has_screen() else "no: videos can be rendered, a window cannot be opened"))
    rows += _cameras()
    rows.append(("virtual camera", virtual_camera.describe()))
    return rows, usable and is_whole


def _cameras() -> list[tuple[str, str]]:
    """A row for each, with what stands in its way."""
    try:
        cameras = list_cameras()
    except PuppetError as error:
        return [("camera", str(error))]
    found = [
        ("camera", f"{camera.name} ({camera.address}){': ' if reason else ''}{reason}")
        for camera in cameras
        for reason in [camera.why_not() or ""]
    ]
    return found or [("camera", "none found")]


def _packages() -> Iterator[tuple[str, str | None]]:
    for name in PACKAGES:
        other = INSTEAD.get(name)
        version = _version(name)
        if version is None and other is not None and (version := _version(other)):
            version = f"{version} ({other})"
        yield name, version


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _choice(path: Path, *, measure: bool) -> str:
    from puppet import choosing

    model = ModelFolder.read(path)
    try:
        found = choosing.choose(model, anew=True) if measure else choosing.remembered(model)
    except EngineError as error:
        return str(error)
    return found.sentence if found else "not measured yet; live does at its first start, or doctor --measure now"


def _model(path: Path) -> tuple[str, bool]:
    try:
        model = ModelFolder.read(path)
        for role in model.spec.roles:
            model.file(role)
    except EngineError as error:
        return str(error), False
    spec = model.spec
    roles = ", ".join(spec.roles)
    return f"{path}: {spec.name}, family {spec.family}, {spec.parts} parts, {spec.size} pixels, {roles}", True
