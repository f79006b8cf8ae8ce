"""What changes while the live pipeline runs: avatar, reference, settings, source, engines."""

from __future__ import annotations

import numpy as np
import pytest

from puppet.errors import AvatarError
from puppet.settings import CameraSettings, OutputSettings
from puppet.sources.performed import Performance
from puppet.types import Motion
from tests.live_fakes import FakeSource, until
from tests.pipeline_rig import PLAIN


def test_a_bad_avatar_is_a_notice_and_the_last_one_stays(rig, pipeline, tmp_path):
    with pytest.raises(AvatarError, match="no picture"):
        pipeline.load_avatar(tmp_path / "none.png").result(20)

    assert "no picture" in pipeline.state().notice
    assert pipeline.state().avatar == "avatar"
    rig.source.feed(44)
    until(lambda: rig.sink.level() == 44)


def test_the_first_frame_calibrates_and_again_when_asked(rig, pipeline):
    for level in (51, 102):
        rig.source.feed(level)
        until(lambda: rig.sink.level() == level)  # noqa: B023 - done before the next one
    pipeline.calibrate().result(20)
    rig.source.feed(153)
    until(lambda: pipeline.state().calibrated == 2)

    np.testing.assert_allclose(rig.puppeteer.calibrations, [51 / 255 - 0.3, 153 / 255 - 0.3], atol=1e-3)


def test_other_engines_that_took_over_are_told(rig, pipeline):
    rig.puppeteer.notice, rig.puppeteer.description = "the GPU failed; ovino is used from now on", "model on OpenVINO"
    rig.source.feed(77)

    until(lambda: pipeline.state().notice == "the GPU failed; ovino is used from now on")
    assert pipeline.state().model == "model on OpenVINO"


def test_a_reference_can_be_chosen(rig, pipeline):
    chosen = Motion(np.eye(3, 2, dtype=np.float32), np.stack([np.eye(2, dtype=np.float32)] * 3))
    pipeline.calibrate(chosen).result(20)
    rig.source.feed(51)
    until(lambda: rig.sink.level() == 51)

    assert rig.puppeteer.first is chosen


def test_zooming_calibrates_anew(rig, pipeline):
    rig.source.feed(51)
    until(lambda: pipeline.state().calibrated == 1)
    pipeline.settings = PLAIN.model_copy(update={"camera": PLAIN.camera.model_copy(update={"zoom": 2.0})})
    rig.source.feed(52)

    until(lambda: pipeline.state().calibrated == 2)
    assert pipeline.state().shot.square.side == 24


@pytest.mark.parametrize(("show", "level"), [("camera", 60), ("nothing", 9)])
def test_pass_through_and_hiding(rig, pipeline, show, level):
    output = OutputSettings(show=show, colour=(9, 9, 9), background="colour", fit="fill")
    pipeline.settings = PLAIN.model_copy(update={"output": output})
    rig.source.feed(60)

    until(lambda: rig.sink.level() == level)
    assert rig.sink.pictures[-1].std() == 0  # and no badge


def test_another_source_takes_over(rig, pipeline):
    rig.source.feed(20)
    until(lambda: rig.sink.level() == 20)
    other = FakeSource()
    other.feed(200)
    pipeline.use_source(other)
    until(lambda: rig.sink.level() == 200)

    assert rig.source.closed == 1
    pipeline.use_source(None)
    until(lambda: pipeline.state().source.name is None)


def test_the_performance_moves_the_avatar_without_a_camera(rig):
    with rig.running(source=Performance(fps=100)) as pipeline:
        until(lambda: pipeline.state().counts.inferred > 10)

    assert pipeline.state().shot.rendered.frame.image is rig.puppeteer.avatar.image
    assert rig.puppeteer.first is rig.puppeteer.avatar.motion


def test_an_unusable_background_picture_is_told_and_the_show_goes_on(rig, pipeline, tmp_path, caplog):
    output = OutputSettings(background="picture", picture=tmp_path / "none.png", fit="centre")
    pipeline.settings = PLAIN.model_copy(update={"output": output})
    rig.source.feed(33)
    until(lambda: rig.sink.level() == 33)

    assert "no picture" in pipeline.state().notice


def test_a_shot_holds_what_was_read_beside_what_was_calmed(rig, pipeline):
    pipeline.settings = PLAIN.model_copy(update={"camera": CameraSettings(auto_framing=False, smoothing=1.0)})
    for level in (100, 101):
        rig.source.feed(level)
        until(lambda: rig.sink.level() == level)  # noqa: B023 - done before the next one
    until(lambda: pipeline.state().shot.frame.index == 1)

    shot = pipeline.state().shot
    assert shot.read.shift[0, 0] == pytest.approx(101 / 255 - 0.3)
    assert shot.rendered.driving.shift[0, 0] < shot.read.shift[0, 0]
