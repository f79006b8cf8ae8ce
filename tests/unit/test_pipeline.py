"""The live pipeline between stand-ins for camera, model and sinks: what passes, what is dropped, how it fails."""

from __future__ import annotations

import threading

import pytest

from engines.errors import BackendError
from puppet.errors import PuppetError, SinkError, SourceError
from puppet.pipeline import Pipeline
from puppet.sinks.base import SinkLostError
from puppet.sources.base import SourceLostError
from puppet.state import ADDED, TOTAL
from tests.live_fakes import FakeSink, grey, until
from tests.pipeline_rig import MODE, PLAIN


def test_a_frame_passes_from_camera_to_sink(rig, pipeline):
    rig.source.feed(77)
    until(lambda: rig.sink.level() == 77 and pipeline.state().shot)

    state = pipeline.state()
    assert (state.phase, state.avatar, state.model) == ("running", "avatar", "fake model")
    assert str(state.source.mode) == "64x48 at 30 MJPG"
    assert state.shot.frame.image.mean() == 77
    assert state.canvas.shape == (48, 64, 3)
    assert 0 <= state.times[ADDED].p50 <= state.times[TOTAL].p50 < 20


def test_the_newest_frame_wins_and_none_is_inferred_twice(rig, pipeline):
    rig.puppeteer.gate.clear()
    rig.source.feed(*range(50, 60))
    until(lambda: pipeline.state().counts.captured == 10)
    rig.puppeteer.gate.set()
    until(lambda: rig.sink.level() == 59)

    assert len(rig.puppeteer.inferred) == len(set(rig.puppeteer.inferred)) <= 3
    # Every frame is either shown or counted as dropped, before the model or after it.
    until(lambda: (counts := pipeline.state().counts).shown + counts.dropped == counts.captured == 10)


def test_the_last_picture_is_repeated_to_keep_the_rate(rig, pipeline):
    rig.source.feed(80)
    until(lambda: rig.sink.level() == 80)
    until(lambda: pipeline.state().counts.repeated > 20)

    assert pipeline.state().counts.inferred == 1
    assert all(picture.shape == (48, 64, 3) for picture in rig.sink.pictures)


def test_an_unplugged_camera_holds_the_picture_under_a_banner_and_comes_back_by_itself(rig, pipeline):
    rig.source.feed(90)
    until(lambda: rig.sink.level() == 90)
    rig.source.unplug()
    until(lambda: pipeline.state().source.trouble == "fake camera is not there; plug it in")
    until(lambda: rig.sink.pictures[-1].std() > 0)  # the banner
    assert rig.sink.level() == 90

    rig.source.refusal = None
    rig.source.feed(120)
    until(lambda: rig.sink.level() == 120)
    assert pipeline.state().source.trouble is None
    assert rig.sink.pictures[-1].std() == 0
    assert rig.source.closed >= rig.source.opened - 1


def test_a_camera_missing_at_the_start_ends_the_run_with_its_sentence(rig):
    rig.source.refusal = SourceLostError("fake camera is busy; close the other program")
    pipeline = rig.pipeline()
    pipeline.start()

    assert pipeline.wait(20)
    with pytest.raises(SourceLostError, match="busy; close"):
        pipeline.stop()
    assert str(pipeline.state().failure).startswith("fake camera is busy")


def test_a_patient_pipeline_waits_for_camera_and_virtual_camera(rig):
    rig.source.refusal = SourceLostError("fake camera is not there")
    rig.sink.refusal = SinkLostError("no virtual camera")
    with rig.running(is_patient=True) as pipeline:
        until(lambda: [sink.trouble for sink in pipeline.state().sinks] == ["no virtual camera"])
        until(lambda: pipeline.state().source.trouble == "fake camera is not there")
        rig.source.refusal = rig.sink.refusal = None
        rig.source.feed(66)
        until(lambda: rig.sink.level() == 66)


def test_a_lost_virtual_camera_is_tried_again(rig, pipeline):
    rig.source.feed(70)
    until(lambda: rig.sink.level() == 70)
    rig.sink.failure = SinkLostError("the virtual camera has gone")
    until(lambda: pipeline.state().sinks[0].trouble == "the virtual camera has gone")
    rig.sink.failure = None
    rig.source.feed(71)

    until(lambda: rig.sink.level() == 71)
    assert pipeline.state().sinks[0].trouble is None


def test_a_sink_that_fails_for_good_ends_the_run(rig):
    with rig.running() as pipeline:
        rig.sink.failure = SinkError("the disk is full; free some space")
        assert pipeline.wait(20)
        with pytest.raises(SinkError, match="disk is full"):
            pipeline.stop()
    assert rig.puppeteer.is_closed
    assert rig.source.closed


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (BackendError("the device was lost; start again"), "the device was lost; start again"),
        (ZeroDivisionError("oh"), r"infer failed \(ZeroDivisionError: oh\); this is a fault of the program"),
    ],
)
def test_the_first_failure_of_the_model_ends_all_threads_and_is_one_sentence(rig, error, sentence):
    with rig.running() as pipeline:
        rig.puppeteer.failure = error
        rig.source.feed(1)
        assert pipeline.wait(20)
        with pytest.raises((PuppetError, BackendError), match=sentence):
            pipeline.stop()

    assert rig.sink.closed


def test_a_patient_pipeline_goes_on_without_a_sink_that_failed_for_good_and_closes_it(rig, caplog):
    with rig.running(is_patient=True) as pipeline:
        pipeline.add_sink(other := FakeSink("recording")).result(20)
        other.failure = SinkError("the disk is full; free some space")
        until(lambda: pipeline.state().notice == "the disk is full; free some space")
        until(lambda: other.closed == 1)
        rig.source.feed(55)
        until(lambda: rig.sink.level() == 55)

    assert [sink.name for sink in pipeline.state().sinks] == ["fake sink"]


def test_each_thing_is_touched_by_one_thread_only(rig):
    with rig.running() as pipeline:
        pipeline.add_sink(other := FakeSink("other")).result(20)
        rig.source.feed(30)
        until(lambda: other.level() == 30)
        pipeline.remove_sink(other).result(20)

    assert rig.sink.threads == other.threads == {"present"}
    assert other.closed == 1
    assert rig.puppeteer.is_closed


def test_a_video_without_frames_ends_the_run(rig):
    with rig.running() as pipeline:
        rig.source.fed.put(SourceError("clip.mp4 has no frames any more; choose another source"))
        assert pipeline.wait(20)
        with pytest.raises(SourceError, match="no frames any more"):
            pipeline.stop()


def test_stopping_before_the_model_is_loaded_leaves_nothing_waiting(rig):
    loading = threading.Event()

    def load():
        loading.wait(20)
        return rig.puppeteer

    pipeline = Pipeline(load, source=rig.source, settings=PLAIN, mode=MODE)
    pipeline.start()
    asked = pipeline.set_avatar(grey(1, width=16, height=16), "late")
    loading.set()
    pipeline.stop()

    assert asked.done()
    assert pipeline.set_avatar(grey(1), "too late").cancelled()
    assert pipeline.state().phase == "stopped"
