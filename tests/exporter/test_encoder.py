"""Does a bundle learn to find a sprite's latent, and is that latent any use?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from asset_gen.bundle import ENCODER, load_bundle
from asset_gen.errors import ModelError
from asset_gen.explore import Space, codes_of, drawn
from asset_gen.explore.picture import find_codes
from asset_gen.runtime import open_session
from exporter.encoder import train_encoder
from tests.conftest import Cli, files_of
from trainer.dataset import load_dataset


def test_an_encoder_comes_nearer_to_latents_the_longer_it_learns(
    own_bundle: Path, sprites: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = load_bundle(own_bundle)
    space, dataset = Space(bundle, "cpu"), load_dataset(sprites)
    monkeypatch.setattr("exporter.encoder.PAIRS_ALONE", 1)
    kinds = np.arange(16) % 4
    z = np.random.default_rng(5).normal(size=(16, space.info.latent)).astype(np.float32)
    pictures, _ = space.pictures(space.codes(z, space.label(kinds)))
    likeness = []
    for minutes in (0.05, 1.0):
        clock = iter(np.arange(0, 1e6, 1.0))  # a step a second, whatever the machine does
        monkeypatch.setattr("exporter.encoder.now", lambda clock=clock: float(next(clock)))
        path = tmp_path / f"{minutes}.onnx"
        record = train_encoder(bundle, dataset, minutes, path)
        found = open_session(path, "cpu").run(rgba=pictures, label=space.label(kinds))
        assert np.allclose((found**2).mean(axis=1), 1, atol=0.01)
        likeness.append(float(((found * z).mean(axis=1) / np.sqrt((z**2).mean(axis=1))).mean()))
        assert (record.minutes, record.steps) == (minutes, round(60 * minutes) - 1)
        assert 0 < record.held_out < len(dataset.files)
    assert likeness[1] > likeness[0] + 0.02


def test_calibrate_adds_an_encoder_that_searches_begin_at(cli: Cli, own_bundle: Path, sprites: Path) -> None:
    before = load_bundle(own_bundle)
    done = cli("calibrate", own_bundle, sprites, "--encoder", "0.02")
    assert done.code == 0, done.err
    assert "never saw" in done.out
    bundle = load_bundle(own_bundle)
    assert bundle.sha256 == before.sha256
    assert bundle.info.encoder is not None
    assert bundle.optional(ENCODER) is not None
    space = Space(bundle, "cpu")
    targets, _ = space.pictures(codes_of(space, [drawn(space, "flask", 3)]))
    label = space.label(np.array([space.info.types.index("flask")]))
    begun = find_codes(space, targets, label, steps=(0, 0))
    said = open_session(own_bundle / ENCODER, "cpu").run(rgba=targets, label=label)
    assert np.allclose(begun[0, 0, : space.info.latent], said[0], atol=1e-4)


def test_export_writes_an_encoder_along_with_the_rest(
    cli: Cli, finished_run: Path, bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / bundle.name
    done = cli("export", finished_run, "--out", out, "--licence", "CC0-1.0", "--encoder", "0.02")
    assert done.code == 0, done.err
    assert "sprites that its encoder never saw with an overlap of " in done.out
    plain, found = files_of(bundle), files_of(out)
    assert {name for name in found if found[name] != plain.get(name)} == {"bundle.json", ENCODER}
    loaded = load_bundle(out)
    assert loaded.optional(ENCODER) is not None
    assert loaded.info.encoder is not None
    assert (loaded.info.encoder.minutes, loaded.sha256) == (0.02, load_bundle(bundle).sha256)


def test_no_encoder_is_trained_where_the_sprites_are_gone(cli: Cli, finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"sprites": str(tmp_path / "gone")}))
    done = cli("export", run, "--out", tmp_path / "model", "--encoder", "0.02")
    assert done.code == 2
    assert f"--encoder: needs the training sprites as they were. Restore {tmp_path / 'gone'}" in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


@pytest.mark.parametrize("lost", ["record", "file"])
def test_half_an_encoder_is_refused(cli: Cli, own_bundle: Path, sprites: Path, lost: str) -> None:
    assert cli("calibrate", own_bundle, sprites, "--encoder", "0.01").code == 0
    info = json.loads((own_bundle / "bundle.json").read_text())
    if lost == "record":
        info["encoder"] = None
    else:
        del info["files"][ENCODER]
    (own_bundle / "bundle.json").write_text(json.dumps(info))
    with pytest.raises(ModelError, match=r"only one of encoder\.onnx and the record"):
        load_bundle(own_bundle)
