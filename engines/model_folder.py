"""Model folders: `model.json` and its graphs, read, checked and written (no torch here)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from engines.errors import ModelFolderError
from engines.spec import FORMAT_VERSION, ModelSpec, RoleName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from typing_extensions import Self

SPEC_FILE = "model.json"
PART_NAME = re.compile(r"[a-z][a-z0-9_]*")
"""What a part may be called; words in it say what it shows."""
_CHUNK = 1 << 20


BUNDLED = Path(__file__).parent / "models" / "default"
"""The model that ships with the program."""


@dataclass(frozen=True, eq=False)
class ModelFolder:
    """A model folder that has been read: its spec, and its files once they are asked for."""

    path: Path
    spec: ModelSpec
    _checked: set[RoleName] = field(default_factory=set, repr=False)

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read `model.json` and see that every file it names is there.

        Raises:
            ModelFolderError: the folder, its `model.json` or one of its files is missing or cannot be used.
        """
        path = Path(path)
        spec = _parse(path, _read_text(path))
        for role, entry in spec.roles.items():
            if Path(entry.file).name != entry.file:
                raise ModelFolderError(
                    f"{path / SPEC_FILE} names a file outside its folder ({entry.file}); import it again"
                )
            if not (path / entry.file).is_file():
                raise ModelFolderError(
                    f"{path} lacks {entry.file}, its {role}; copy the whole folder or import it again"
                )
        return cls(path, spec)

    def file(self, role: RoleName) -> Path:
        """The graph of a role; its sha256 is compared with `model.json` the first time.

        Raises:
            ModelFolderError: the model has no such role, or the file is unreadable or not the one that was written.
        """
        entry = self.spec.roles.get(role)
        if entry is None:
            raise ModelFolderError(f"{self.path} has no {role}; it has {', '.join(self.spec.roles)}")
        path = self.path / entry.file
        if role not in self._checked:
            try:
                digest = sha256(path)
            except OSError as error:
                raise ModelFolderError(
                    f"{path} cannot be read ({error.strerror}); copy or import the model again"
                ) from error
            if digest != entry.sha256:
                raise ModelFolderError(
                    f"{path} was changed since model.json was written; copy or import the model again"
                )
            self._checked.add(role)
        return path


def sha256(path: Path) -> str:
    """The file's SHA-256, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_spec(folder: Path, spec: ModelSpec) -> None:
    """Write `model.json` into a folder that is being filled (see `replacing_folder`)."""
    text = spec.model_dump_json(indent=2) + "\n"
    (folder / SPEC_FILE).write_text(text, encoding="utf-8")


def rename_parts(path: Path, names: Sequence[str]) -> ModelFolder:
    """Give the parts of a model folder other names; `model.json` is replaced at once.

    Raises:
        ModelFolderError: the folder cannot be used or written, or the names do not fit its parts.
    """
    spec = ModelFolder.read(path).spec
    if len(names) != spec.parts:
        raise ModelFolderError(f"{path} has {spec.parts} parts, and {len(names)} names were given; give one for each")
    for name in names:
        if not PART_NAME.fullmatch(name) or name == "background" or list(names).count(name) > 1:
            raise ModelFolderError(
                f"{name!r} cannot be the name of a part; take small letters, digits and underscores, no name twice, "
                "and not background"
            )
    with tempfile.TemporaryDirectory(prefix=".names.", dir=path) as filling:
        write_spec(Path(filling), spec.model_copy(update={"part_names": tuple(names)}))
        os.replace(Path(filling) / SPEC_FILE, path / SPEC_FILE)
    return ModelFolder.read(path)


def larger_sister(model: ModelFolder) -> ModelFolder | None:
    """The folder NAME-m beside a model NAME, a slower and better one with the same parts; None if there is none.

    Raises:
        ModelFolderError: there is one, and it cannot be used.
    """
    path = model.path.with_name(f"{model.path.name}-m")
    if not (path / SPEC_FILE).is_file():
        return None
    larger = ModelFolder.read(path)
    return larger if larger.spec.part_names == model.spec.part_names else None


def eight_bit_copy(model: ModelFolder) -> ModelFolder | None:
    """The folder NAME-int8 beside a model NAME, as `tools/quantise.py` makes it; None if there is none.

    Raises:
        ModelFolderError: there is one, and it cannot be used.
    """
    path = model.path.with_name(f"{model.path.name}-int8")
    if not (path / SPEC_FILE).is_file():
        return None
    copy = ModelFolder.read(path)
    return copy if copy.spec.precision == "int8" else None


def refuse_existing(target: Path, *, force: bool) -> None:
    """Raise ModelFolderError if something is at `target` that may not be replaced.

    With `force`, a model folder or an empty folder may be; anything else is left alone even then.
    """
    if not os.path.lexists(target):
        return
    if target.is_symlink() or not target.is_dir():
        raise ModelFolderError(f"{target} is not a folder; choose another output folder")
    replaceable = (target / SPEC_FILE).is_file()
    if replaceable and not force:
        raise ModelFolderError(f"{target} already holds a model; add --force to replace it")
    if not replaceable and any(target.iterdir()):
        raise ModelFolderError(f"{target} exists and is not a model folder; choose another output folder")


@contextmanager
def replacing_folder(target: Path | str, *, force: bool = False) -> Iterator[Path]:
    """A temporary folder beside `target`, swapped in when the block ends well and removed when it does not.

    Args:
        target: where the folder shall be.
        force: replace a model folder that is there.

    Raises:
        ModelFolderError: `target` is there and may not be replaced, or its place cannot be written to.
    """
    target = Path(target).absolute()
    refuse_existing(target, force=force)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        filling = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent))
    except OSError as error:
        raise ModelFolderError(
            f"{target} cannot be written ({error.strerror}); choose another output folder"
        ) from error
    try:
        yield filling
        filling.chmod(0o755)  # mkdtemp gives 0o700, which other users cannot read
        refuse_existing(target, force=force)
        _swap_in(filling, target)
    finally:
        shutil.rmtree(filling, ignore_errors=True)


def _swap_in(filling: Path, target: Path) -> None:
    """Put `filling` where `target` is. A folder cannot be renamed over a full one, so the old one steps aside first."""
    if not target.exists():
        os.replace(filling, target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    try:
        os.replace(target, old / "model")
        try:
            os.replace(filling, target)
        except OSError:
            os.replace(old / "model", target)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _read_text(path: Path) -> str:
    if not path.exists():
        raise ModelFolderError(f"there is no model folder at {path}; give the folder that holds model.json")
    if not path.is_dir():
        raise ModelFolderError(f"{path} is not a folder; give the folder that holds model.json")
    try:
        return (path / SPEC_FILE).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ModelFolderError(
            f"{path} has no model.json; give a model folder, or import a checkpoint first"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelFolderError(
            f"{path / SPEC_FILE} cannot be read ({error}); copy or import the model again"
        ) from error


def _parse(path: Path, text: str) -> ModelSpec:
    name = path / SPEC_FILE
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelFolderError(
            f"{name} is not JSON (line {error.lineno}: {error.msg}); import the model again"
        ) from error
    version = values.get("format_version") if isinstance(values, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise ModelFolderError(f"{name} has format {version}, this program reads up to {FORMAT_VERSION}; update it")
    try:
        return ModelSpec.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelFolderError(f"{name}: {place}: {first['msg']}; import the model again") from error
