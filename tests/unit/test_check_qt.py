"""Which Debian packages Qt lacks, as a person and as a script are told."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tools import check_qt

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the packages are Debian's")

MISSING = """/somewhere/libqxcb.so:
\tlibX11.so.6 => /lib/x86_64-linux-gnu/libX11.so.6 (0x00007f0000000000)
\tlibxcb-cursor.so.0 => not found
\tlibEGL.so.1 => not found
\tlibxcb-cursor.so.0 => not found
\tlibunheard.so.9 => not found
"""


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file whose text is what `ldd` says."""
    said = tmp_path / "said.txt"
    programme = tmp_path / "ldd"
    programme.write_text(f"#!/bin/sh\ncat '{said}'\n", encoding="utf-8")
    programme.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return said


def test_missing_packages_are_named_once_in_one_sentence(loader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loader.write_text(MISSING, encoding="utf-8")

    assert check_qt.main([]) == 0

    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.rstrip().endswith("libegl1 libunheard.so.9 libxcb-cursor0")


def test_a_script_gets_only_names_that_can_be_installed(loader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loader.write_text(MISSING, encoding="utf-8")

    check_qt.main(["--names"])

    assert capsys.readouterr().out.split() == ["libegl1", "libxcb-cursor0"]


@pytest.mark.parametrize("arguments", [[], ["--names"]])
def test_nothing_is_said_if_nothing_is_missing(
    loader: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    loader.write_text("\tlibX11.so.6 => /lib/x86_64-linux-gnu/libX11.so.6 (0x00007f0000000000)\n", encoding="utf-8")

    check_qt.main(arguments)

    assert capsys.readouterr() == ("", "")


def test_without_a_loader_to_ask_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert check_qt.missing_libraries() == set()
