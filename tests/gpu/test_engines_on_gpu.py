"""Engines on a real GPU: right, captured, switched, refused, and never growing."""

from __future__ import annotations

import json
import resource
import shutil
from dataclasses import replace

import numpy as np
import pytest

from engines import backends, engine_files
from engines.backends import trt_vendor
from engines.building.samples import feeds, for_engine, pictures
from engines.building.verify import verify
from engines.errors import BackendError
from puppet import config
from puppet.puppeteer import Puppeteer
from puppet.settings import LiveSettings
from puppet.types import Frame
from tests.engine_building import build_all

GROWTH_BYTES = 8 << 20
"""Python's own heap moves by this much; a leak of one picture a frame would be two gigabytes."""
PLAIN = LiveSettings(size="auto", adapt_scale=False)


def engine_file(folder, role):
    return next(each for each in engine_files.listed(folder) if each.spec.role == role)


def moving(feed):
    return {name: value for name, value in for_engine(feed).items() if name.startswith("target_") or name == "image"}


def free_bytes(cudart) -> int:
    free, _ = trt_vendor.checked(cudart.cudaMemGetInfo(), "it was asked for its memory")
    return free


@pytest.fixture
def generator(ready, gpu_backend, settings):
    with backends.get(gpu_backend).load(ready, "generator", settings) as engine:
        yield engine


def test_the_captured_graph_gives_what_single_launches_give(tensorrt, generator, ready, caplog):
    caplog.set_level("INFO")
    feed = feeds(ready, "generator", pictures(ready, []))[1]
    frame = moving(feed)
    generator.pin({name: value for name, value in for_engine(feed).items() if name not in frame})
    generator.run(frame)  # eager, then captured
    captured = {name: value.copy() for name, value in generator.run(frame).items()}

    assert "runs without a CUDA graph" not in caplog.text
    generator._enqueue(frozenset(frame))  # copies, kernels and copies one after the other, into the same buffers
    generator._cuda.synchronise()
    eager = {name: buffer.array for name, buffer in generator._buffers.items() if name in captured}

    for name, value in captured.items():
        np.testing.assert_array_equal(value, eager[name], err_msg=name)


def test_switching_avatars_and_back_gives_the_same_picture(generator, ready):
    first, second = feeds(ready, "generator", pictures(ready, []))
    frame = {name: value for name, value in second.items() if name.startswith("target_")}
    seen = []
    for feed in (first, second, first):
        generator.pin({name: feed[name] for name in generator.inputs if name not in frame})
        seen.append(generator.run(frame)["image"].copy())

    assert (seen[0] != seen[1]).any()
    np.testing.assert_array_equal(seen[0], seen[2])


def test_ten_thousand_frames_take_no_more_memory_than_a_hundred(ready, gpu_backend, settings, cudart, request):
    picture = pictures(ready, [])
    with Puppeteer(ready, backend=gpu_backend, engine_settings=settings) as puppeteer:
        puppeteer.set_avatar(puppeteer.make_avatar(picture[0][0], name="avatar"))
        frames = [Frame(image[0], number, 0.0) for number, image in enumerate(picture)]
        for number in range(request.config.getoption("--frames", 10_000)):
            if number == 100:
                free, held = free_bytes(cudart), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            puppeteer.render(frames[number % 2], PLAIN)
        assert puppeteer.notice is None

    assert free - free_bytes(cudart) <= GROWTH_BYTES
    assert 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) <= GROWTH_BYTES


def test_the_program_paints_what_it_paints_on_the_cpu(ready, gpu_backend, settings):
    images = [image[0] for image in pictures(ready, config.avatars()[:2])]
    painted = {}
    for name, chosen in ((gpu_backend, settings), ("onnxrt", None)):
        with Puppeteer(ready, backend=name, engine_settings=chosen) as puppeteer:
            puppeteer.set_avatar(puppeteer.make_avatar(images[2], name="avatar"))
            frames = [Frame(images[index], index, 0.0) for index in (2, 3, 3)]
            painted[name] = np.stack([puppeteer.render(frame, PLAIN).image for frame in frames]).astype(np.float64)

    squared = ((painted[gpu_backend] - painted["onnxrt"]) ** 2).mean()
    assert squared < 255**2 / 10**4  # 40 dB: masks are carried by other arithmetic, too


def test_an_engine_of_another_gpu_is_refused(ready, tensorrt, settings, engine_folder, tmp_path):
    shutil.copytree(engine_folder, tmp_path / "engines")
    side_car = engine_file(tmp_path / "engines", "encoder").path.with_suffix(".json")
    values = json.loads(side_car.read_text())
    values["machine"] |= {"capabilities": ["5.0"], "device": "Maxwell"}
    side_car.write_text(json.dumps(values))

    with pytest.raises(BackendError, match=r"was built for compute capability 5\.0; this is"):
        backends.get(tensorrt).load(ready, "encoder", replace(settings, engine_folder=tmp_path / "engines"))


@pytest.mark.parametrize("precision", ["fp16", "fp32"])
@pytest.mark.parametrize("name", ["bundled_model", "small_model", "small_fomm"])
def test_every_output_agrees_with_onnx_runtime(name, precision, tensorrt, timings, request, tmp_path):
    model = request.getfixturevalue(name)
    build_all(model, tmp_path, backend=tensorrt, precision=precision, timings=timings)
    images = pictures(model, config.avatars()[:3])

    for found in list(engine_files.listed(tmp_path)):
        parity = verify(found, model, images)  # raises, and names the output, if one is off

        assert parity.keys() == {each.name for each in found.spec.outputs}
