"""The trainer resumes exactly, survives a kill, and runs in two processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")
pytest.importorskip("lightning_fabric", reason="lightning-fabric is not installed (extra: train)")

from lightning_fabric import Fabric  # noqa: E402

from engines import families  # noqa: E402
from engines.errors import TrainingError  # noqa: E402
from engines.training import session  # noqa: E402
from engines.training.perceptual_metric import why_unavailable  # noqa: E402
from engines.training.trainer import STATE, Trainer, learning_rate, read_average  # noqa: E402
from engines.training.weights import save_weights  # noqa: E402
from tests.networks import configuration  # noqa: E402
from tests.training_set import TINY, drawn_cache, tiny_config, write_cache  # noqa: E402
from tools import train  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(autouse=True)
def _denormals_afterwards() -> Iterator[None]:
    """Training rounds denormals to zero in its whole process; hypothesis refuses to draw numbers there."""
    yield
    torch.set_flush_denormal(False)


def _trainer(run: Path, **weights: float) -> Trainer:
    cache = drawn_cache(np.random.default_rng(3))
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    return session.trainer(tiny_config(weights=weights), cache, run=run, fabric=fabric)


@pytest.mark.parametrize("adversarial", [0.0, 0.1])
def test_a_stopped_run_goes_on_exactly_as_if_it_had_not_stopped(tmp_path: Path, adversarial: float) -> None:
    _trainer(tmp_path / "whole", adversarial=adversarial).fit()
    _trainer(tmp_path / "parted", adversarial=adversarial).fit(until=2)

    again = _trainer(tmp_path / "parted", adversarial=adversarial)
    assert again.resume()
    again.fit()

    whole, parted = read_average(tmp_path / "whole"), read_average(tmp_path / "parted")
    assert all(torch.equal(whole[name], parted[name]) for name in whole)


def test_training_moves_weights_and_writes_pictures_and_log(tmp_path: Path) -> None:
    trainer = _trainer(tmp_path)
    before = {name: value.clone() for name, value in trainer.average.state_dict().items()}

    trainer.fit()

    moved = [name for name, value in read_average(tmp_path).items() if not torch.equal(value, before[name])]
    assert len(moved) > 0.9 * sum("num_batches" not in name for name in before)
    assert (tmp_path / "pictures" / "0000003.png").stat().st_size > 1000
    assert list((tmp_path / "log").glob("events.*"))


def test_a_checkpoint_cut_off_by_a_kill_does_not_replace_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = _trainer(tmp_path)
    trainer.fit(until=1)
    good = (tmp_path / STATE).read_bytes()

    def killed(_state: object, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        trainer.save()

    assert (tmp_path / STATE).read_bytes() == good


def test_a_new_run_can_begin_with_the_weights_of_another(tmp_path: Path) -> None:
    first = _trainer(tmp_path / "first")
    first.fit(until=2)
    save_weights(first.average, tmp_path / "weights.safetensors")

    second = _trainer(tmp_path / "second")
    second.start_from(tmp_path / "weights.safetensors")

    given, taken = first.average.state_dict(), second.average.state_dict()
    assert all(torch.allclose(given[name], taken[name], rtol=1e-3, atol=1e-4) for name in given)


def test_weights_of_other_networks_are_refused(tmp_path: Path) -> None:
    save_weights(families.build("compact", {**TINY, "blocks": 2}), tmp_path / "weights.safetensors")

    with pytest.raises(TrainingError, match="belongs to other networks"):
        _trainer(tmp_path / "run").start_from(tmp_path / "weights.safetensors")


def test_a_broken_checkpoint_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(b"no checkpoint")

    with pytest.raises(TrainingError, match=r"state\.pt cannot be read"):
        _trainer(tmp_path).resume()


def test_learning_rate_warms_up_and_ends_low() -> None:
    config = tiny_config(stages=[{"steps": 1000}], warm_up=100)

    assert learning_rate(config, 0) < learning_rate(config, 99) == pytest.approx(config.learning_rate)
    assert learning_rate(config, 1000) == pytest.approx(config.final_learning_rate)


@pytest.mark.parametrize(("is_native", "wanted"), [(True, "bf16-mixed"), (False, "32-true")])
def test_a_processor_trains_in_what_it_computes_without_emulation(monkeypatch, is_native: bool, wanted: str) -> None:
    monkeypatch.setattr(train, "prefers_bf16", lambda: is_native)

    assert train._precision("cpu") == wanted
    assert train._precision("mps") == "32-true"


@pytest.mark.parametrize("precision", ["bf16-mixed", "32-true"])
def test_mesh_points_reach_the_losses_unrounded(precision: str) -> None:
    given = {} if precision == "32-true" else {"plugins": train.InputsAsGiven(precision, "cpu")}
    fabric = Fabric(accelerator="cpu", devices=1, **given)
    model = torch.nn.Linear(2, 2)
    seen = []
    model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].dtype))

    made = fabric.setup(model)(torch.rand(1, 2))

    assert seen == [torch.float32]
    assert made.dtype == torch.float32


@pytest.mark.skipif(why_unavailable() is not None, reason=str(why_unavailable()))
def test_the_texture_loss_can_see_all_in_every_step(tmp_path: Path) -> None:
    config = tiny_config(weights={"texture": 1.0}, thorough=True)
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    trainer = session.trainer(config, drawn_cache(np.random.default_rng(3)), run=tmp_path, fabric=fabric)

    terms = trainer._objective(trainer.sampler.draw(0), 0).parts
    assert {"texture_full", "texture_whole", "texture_details", "texture_decoded"} <= terms.keys()
    assert all(torch.isfinite(term) for term in terms.values())


@pytest.mark.parametrize("keeps", [True, False])
def test_batch_norms_keep_what_they_have_gathered_if_asked_to(tmp_path: Path, keeps: bool) -> None:
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    cache = drawn_cache(np.random.default_rng(3))
    trainer = session.trainer(tiny_config(keep_statistics=keeps), cache, run=tmp_path, fabric=fabric)
    before = {name: value.clone() for name, value in trainer.average.state_dict().items()}

    trainer.fit()

    after = trainer.average.state_dict()
    statistics = [name for name in after if name.endswith("running_mean")]
    assert statistics
    assert all(torch.equal(before[name], after[name]) is keeps for name in statistics)
    assert not torch.equal(before["encoder.to_half.0.weight"], after["encoder.to_half.0.weight"])


def test_frozen_networks_stay_as_they_are_and_the_others_learn(tmp_path: Path) -> None:
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    cache = drawn_cache(np.random.default_rng(3))
    trainer = session.trainer(tiny_config(frozen=("segmenter",)), cache, run=tmp_path, fabric=fabric)
    before = {name: value.clone() for name, value in trainer.average.state_dict().items()}

    trainer.fit()

    after = trainer.average.state_dict()
    stayed = {name for name in after if torch.equal(before[name], after[name])}
    assert {name for name in after if name.startswith("segmenter.")} <= stayed
    assert not {"encoder.to_half.0.weight", "decoder.final.weight"} & stayed

    with pytest.raises(TrainingError, match="no network painter to be frozen; choose from segmenter, encoder"):
        session.trainer(tiny_config(frozen=("painter",)), cache, run=tmp_path, fabric=fabric)


def test_two_processes_train_together_and_the_tool_exports(tmp_path: Path) -> None:
    run, exported = tmp_path / "run", tmp_path / "model"
    run.mkdir()
    write_cache(drawn_cache(np.random.default_rng(3)), run / "cache")
    config = tmp_path / "config.json"
    config.write_text(tiny_config(weights={"adversarial": 0.1}).model_dump_json())
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    tool = [str(ROOT / "tools" / "train.py"), "--output", str(run)]
    together = [*tool, "--config", str(config), "--accelerator", "cpu", "--devices", "2", "--precision", "32-true"]

    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *together]
    trained = subprocess.run(launch, env=environment, capture_output=True, text=True, check=False)
    assert trained.returncode == 0, trained.stderr
    assert "stopped at step 3 of 3" in trained.stderr

    export = [sys.executable, *tool, "--export", str(exported)]
    finished = subprocess.run(export, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert (exported / "generator.onnx").stat().st_size > 10_000
    assert (exported / "weights.safetensors").stat().st_size > 10_000


@pytest.mark.parametrize("family", ["mcs", "fomm"])
def test_the_published_families_train_too(tmp_path: Path, family: str) -> None:
    network = {**configuration(family, "small"), "size": 128}
    config = tiny_config(family=family, network=network, stages=[{"steps": 2, "size": 128, "batch": 2}])
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    trainer = session.trainer(config, drawn_cache(np.random.default_rng(3)), run=tmp_path, fabric=fabric)
    losses = []

    trainer.fit(report=lambda now: losses.append(now.loss))

    assert len(losses) == 2
    assert np.isfinite(losses).all()
