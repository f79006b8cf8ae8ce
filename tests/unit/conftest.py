"""A rig for the tests of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline_rig import Rig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from puppet.pipeline import Pipeline


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr("puppet.stages.capture.RETRY_S", 0.01)
    monkeypatch.setattr("puppet.stages.present.RETRY_S", 0.01)
    return Rig()


@pytest.fixture
def pipeline(rig: Rig) -> Iterator[Pipeline]:
    with rig.running() as pipeline:
        yield pipeline
