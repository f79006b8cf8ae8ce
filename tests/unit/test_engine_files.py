"""An engine is loaded only where its side-car says that it fits; everything else is named and can be deleted."""

from __future__ import annotations

import json

import pytest

from engines import engine_files
from engines.engine_files import EngineFile
from engines.engine_spec import BuildOptions
from engines.errors import BackendError, BuildError
from tests.engine_specs import RTX_4090, make_spec, put


def find(folder, model, here):
    return engine_files.find(folder, model, "generator", precision="fp16", here=here)


def other(**changes):
    return RTX_4090.model_copy(update=changes)


RTX_ANYWHERE = other(backend="tensorrt-rtx", version="1.7.1", device=None, capabilities=("7.5", "8.9"))


def test_what_was_built_here_is_found_with_its_bytes(tmp_path, tiny_model):
    written = put(tmp_path, tiny_model)

    found = find(tmp_path, tiny_model, RTX_4090)

    assert found == written
    assert found.content() == b"an engine"


@pytest.mark.parametrize(
    ("here", "sentence"),
    [
        (
            other(device="RTX 3060", capabilities=("8.6",), version="11.4.0"),
            "was built for compute capability 8.9 with TensorRT 11.3.0; this is 8.6 with 11.4.0",
        ),
        (other(device="RTX 3060", capabilities=("8.6",)), "was built for compute capability 8.9; this is 8.6"),
        (other(version="11.4.0"), "was built with TensorRT 11.3.0; this is 11.4.0"),
        (other(device="RTX 4060"), "was built for RTX 4090; this is RTX 4060"),
        (other(device=None, capabilities=()), "was built for compute capability 8.9; this is no GPU"),
    ],
)
def test_every_difference_is_named(tmp_path, tiny_model, here, sentence):
    put(tmp_path, tiny_model)

    with pytest.raises(BackendError) as failure:
        find(tmp_path, tiny_model, here)

    assert str(failure.value).startswith(f"generator-fp16-tensorrt-sm89.engine {sentence}; build it again: python ")


def test_an_engine_of_tensorrt_rtx_runs_on_every_gpu_that_it_names(tiny_model):
    spec = make_spec(tiny_model, machine=RTX_ANYWHERE)

    assert spec.difference(other(backend="tensorrt-rtx", version="1.7.1", device="any", capabilities=("7.5",))) is None
    assert spec.difference(other(backend="tensorrt-rtx", version="1.7.1", capabilities=("9.0",))) == (
        "was built for compute capability 7.5, 8.9; this is 9.0"
    )


@pytest.mark.parametrize(("version", "may"), [("11.3.0", True), ("11.4.1", True), ("11.2.0", False), ("12.0", False)])
def test_a_version_compatible_engine_loads_into_later_versions(tiny_model, version, may):
    spec = make_spec(tiny_model, options=BuildOptions(version_compatible=True))

    assert (spec.difference(other(version=version)) is None) == may


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"an eng", r"is cut off or not ours \(6 bytes instead of 9\)"),
        (b"an angel!", r"was changed since it was built"),
    ],
)
def test_a_file_that_was_touched_is_refused(tmp_path, tiny_model, content, sentence):
    written = put(tmp_path, tiny_model)
    written.path.write_bytes(content)

    with pytest.raises(BackendError, match=r"is cut off, or was changed since it was built; build it again: python"):
        find(tmp_path, tiny_model, RTX_4090)
    with pytest.raises(BackendError, match=sentence):
        written.content()


def test_a_foreign_engine_without_a_side_car_is_never_loaded(tmp_path, tiny_model):
    written = put(tmp_path, tiny_model)
    written.path.with_suffix(".json").unlink()

    with pytest.raises(BackendError, match=r"has no generator-fp16-tensorrt-sm89\.json beside it"):
        find(tmp_path, tiny_model, RTX_4090)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"engine_bytes": None}, r"engine_bytes: Input should be a valid integer"),
        ({"format_version": 99}, r"has format 99, this program reads up to 1; update it"),
        ({"plugin": "mine.so"}, r"plugin: Extra inputs are not permitted"),
    ],
)
def test_a_side_car_that_cannot_be_used_is_named(tmp_path, tiny_model, change, sentence):
    side_car = put(tmp_path, tiny_model).path.with_suffix(".json")
    side_car.write_text(json.dumps(json.loads(side_car.read_text()) | change))

    with pytest.raises(BackendError, match=sentence):
        find(tmp_path, tiny_model, RTX_4090)


def test_an_engine_of_other_weights_or_tensors_is_refused(tmp_path, tiny_model):
    put(tmp_path, tiny_model, onnx_sha256="1" * 64)
    with pytest.raises(BackendError, match=r"was built from another graph than generator\.onnx"):
        find(tmp_path, tiny_model, RTX_4090)

    put(tmp_path, tiny_model, outputs=())
    with pytest.raises(BackendError, match=r"takes or gives other tensors than generator\.onnx"):
        find(tmp_path, tiny_model, RTX_4090)


def test_where_there_is_none_the_sentence_says_how_to_build_it(tmp_path, tiny_model):
    with pytest.raises(BackendError) as failure:
        find(tmp_path, tiny_model, RTX_4090)

    assert "there is no TensorRT engine of tiny's generator in fp16 for this machine; build it: python " in str(
        failure.value
    )


def test_nothing_is_left_where_nothing_can_be_written(tmp_path, tiny_model):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(BuildError, match="cannot be written"):
        put(tmp_path / "file", tiny_model)


def test_old_broken_and_unfinished_files_are_told_from_the_rest(tmp_path, tiny_model):
    good = put(tmp_path, tiny_model)
    old = put(tmp_path, tiny_model, machine=other(version="11.2.0", capabilities=("8.6",)))
    cut = put(tmp_path, tiny_model, "segmenter")
    cut.path.write_bytes(b"")
    foreign = put(tmp_path, tiny_model, "encoder", machine=RTX_ANYWHERE)
    (unfinished := good.path.parent / ".x.engine.123.unfinished").touch()

    found = dict(engine_files.old(tmp_path, [RTX_4090]))

    assert found.keys() == {old.path, cut.path, unfinished}
    assert EngineFile.read(foreign.path) == foreign


def test_where_nothing_runs_engines_for_elsewhere_are_kept(tmp_path, tiny_model):
    put(tmp_path, tiny_model, machine=RTX_ANYWHERE)
    here = RTX_ANYWHERE.model_copy(update={"capabilities": ()})

    assert not dict(engine_files.old(tmp_path, [here]))
    assert dict(engine_files.old(tmp_path, [here.model_copy(update={"version": "1.8.0"})]))
