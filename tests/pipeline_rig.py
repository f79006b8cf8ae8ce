"""The live pipeline between stand-ins for camera, model and sinks."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from puppet.pipeline import Pipeline
from puppet.settings import CameraSettings, OutputSettings, Settings
from puppet.sinks.base import OutputMode
from tests.live_fakes import FakePuppeteer, FakeSink, FakeSource, grey

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = Settings(
    camera=CameraSettings(auto_framing=False, smoothing=0, auto_calibrate=False),
    output=OutputSettings(badge=False, fit="fill"),
)
MODE = OutputMode(64, 48, 100.0)


@dataclass
class Rig:
    """A pipeline between things that the test controls."""

    source: FakeSource = field(default_factory=FakeSource)
    sink: FakeSink = field(default_factory=FakeSink)
    puppeteer: FakePuppeteer = field(default_factory=FakePuppeteer)

    def pipeline(self, **more) -> Pipeline:
        more = {"source": self.source, "sinks": [self.sink], "settings": PLAIN, "mode": MODE, **more}
        return Pipeline(lambda: self.puppeteer, **more)

    @contextmanager
    def running(self, **more) -> Iterator[Pipeline]:
        """With an avatar; ended whatever becomes of the test."""
        pipeline = self.pipeline(**more)
        try:
            pipeline.start()
            pipeline.set_avatar(grey(10, width=16, height=16), "avatar").result(20)
            yield pipeline
        finally:
            pipeline.end()
