"""Engine files and their side-cars: where they lie, which one fits this machine, which are old (no vendor here)."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from pydantic import ValidationError

from engines.engine_spec import ENGINE_FORMAT, TITLES, EngineSpec
from engines.errors import BackendError, BuildError
from engines.model_folder import sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from engines.engine_spec import BuildOptions, EnginePrecision, Machine, TensorRtName
    from engines.model_folder import ModelFolder
    from engines.spec import RoleName

SUFFIX, SIDE_CAR, KERNELS, UNFINISHED = ".engine", ".json", ".kernels", ".unfinished"
"""KERNELS: what TensorRT-RTX compiled for this GPU."""
AGAIN = "; build it again:"
"""After the reason why an engine that is there does not do."""
TOOL = "tools/build_engines.py"


@dataclass(frozen=True)
class EngineFile:
    """An engine and what its side-car says; the engine's bytes are not looked at yet."""

    path: Path
    spec: EngineSpec

    @classmethod
    def read(cls, path: Path) -> EngineFile:
        """Read an engine's side-car.

        Raises:
            BackendError: there is none, or it cannot be used; the engine must not be loaded.
        """
        side_car = path.with_suffix(SIDE_CAR)
        try:
            values = json.loads(side_car.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise BackendError(f"{path} has no {side_car.name} beside it; build it again with {TOOL}") from error
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise BackendError(f"{side_car} cannot be read ({error}); build the engine again with {TOOL}") from error
        version = values.get("format_version") if isinstance(values, dict) else None
        if isinstance(version, int) and version > ENGINE_FORMAT:
            raise BackendError(f"{side_car} has format {version}, this program reads up to {ENGINE_FORMAT}; update it")
        try:
            return cls(path, EngineSpec.model_validate(values))
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise BackendError(f"{side_car}: {place}: {first['msg']}; build it again with {TOOL}") from error

    def content(self) -> bytes:
        """The engine, once it is seen to be the one that was written.

        Raises:
            BackendError: the file is missing, cut off or changed.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise BackendError(f"{self.path} cannot be read ({error.strerror}); build it again with {TOOL}") from error
        if len(data) != self.spec.engine_bytes:
            raise BackendError(
                f"{self.path} is cut off or not ours ({len(data)} bytes instead of {self.spec.engine_bytes}); "
                f"build it again with {TOOL}"
            )
        if hashlib.sha256(data).hexdigest() != self.spec.engine_sha256:
            raise BackendError(f"{self.path} was changed since it was built; build it again with {TOOL}")
        return data


def default_folder() -> Path:
    """Where engines are kept, there or not."""
    return platformdirs.user_cache_path("puppet", appauthor=False) / "engines"


def model_folder(folder: Path, model: ModelFolder) -> Path:
    """Where the engines of a model are kept: other graphs lie elsewhere, so an update never meets old engines."""
    digests = "".join(model.spec.roles[role].sha256 for role in sorted(model.spec.roles))
    short = hashlib.sha256(digests.encode()).hexdigest()[:12]
    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in model.spec.name)
    return folder / f"{name}-{short}"


def path_for(folder: Path, model: ModelFolder, role: RoleName, *, target: Machine, options: BuildOptions) -> Path:
    """Where an engine for that machine goes; a newer version of TensorRT replaces it there."""
    capabilities = "+".join("sm" + capability.replace(".", "") for capability in target.capabilities)
    name = f"{role}-{options.precision}-{target.backend}-{capabilities}{SUFFIX}"
    return model_folder(folder, model) / name


def find(folder: Path, model: ModelFolder, role: RoleName, *, precision: EnginePrecision, here: Machine) -> EngineFile:
    """The engine of a role that may be loaded on this machine.

    Raises:
        BackendError: there is none; if there are others, the sentence says in what they differ.
    """
    reasons = []
    for path in sorted(model_folder(folder, model).glob(f"{role}-{precision}-{here.backend}-sm*{SUFFIX}")):
        try:
            found = EngineFile.read(path)
        except BackendError as error:
            reasons.append(str(error))
            continue
        reason = _why_not(found.spec, model, role, here)
        if reason is not None:
            reasons.append(f"{path.name} {reason}")
        elif _digest(path, path.stat().st_mtime_ns, path.stat().st_size) != found.spec.engine_sha256:
            reasons.append(f"{path.name} is cut off, or was changed since it was built")
        else:
            return found
    if reasons:
        raise BackendError(f"{'; '.join(reasons)}{AGAIN} {command(model, here.backend, precision)}")
    raise BackendError(
        f"there is no {TITLES[here.backend]} engine of {model.spec.name}'s {role} in {precision} for this machine; "
        f"build it: {command(model, here.backend, precision)}"
    )


@lru_cache(maxsize=64)
def _digest(path: Path, changed_at: int, size: int) -> str:  # a file with the same time and size is not read again
    """The file's SHA-256."""
    return sha256(path)


def command(model: ModelFolder, backend: TensorRtName, precision: EnginePrecision) -> str:
    """What to type to have engines built."""
    return f"python {TOOL} {model.path} --backend {backend} --precision {precision}"


def _why_not(spec: EngineSpec, model: ModelFolder, role: RoleName, here: Machine) -> str | None:
    entry = model.spec.roles[role]
    if spec.machine.backend != here.backend:
        return f"was built with {TITLES[spec.machine.backend]}"
    if spec.role != role or spec.onnx_sha256 != entry.sha256:
        return f"was built from another graph than {entry.file}"
    if spec.inputs[: len(entry.inputs)] != entry.inputs or spec.outputs[: len(entry.outputs)] != entry.outputs:
        return f"takes or gives other tensors than {entry.file}"
    return spec.difference(here)


def write(path: Path, data: bytes, spec: EngineSpec) -> EngineFile:
    """Put an engine and its side-car in place, the side-car last: an engine without one is never loaded.

    Raises:
        BuildError: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove(path)
        write_whole(path, data)
        write_whole(path.with_suffix(SIDE_CAR), _side_car(spec))
    except OSError as error:
        raise BuildError(f"{path} cannot be written ({error.strerror}); choose another folder with --output") from error
    return EngineFile(path, spec)


def annotate(file: EngineFile, **found: object) -> EngineFile:
    """Write what was found out about an engine, parity or latency, into its side-car.

    Raises:
        BuildError: it cannot be written.
    """
    spec = file.spec.model_copy(update=found)
    try:
        write_whole(file.path.with_suffix(SIDE_CAR), _side_car(spec))
    except OSError as error:
        raise BuildError(f"{file.path.with_suffix(SIDE_CAR)} cannot be written ({error.strerror})") from error
    return EngineFile(file.path, spec)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under another name and move it into place.

    Raises:
        OSError: it cannot be written; nothing is left of it.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def remove(path: Path) -> None:
    """Delete an engine and what lies beside it, if they are there; the side-car first."""
    for each in (path.with_suffix(SIDE_CAR), path.with_suffix(KERNELS), path):
        each.unlink(missing_ok=True)


def listed(folder: Path) -> Iterator[EngineFile | tuple[Path, str]]:
    """Every engine below a folder, or its path and why it cannot be used."""
    for path in sorted(folder.glob(f"*/*{SUFFIX}")):
        try:
            yield EngineFile.read(path)
        except BackendError as error:
            yield path, str(error)


def old(folder: Path, machines: Iterable[Machine]) -> Iterator[tuple[Path, str]]:
    """Engines that cannot be used here any more, and why, and what broken builds left behind.

    Args:
        folder: of engines.
        machines: this one, as each TensorRT that is installed sees it; engines of others are left alone.
    """
    here = {machine.backend: machine for machine in machines}
    for found in listed(folder):
        if isinstance(found, tuple):
            yield found
            continue
        machine = here.get(found.spec.machine.backend)
        if machine is not None and machine.device is not None:
            reason = found.spec.difference(machine)
        elif machine is not None:  # nothing runs here, so that engines for elsewhere are all there can be
            reason = found.spec.difference(machine.model_copy(update={
                "device": found.spec.machine.device, "capabilities": found.spec.machine.capabilities,
            }))  # fmt: skip
        else:
            reason = None
        if reason is None and found.path.stat().st_size != found.spec.engine_bytes:
            reason = "is cut off"
        if reason is not None:
            yield found.path, f"{found.path.name} {reason}"
    for path in sorted(folder.glob(f"**/.*{UNFINISHED}")):
        yield path, f"{path.name} is what an interrupted build left"


def _side_car(spec: EngineSpec) -> bytes:
    return (spec.model_dump_json(indent=2) + "\n").encode()
