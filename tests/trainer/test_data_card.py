"""Every run and bundle says which files it has seen, whose they are, and which outside networks helped."""

from __future__ import annotations

import json
import shlex
import shutil
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from asset_gen import data_card
from asset_gen.data_card import Credit, ancestry, check_licensed, make_card, read_card, read_credits
from asset_gen.errors import ModelError, SpriteError
from asset_gen.forget import digests_of, forget
from tests.conftest import Cli, files_of
from tests.creatures import write_set
from trainer.config import Config, read_sprites
from trainer.finetune import load_source

HEADER = "file,author,licence,source,licensed\n"
ONE = "beetle/beetle000.png"


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """Forty sprites to write credits for."""
    return write_set(tmp_path / "art")


def test_a_run_and_its_bundle_list_every_file_they_saw(finished_run: Path, bundle: Path, sprites: Path) -> None:
    card = read_card(finished_run)
    assert card is not None and card == read_card(bundle)
    assert {file.file: file.sha256 for file in card.files} == {
        name: sha256(data).hexdigest() for name, data in files_of(sprites).items()
    }
    assert {file.types[0] for file in card.files} == {"beetle", "crystal", "flask", "mushroom"}
    assert (card.outside_networks, card.ancestors) == ([], [])
    assert card.sentence == (
        "Trained on 40 files of sprites (authors: 40 without a named author; licences: 40 without a stated licence) "
        "with the help of no network trained by others."
    )
    listed = json.loads((bundle / "bundle.json").read_text())["files"]["data_card.json"]
    assert listed["sha256"] == sha256((bundle / "data_card.json").read_bytes()).hexdigest()


def test_a_changed_card_makes_the_bundle_untrue(own_bundle: Path, cli: Cli, game: Path) -> None:
    text = (own_bundle / "data_card.json").read_text()
    (own_bundle / "data_card.json").write_text(text.replace("beetle000", "beetle999"))
    done = cli("batch", "--model", own_bundle, "--project", game)
    assert done.code == 5 and "data_card.json" in done.err


def test_authors_and_licences_stand_in_the_card_and_its_sentence(art: Path) -> None:
    (art / "credits.csv").write_text(f"{HEADER}{ONE},Ada,CC-BY-4.0,https://example.org,yes\n")
    _, dataset = read_sprites(Config(preset="relativistic", sprites=str(art), size=None))
    card = make_card(art, dataset.typed(), read_credits(art), ["EfficientNet-Lite0"])
    first = card.files[0]
    assert (first.file, first.author, first.licence, first.source, first.licensed) == (
        *(ONE, "Ada", "CC-BY-4.0", "https://example.org", "yes"),
    )
    assert "authors: Ada 1, 39 without a named author" in card.sentence
    assert "licences: CC-BY-4.0 1, 39 without a stated licence" in card.sentence
    assert card.sentence.endswith("with the help of EfficientNet-Lite0.")


def test_files_that_are_not_licensed_are_refused_and_listed(art: Path, cli: Cli, tmp_path: Path) -> None:
    (art / "credits.csv").write_text(f"{HEADER}{ONE},Bob,,,no\nflask/flask001.png,,,,NO\n")
    done = cli("train", art, "--run", tmp_path / "run", "--without", ONE)
    assert done.code == 1 and "1 files are marked as not licensed" in done.err
    assert "flask/flask001.png (no author named)" in done.err and ONE not in done.err
    assert not (tmp_path / "run").exists()
    config = Config(
        preset="relativistic", sprites=str(art), size=None, without=[ONE, str(art / "flask" / "flask001.png")]
    )
    assert len(read_sprites(config)[1].files) == 38
    with pytest.raises(SpriteError, match=r"--without beetle/none\.png: .* has no such sprite"):
        read_sprites(msgspec.convert(msgspec.to_builtins(config) | {"without": ["beetle/none.png"]}, Config))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEADER}{ONE},Ada,,,yes\nbeetle/none.png,Ada,,,yes\n", "line 3: there is no file 'beetle/none.png'"),
        (f"{HEADER}../outside.png,Ada,,,yes\n", "line 2: there is no file"),
        (f"{HEADER},Ada,,,yes\n", "line 2: there is no file ''"),
        (f"{HEADER}{ONE},,,,perhaps\n", "line 2: licensed is 'perhaps'. Write yes or no"),
        (f"{HEADER}{ONE},,,,\n{ONE},,,,\n", "line 3: .* stands there twice"),
        ("name,author\nx,Ada\n", "needs the columns file,author,licence,source,licensed"),
    ],
)
def test_credits_that_cannot_be_true_are_refused(text: str, words: str, art: Path, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "outside.png").write_bytes(b"")
    (art / "credits.csv").write_text(text)
    with pytest.raises(SpriteError, match=rf"credits\.csv.*{words}"):
        read_credits(art)
    assert cli("train", art, "--run", tmp_path / "run").code == 1


def test_credits_may_come_from_a_spreadsheet(art: Path) -> None:
    (art / "credits.csv").write_text(f"\ufefffile,licensed\r\n{ONE},Yes\r\n", encoding="utf-8")
    assert read_credits(art) == {ONE: Credit(licensed="yes")}
    check_licensed(art, [ONE], read_credits(art))


