"""The output: canvas, signs, recording, snapshot, and the mark of AI-made media in files."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image as Pillow

from puppet import images, provenance
from puppet.errors import SinkError
from puppet.settings import OutputSettings
from puppet.sinks import recorder as recorder_module
from puppet.sinks.base import OutputMode
from puppet.sinks.canvas import Canvas
from puppet.sinks.recorder import Recorder
from puppet.sinks.snapshot import write_snapshot
from puppet.sinks.video_file import VideoFileSink
from tests.media import flat, quarters, stream_info

MODE = OutputMode(320, 180, 25.0)
PLAIN = OutputSettings(background="colour", colour=(1, 2, 3), badge=False)
KIND = "trainedAlgorithmicMedia"


@pytest.mark.parametrize("side", [64, 180, 512])
@pytest.mark.parametrize("background", ["blur", "colour"])
def test_a_square_picture_stands_in_the_middle_whole(side, background):
    canvas = Canvas(MODE).compose(
        flat(200, 100, 50, width=side, height=side), PLAIN.model_copy(update={"background": background})
    )

    assert canvas.shape == (180, 320, 3)
    assert (canvas[:, 70:250] == (200, 100, 50)).all()
    assert (canvas[:, :70] < (200, 100, 50)).all()


@pytest.mark.parametrize(("width", "height"), [(161, 90), (64, 31), (90, 161), (319, 180)])
def test_margins_of_any_width_are_filled(width, height):
    canvas = Canvas(MODE).compose(flat(250, 250, 250, width=width, height=height), OutputSettings(badge=False))

    assert canvas.min() > 100  # memory that nobody wrote to would show


def test_filling_cuts_above_and_below():
    canvas = Canvas(MODE).compose(quarters(width=64, height=64), PLAIN.model_copy(update={"fit": "fill"}))

    assert tuple(canvas[2, 2]) == (220, 0, 0)
    assert tuple(canvas[-2, -2]) == (220, 220, 220)


def test_mirroring_turns_left_and_right_round():
    canvas = Canvas(MODE).compose(quarters(width=64, height=64), PLAIN.model_copy(update={"mirror": True}))

    assert tuple(canvas[2, 75]) == (0, 220, 0)


def test_a_background_picture_covers_what_the_avatar_does_not(tmp_path):
    images.write_picture(tmp_path / "wall.png", flat(9, 90, 30, width=50, height=50))
    settings = PLAIN.model_copy(update={"background": "picture", "picture": tmp_path / "wall.png"})
    canvas = Canvas(MODE).compose(flat(0, 0, 0), settings)

    assert (canvas[:, :70] == (9, 90, 30)).all()


def test_every_picture_is_a_new_array():
    canvas, picture = Canvas(OutputMode(64, 64, 25.0)), flat(5, 5, 5)
    for fit in ("fill", "centre"):
        composed = canvas.compose(picture, PLAIN.model_copy(update={"fit": fit}))
        assert not np.may_share_memory(composed, picture)

    assert canvas.compose(None, PLAIN) is not canvas.compose(None, PLAIN)


def test_badge_and_banner_lie_over_the_picture_and_nowhere_else():
    canvas, picture = Canvas(MODE), flat(120, 120, 120, width=320, height=180)
    plain = canvas.compose(picture, PLAIN)
    badged = canvas.compose(picture, PLAIN.model_copy(update={"badge": True}))
    bannered = canvas.compose(picture, PLAIN, banner="the camera was unplugged")

    assert (plain == 120).all()
    rows, columns = np.nonzero((badged != 120).any(axis=-1))
    assert 0 < len(rows) < 0.05 * 320 * 180
    assert rows.min() > 140
    assert columns.max() < 160
    assert (bannered != 120).any(axis=-1)[:140].sum() == 0
    assert (bannered != 120).any(axis=-1).sum() > 0.05 * 320 * 180


def test_a_long_banner_shrinks_to_fit():
    canvas = Canvas(MODE).compose(flat(0, 0, 0), PLAIN, banner="word " * 60)

    assert canvas.shape == (180, 320, 3)


def test_a_snapshot_is_marked_as_made_by_ai_and_still_a_picture(tmp_path):
    write_snapshot(tmp_path / "shot.png", quarters())

    assert provenance.read((tmp_path / "shot.png").read_bytes()) == KIND
    with Pillow.open(tmp_path / "shot.png") as picture:
        picture.verify()
    np.testing.assert_array_equal(images.read_picture(tmp_path / "shot.png"), quarters())
    with Pillow.open(tmp_path / "shot.png") as picture:
        assert "digitalsourcetype/" + KIND in picture.info["XML:com.adobe.xmp"]


@pytest.mark.parametrize(("name", "sentence"), [("shot.jpg", "end it in .png"), ("there.png", "is there already")])
def test_a_snapshot_replaces_nothing(tmp_path, name, sentence):
    (tmp_path / "there.png").write_bytes(b"mine")

    with pytest.raises(SinkError, match=sentence):
        write_snapshot(tmp_path / name, quarters())
    assert (tmp_path / "there.png").read_bytes() == b"mine"


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_recording_has_every_picture_at_its_time_and_the_mark(tmp_path, suffix):
    recorder = Recorder(tmp_path / f"out{suffix}")
    recorder.open(MODE)
    for at in (100.0, 100.04, 100.2, 100.24):
        recorder.show(flat(90, 60, 30, width=320, height=180), at)
    recorder.close()
    recorder.close()

    info = stream_info(tmp_path / f"out{suffix}")
    np.testing.assert_allclose(info["times"], [0, 0.04, 0.2, 0.24], atol=2e-3)
    assert info["size"] == (320, 180)
    data = (tmp_path / f"out{suffix}").read_bytes()
    assert (f"digitalsourcetype/{KIND}").encode() in data
    if suffix != ".mkv":
        assert provenance.read(data) == KIND


def test_the_last_box_of_an_mp4_is_the_xmp_packet(tmp_path):
    recorder = Recorder(tmp_path / "out.mp4")
    recorder.open(MODE)
    recorder.show(flat(9, 9, 9, width=320, height=180), 0.0)
    recorder.close()
    data, at, boxes = (tmp_path / "out.mp4").read_bytes(), 0, []
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        boxes.append(kind)
        at += length

    assert at == len(data)
    assert boxes[0] == b"ftyp"
    assert boxes[-1] == b"uuid"


def test_an_encoder_that_cannot_keep_up_costs_pictures_not_time(tmp_path, monkeypatch, caplog):
    import threading

    gate = threading.Event()
    write = VideoFileSink.write
    monkeypatch.setattr(VideoFileSink, "write", lambda *args: (gate.wait(20), write(*args)))
    monkeypatch.setattr(recorder_module, "WAITING", 3)
    recorder = Recorder(tmp_path / "out.mp4")
    recorder.open(MODE)
    for index in range(10):
        recorder.show(flat(9, 9, 9, width=320, height=180), index / 25)
    gate.set()
    recorder.close()

    assert recorder.dropped >= 6
    assert len(stream_info(tmp_path / "out.mp4")["times"]) == 10 - recorder.dropped
    assert "were left out" in caplog.text


def test_a_failing_disk_is_said_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise SinkError("out.mp4 cannot be written (No space left on device); free some space")

    monkeypatch.setattr(VideoFileSink, "write", fail)
    recorder = Recorder(tmp_path / "out.mp4")
    recorder.open(MODE)
    recorder.show(flat(9, 9, 9, width=320, height=180), 0.0)

    with pytest.raises(SinkError, match="No space left"):
        recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_only_png_files_can_be_marked_as_such():
    with pytest.raises(ValueError, match="not a PNG"):
        provenance.mark_png(b"GIF89a" + bytes(40), KIND)
