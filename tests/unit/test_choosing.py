"""The way that suits a machine is measured once, remembered for that machine and model, and can be found anew."""

from __future__ import annotations

import json
import math

import pytest

from engines.backends.base import BackendSettings
from engines.model_folder import write_spec
from puppet import choosing, measuring
from puppet.doctor import examine
from puppet.loading import Loading, silently
from puppet.settings import LiveSettings


@pytest.fixture
def path(tmp_path, monkeypatch):
    path = tmp_path / "config" / "measured.json"
    monkeypatch.setattr(choosing, "default_path", lambda: path)
    monkeypatch.setattr(measuring, "MEASURED_S", 0.05)
    return path


@pytest.fixture(scope="module")
def enlargeable(tmp_path_factory):
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train)")
    from tests.tiny_model import write

    return write(tmp_path_factory.mktemp("measured") / "model", can_enlarge=True)


def test_it_is_measured_once_and_remembered(path, tiny_model, monkeypatch):
    assert choosing.remembered(tiny_model) is None
    chosen = choosing.choose(tiny_model)
    monkeypatch.setattr(measuring, "measure", lambda *_, **__: pytest.fail("measured again"))

    assert choosing.choose(tiny_model) == chosen == choosing.remembered(tiny_model)
    assert (chosen.size, chosen.fps > 0) == (32, True)
    assert json.loads(path.read_text())["backend"] in ("ovino", "onnxrt")


def test_another_model_or_other_threads_are_measured_anew(path, tiny_model, enlargeable):
    choosing.choose(tiny_model)

    assert choosing.remembered(enlargeable) is None
    assert choosing.remembered(tiny_model, threads=1) is None
    assert choosing.remembered(tiny_model, backend="onnxrt") is None


@pytest.mark.parametrize(("seconds", "size"), [(10.0, 512), (0.0, 32)])
def test_the_larger_size_is_chosen_where_there_is_time_for_it(path, enlargeable, monkeypatch, seconds, size):
    monkeypatch.setattr(measuring, "FRAME_S", seconds)

    with choosing.open_measured(enlargeable) as puppeteer:
        assert puppeteer.auto_size == choosing.remembered(enlargeable).size == size
        assert f"({size} pixels at " in puppeteer.description.split(",")[0]
    assert LiveSettings().size == "auto"


class Way:
    """Takes that long, seconds."""

    can_enlarge = False
    is_itself = True

    def __init__(self, name: str, seconds: float) -> None:
        self.name, self.precision, self.plain, self._seconds = name, "fp32", [], seconds

    def run(self) -> None:
        self.plain.append(self._seconds)

    def seconds(self, size: int) -> float:
        return self._seconds if size < measuring.LARGE else math.inf


def test_a_way_that_is_hopelessly_slow_does_not_hold_the_first_start_up(path, tiny_model, monkeypatch):
    ways = [Way("slow", 0.2), Way("fast", 0.02), Way("nearly", 0.025)]
    monkeypatch.setattr(measuring, "_ways", lambda *_: [(tiny_model, way, BackendSettings()) for way in ways])
    monkeypatch.setattr(measuring, "Way", lambda stack, model, way, settings: way)

    found, failed = measuring.measure(tiny_model, backend="auto", threads=0, is_light=False, step=silently)
    assert (found.backend, found.is_larger, failed) == ("fast", False, set())
    assert len(ways[0].plain) == 2
    assert min(len(way.plain) for way in ways[1:]) >= measuring.LEAST_FRAMES


def test_a_broken_file_is_measured_over(path, tiny_model):
    path.parent.mkdir()
    path.write_text("{}")

    assert choosing.choose(tiny_model) == choosing.remembered(tiny_model)


def test_a_folder_that_cannot_be_written_is_said_and_no_failure(path, tiny_model, caplog):
    path.parent.write_text("a file where the folder should be")

    assert choosing.choose(tiny_model).fps > 0
    assert "is not remembered" in caplog.text


def test_the_doctor_tells_the_choice_and_measures_when_asked(path, tiny_model):
    before = dict(examine(tiny_model.path)[0])["auto"]
    measured = dict(examine(tiny_model.path, measure=True)[0])["auto"]

    assert before.startswith("not measured yet")
    assert measured == choosing.remembered(tiny_model).sentence == dict(examine(tiny_model.path)[0])["auto"]


def test_measuring_that_is_called_off_opens_the_model_in_the_usual_way_and_is_not_remembered(path, tiny_model):
    loading = Loading()
    loading.cancel()

    with choosing.open_measured(tiny_model, step=loading.step) as puppeteer:
        assert "fps" not in puppeteer.description
    assert loading.text == "loading the generator"
    assert not path.exists()


def test_an_eight_bit_copy_beside_the_model_takes_part_and_is_opened(path, tmp_path, monkeypatch):
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train)")
    from tests.tiny_model import write

    model, copy = (write(tmp_path / name) for name in ("tiny", "tiny-int8"))
    write_spec(copy.path, copy.spec.model_copy(update={"name": "tiny-int8", "precision": "int8"}))

    ways = list(measuring._ways(model, "ovino", 1))
    assert [folder.path for folder, _, settings in ways if settings.precision == "int8"] == [copy.path]
    assert all(folder is model for folder, _, settings in ways if settings.precision != "int8")
    found = choosing.Choice(machine="", backend="ovino", precision="int8", size=32, fps=100)
    monkeypatch.setattr(choosing, "choose", lambda *_, **__: found)
    with choosing.open_measured(model) as puppeteer:
        assert puppeteer.description.startswith("tiny-int8 (32 pixels")


@pytest.fixture
def sisters(tmp_path):
    """A model, and a larger one beside it."""
    pytest.importorskip("onnx", reason="onnx is not installed (extra: train)")
    from tests.tiny_model import write

    model, larger = (write(tmp_path / name) for name in ("tiny", "tiny-m"))
    write_spec(larger.path, larger.spec.model_copy(update={"name": "tiny-m"}))
    return model


@pytest.mark.parametrize(
    ("seconds", "is_light", "name"), [(10.0, False, "tiny-m"), (10.0, True, "tiny"), (0.0, False, "tiny")]
)
def test_the_larger_model_is_taken_where_there_is_time_and_it_is_not_refused(
    path, sisters, monkeypatch, seconds, is_light, name
):
    monkeypatch.setattr(measuring, "FRAME_S", seconds)

    with choosing.open_measured(sisters, is_light=is_light) as puppeteer:
        assert puppeteer.description.startswith(f"{name} (32 pixels")
    choice = choosing.remembered(sisters, is_light=is_light)
    assert choice.sentence.startswith("the larger model, ") == choice.is_larger == (name == "tiny-m")
    assert choosing.remembered(sisters, is_light=not is_light) is None