def test_a_model_that_starts_from_another_has_seen_what_that_one_saw(finished_run: Path, art: Path) -> None:
    source = load_source(finished_run)
    (ancestor,) = source.ancestors
    assert ancestor.name == "creatures" and len(ancestor.files or []) == 40
    child = make_card(art, [(ONE, ["beetle"])], {}, [], source.ancestors)
    assert (
        len(child.seen()) == 40 and "starting from the model creatures, which was trained on 40 files" in child.sentence
    )
    old = ancestry("old", "0" * 64, None)
    assert "an unknown set (it has no data card)" in make_card(art, [(ONE, ["beetle"])], {}, [], old).sentence
    assert [one.name for one in ancestry("grandchild", "1" * 64, child)] == ["grandchild", "creatures"]


def test_a_damaged_card_is_said_to_be_one(tmp_path: Path) -> None:
    assert read_card(tmp_path) is None
    for text, words in (("{", "can't be read as a data card"), ('{"format": 2}', "data card")):
        (tmp_path / data_card.NAME).write_text(text)
        with pytest.raises(ModelError, match=words):
            read_card(tmp_path)


def test_forget_lists_runs_bundles_and_published_sprites(
    finished_run: Path, bundle: Path, sprites: Path, cli: Cli, game: Path, tmp_path: Path
) -> None:
    assert cli("batch", "--count", 8, "--model", bundle, "--project", game, "-q").code == 0
    shutil.copy(sprites / ONE, tmp_path / "renamed.png")  # known by what it holds
    where = ["--runs", finished_run.parent, "--bundles", bundle, "--project", game]
    done = cli("forget", tmp_path / "renamed.png", *where, "--json")
    assert done.code == 0
    found = json.loads(done.out)
    assert [(one["run"], one["saw"]) for one in found["runs"]] == [(str(finished_run), [ONE])]
    assert [one["bundle"] for one in found["bundles"]] == [str(bundle)]
    assert [len(names) for names in found["sprites"].values()] == [8] and found["unknown"] == []
    words = shlex.split(found["runs"][0]["command"])
    assert words[:3] == ["assetgen", "train", str(sprites)]
    assert words[-3:] == ["--no-pretrained", "--without", ONE]
    assert {"--width", "0.25", "--batch-size", "8"} <= set(words)
    told = cli("forget", sha256((sprites / ONE).read_bytes()).hexdigest(), *where).out
    assert f"run {finished_run} saw {ONE}" in told and "8 published sprites" in told


def test_what_cannot_be_known_is_said(finished_run: Path, bundle: Path, cli: Cli, game: Path, tmp_path: Path) -> None:
    (tmp_path / "other.png").write_bytes(b"never seen")
    done = cli("forget", tmp_path / "other.png", "--runs", finished_run, "--bundles", bundle)
    assert done.out.strip() == "nothing that was looked through saw it"
    old = Path(shutil.copytree(finished_run, tmp_path / "old"))
    (old / "data_card.json").unlink()
    done = cli("forget", tmp_path / "other.png", "--runs", old, "--project", game)
    assert "as far as is known" in done.out
    assert f"{old}: has no data card" in done.err and "nothing is published there" in done.err
    assert cli("forget", tmp_path / "other.png").code == 2
    assert "there is no such file" in cli("forget", tmp_path / "none.png", "--runs", old).err
    assert "there is no such folder" in cli("forget", tmp_path / "other.png", "--runs", tmp_path / "none").err


def test_a_file_that_only_an_ancestor_saw_is_found(
    finished_run: Path, art: Path, sprites: Path, tmp_path: Path
) -> None:
    child = tmp_path / "runs" / "child"
    child.mkdir(parents=True)
    card = make_card(art, [("flask/flask000.png", ["flask"])], {}, [], load_source(finished_run).ancestors)
    (child / data_card.NAME).write_bytes(data_card.encode_card(card))
    shutil.copy(finished_run / "config.json", child)
    found = forget(digests_of([str(sprites / ONE)]), [tmp_path / "runs"], [], [])
    assert [one.saw for one in found.runs] == [[ONE]]
    assert "a model that it started from saw them, too" in found.unknown[0]


def test_without_outside_networks_none_is_touched_from_training_to_sprites(
    cli: Cli, game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judging and exporting included: loading any weights of others would fail."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(f"weights of others were asked for: {arguments}")

    for module in ("trainer.pretrained", "trainer.judge", "trainer.models.projected", "exporter.feature_network"):
        monkeypatch.setattr(f"{module}.load_efficientnet", refuse)
    monkeypatch.setattr("torch.load", refuse)
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refuse)
    monkeypatch.delenv("ASSETGEN_NO_PRETRAINED")
    art = write_set(tmp_path / "own", each=3)
    options = ["--steps", 2, "--width", 0.25, "--batch-size", 8, "--no-pretrained", "-q"]
    assert cli("train", art, "--run", tmp_path / "run", *options).code == 0
    assert (tmp_path / "run" / "evaluations.jsonl").read_text()  # it was judged
    assert cli("export", tmp_path / "run", "--out", tmp_path / "model").code == 0
    assert cli("batch", "--count", 4, "--model", tmp_path / "model", "--project", game, "-q").code == 0
    for document in (tmp_path / "run" / "data_card.json", tmp_path / "model" / "bundle.json"):
        assert json.loads(document.read_text())["outside_networks"] == []
    out = game / "assets" / "generated"
    assert json.loads((out / "provenance.json").read_text())["outside_networks"] == []
