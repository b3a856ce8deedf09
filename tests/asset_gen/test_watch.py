"""Whatever is dropped, deleted, edited or written slowly, a watched project ends as its recipe says."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from asset_gen.batch import run_batch
from asset_gen.cli import retraining
from asset_gen.cli.retraining import Rounds
from asset_gen.errors import AssetgenError, ModelError, PartialError, ProjectError, UsageError
from asset_gen.watch.reconcile import REST
from tests.fakes import use_stand_ins
from tests.studio import Studio

SHEET = "bat/bat.png"


@pytest.fixture
def studio(game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    """A project with five sprites of two types."""
    model = tmp_path / "model"
    model.mkdir()
    for name in ("bundle.json", "classifier.onnx", "generator.onnx"):
        (model / name).write_text("1")
    use_stand_ins(monkeypatch)
    (game / "assetgen.toml").write_text("# a recipe\n")
    return Studio(game, model)


def test_a_new_project_is_filled_and_then_nothing_is_done(studio: Studio) -> None:
    assert studio.settle(full=True) == ["working", "published", "watching"]
    assert sorted(studio.manifest().quotas.items()) == [("bat", 3), ("imp", 2)]
    before = studio.published()
    for _ in range(5):
        assert studio.settle(full=True) == []
        studio.now += 60
    assert studio.batches == 1
    assert studio.published() == before


def test_its_own_files_are_no_change(studio: Studio) -> None:
    studio.settle(full=True)
    assert studio.settle() == []
    assert studio.watch.memory.resting == {}


def test_a_deleted_file_is_restored_unchanged(studio: Studio) -> None:
    studio.settle(full=True)
    before = studio.published()
    (studio.out / SHEET).unlink()
    assert "published" in studio.settle()
    assert studio.published() == before


def test_a_file_that_is_deleted_again_before_anybody_looks_is_restored_again(studio: Studio) -> None:
    studio.settle(full=True)
    before = studio.published()
    (studio.out / SHEET).unlink()
    studio.watch.tick()
    studio.now += REST
    studio.watch.tick()
    (studio.out / SHEET).unlink()
    studio.settle()
    assert studio.published() == before


def test_a_deleted_output_folder_is_made_again(studio: Studio) -> None:
    studio.settle(full=True)
    before = studio.published()
    shutil.rmtree(studio.out)
    studio.settle()
    assert studio.published() == before


@pytest.mark.parametrize("lost", [40, 12])
def test_a_sheet_that_breaks_off_is_made_again(studio: Studio, lost: int) -> None:
    studio.settle(full=True)
    before = studio.published()
    (studio.out / SHEET).write_bytes(before[SHEET][:-lost])
    studio.settle()
    assert studio.published() == before


def test_an_edited_sheet_stays_and_is_told_once(studio: Studio) -> None:
    studio.settle(full=True)
    Image.new("RGBA", (40, 40), "red").save(studio.out / SHEET)
    mine = (studio.out / SHEET).read_bytes()
    assert studio.settle() == ["edited", "watching"]
    assert studio.settle(full=True) == []
    assert (studio.out / SHEET).read_bytes() == mine
    assert studio.batches == 1


def test_a_changed_recipe_is_followed(studio: Studio) -> None:
    studio.settle(full=True)
    studio.counts["imp"] = 4
    (studio.project / "assetgen.toml").write_text("# imp = 4\n")
    assert "published" in studio.settle()
    assert studio.manifest().quotas == {"bat": 3, "imp": 4}


def test_a_recipe_that_is_only_touched_is_none(studio: Studio) -> None:
    studio.settle(full=True)
    os.utime(studio.project / "assetgen.toml", (1, 1))
    studio.settle()
    assert studio.batches == 1


def test_an_editor_that_saves_by_rename(studio: Studio) -> None:
    studio.settle(full=True)
    studio.counts["imp"] = 4
    recipe = studio.project / "assetgen.toml"
    (studio.project / ".assetgen.toml.swp").write_text("# imp = 4\n")
    recipe.rename(studio.project / "assetgen.toml~")
    assert studio.watch.tick() == pytest.approx(REST)  # it is gone, and that may last
    (studio.project / ".assetgen.toml.swp").rename(recipe)
    studio.settle()
    assert studio.manifest().quotas == {"bat": 3, "imp": 4}
    assert studio.batches == 2


def test_a_slow_writer_is_waited_for(studio: Studio) -> None:
    studio.settle(full=True)
    whole = studio.published()[SHEET]
    edited = Image.new("RGBA", (40, 40), "red")
    edited.save(studio.project / "edited.png")
    data = (studio.project / "edited.png").read_bytes()
    for end in range(10, len(data), 20):  # an editor that writes in place, and takes its time
        (studio.out / SHEET).write_bytes(data[:end])
        assert studio.watch.tick() is not None
        studio.now += REST * 0.9
    (studio.out / SHEET).write_bytes(data)
    studio.settle()
    assert (studio.out / SHEET).read_bytes() == data != whole
    assert studio.batches == 1


def test_a_broken_recipe_is_told_once_and_waited_out(studio: Studio) -> None:
    studio.settle(full=True)
    before = studio.published()
    studio.broken = UsageError("assetgen.toml, line 3: there is no key 'coutn'.")
    (studio.project / "assetgen.toml").write_text("coutn = 3\n")
    assert studio.settle() == ["error"]
    assert studio.settle(full=True) == []
    assert studio.published() == before
    studio.broken = None
    studio.counts["imp"] = 4
    (studio.project / "assetgen.toml").write_text("# imp = 4\n")
    studio.settle()
    assert studio.manifest().quotas == {"bat": 3, "imp": 4}
    assert studio.watch.failures == {}


def test_another_seed_waits_for_a_yes_and_says_what_for(studio: Studio) -> None:
    studio.settle(full=True)
    before = studio.published()
    studio.changes["seed"] = 1
    (studio.project / "assetgen.toml").write_text("seed = 1\n")
    assert studio.settle() == ["working", "waiting"]
    assert "A change of seed (0 → 1) would replace all 5 published sprites" in studio.told[-1].message
    assert studio.published() == before
    batches = studio.batches
    assert studio.settle(full=True) == []  # it isn't asked again every minute
    assert studio.batches == batches
    studio.changes = {}
    (studio.project / "assetgen.toml").write_text("# seed = 1\n")
    assert studio.settle()[-1] == "watching"
    assert studio.published() == before


def test_with_yes_another_seed_is_applied(studio: Studio) -> None:
    studio.settle(full=True)
    studio.changes = {"seed": 1, "yes": True}
    (studio.project / "assetgen.toml").write_text("seed = 1\n")
    assert "published" in studio.settle()
    assert studio.manifest().seed == 1


def test_a_failure_that_nobody_mends_is_tried_again_every_minute(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ProjectError("No space left on device.")

    with monkeypatch.context() as patch:
        patch.setattr("asset_gen.batch.deliver", full)
        assert studio.settle(full=True) == ["working", "error"]
        assert studio.settle(full=True) == ["working"]  # the same error is told once
    assert studio.settle() == []
    studio.now += 60
    assert studio.settle(full=True) == ["working", "published", "watching"]


def test_a_change_while_a_batch_works_is_not_lost(studio: Studio) -> None:
    studio.settle(full=True)

    def more() -> None:
        studio.meanwhile = lambda: None
        studio.counts["imp"] = 5
        (studio.project / "assetgen.toml").write_text("# imp = 5\n")

    studio.meanwhile = more
    studio.counts["imp"] = 4
    (studio.project / "assetgen.toml").write_text("# imp = 4\n")
    studio.settle()
    assert studio.manifest().quotas == {"bat": 3, "imp": 5}


def test_a_watch_that_starts_in_the_middle_ends_alike(studio: Studio) -> None:
    studio.settle(full=True)
    before = studio.published()
    (studio.out / SHEET).unlink()
    studio.watch.tick()  # and killed
    studio.again()
    studio.settle(full=True)
    assert studio.published() == before


def test_a_batch_that_somebody_else_ran_is_recognised_by_its_manifest(studio: Studio) -> None:
    studio.settle(full=True)
    studio.counts["imp"] = 4
    run_batch(studio.request())
    assert studio.settle() == ["working", "watching"]
    assert studio.manifest().quotas == {"bat": 3, "imp": 4}


def test_a_damaged_manifest_is_told_and_nothing_is_lost(studio: Studio) -> None:
    studio.settle(full=True)
    before = studio.published()
    (studio.out / "manifest.json").write_text("<<<<<<< HEAD\n")
    told = studio.settle()
    assert "error" in told
    assert {path: data for path, data in studio.published().items() if path != "manifest.json"} == {
        path: data for path, data in before.items() if path != "manifest.json"
    }
    (studio.out / "manifest.json").write_bytes(before["manifest.json"])
    assert studio.settle()[-1] == "watching"
    assert studio.published() == before


def test_a_deleted_project_ends_the_watch_and_is_not_made_again(studio: Studio) -> None:
    studio.settle(full=True)
    shutil.rmtree(studio.project)
    with pytest.raises(ProjectError, match="the project has gone"):
        studio.watch.tick()
    assert not studio.project.exists()


def test_a_model_that_is_replaced_waits_too(studio: Studio) -> None:
    studio.settle(full=True)
    (studio.model / "generator.onnx").unlink()
    studio.watch.tick()
    (studio.model / "generator.onnx").write_text("2")
    (studio.model / "bundle.json").write_text("2")
    told = studio.settle()
    assert told[0] == "working"
    assert studio.batches == 2


def test_ten_thousand_files_in_the_way_are_looked_past(studio: Studio) -> None:
    studio.settle(full=True)
    before = studio.published()
    for number in range(500):  # tests/benchmarks/watch.py does it with 10,000
        (studio.out / "bat" / f"note{number}.txt").write_text("mine")
    studio.settle()
    assert studio.batches == 1
    assert {path: data for path, data in studio.published().items() if "note" not in path} == before


# Rejecting -----------------------------------------------------------------------------------------------------------


def candidate_of(studio: Studio, slot: str) -> Path:
    """The candidate's file that fills a slot."""
    manifest = studio.manifest()
    origin = next(s.origin for sheet in manifest.sheets for s in sheet.sprites if s.name == slot)
    return studio.out / "candidates~" / manifest.run / origin.type / f"{origin.type}_c{origin.index:06d}.png"


def fillings(studio: Studio) -> dict[str, int]:
    """Slot → index of the candidate that fills it."""
    return {s.name: s.origin.index for sheet in studio.manifest().sheets for s in sheet.sprites}


@pytest.mark.parametrize("by", ["candidate", "slot"])
def test_a_sprite_moved_to_the_reject_folder_is_replaced_and_nothing_else(studio: Studio, by: str) -> None:
    studio.settle(full=True)
    before = fillings(studio)
    path = candidate_of(studio, "bat_000001")
    name = path.name if by == "candidate" else "bat_000001.png"
    path.rename(studio.reject / name)
    told = studio.settle()
    assert told == ["rejected", "working", "published", "watching"]
    after = fillings(studio)
    assert {slot for slot in before if before[slot] != after[slot]} == {"bat_000001"}
    assert list(studio.reject.iterdir()) == []
    assert (studio.project / ".assetgen" / "rejected" / name).is_file()
    (line,) = (studio.project / "assetgen.decisions.jsonl").read_text().splitlines()
    assert '"reject"' in line


def test_a_folder_of_sprites_moved_to_the_reject_folder(studio: Studio) -> None:
    studio.settle(full=True)
    before = fillings(studio)
    folder = studio.project / "ugly"
    folder.mkdir()
    for slot in ("bat_000000", "imp_000001"):
        shutil.copy(candidate_of(studio, slot), folder)
    folder.rename(studio.reject / "ugly")
    studio.settle()
    after = fillings(studio)
    assert {slot for slot in before if before[slot] != after[slot]} == {"bat_000000", "imp_000001"}


def test_a_rejection_that_was_cut_off_is_completed(studio: Studio) -> None:
    studio.settle(full=True)
    path = candidate_of(studio, "bat_000001")
    data = path.read_bytes()
    path.rename(studio.reject / path.name)
    studio.settle()
    (studio.reject / path.name).write_bytes(data)  # as if killed between the decision and the move
    studio.again()
    told = studio.settle(full=True)
    assert "error" not in told
    assert list(studio.reject.iterdir()) == []
    assert len((studio.project / "assetgen.decisions.jsonl").read_text().splitlines()) == 1


def test_a_file_that_names_no_sprite_stays_and_is_told_once(studio: Studio) -> None:
    studio.settle(full=True)
    (studio.reject / "my cat.png").write_bytes(b"meow")
    (studio.reject / ".DS_Store").write_bytes(b"litter")
    assert studio.settle() == ["error"]
    assert "is named neither like a published sprite" in next(e for e in studio.told if e.event == "error").message
    assert (studio.reject / "my cat.png").read_bytes() == b"meow"
    (studio.reject / "my cat.png").unlink()
    studio.settle()
    assert studio.settle(full=True)[-1:] in ([], ["watching"])
    assert studio.watch.failures == {}


# Training ------------------------------------------------------------------------------------------------------------


class Apprentice:
    """Learns at once."""

    def __init__(self, model: Path) -> None:
        self.model, self.rounds, self.new = model, 0, False

    def due(self) -> bool:
        return self.new

    def __call__(self, stopping: object) -> str:
        self.rounds += 1
        self.new = False
        (self.model / "new.json").write_text(f"round {self.rounds}")
        (self.model / "new.json").replace(self.model / "bundle.json")  # whole at once, as assetgen export does it
        return f"round {self.rounds}"


def test_new_art_trains_the_model_once_all_of_it_rests(studio: Studio, tmp_path: Path) -> None:
    art = tmp_path / "art"
    (art / "bat").mkdir(parents=True)
    (art / "bat" / "one.png").write_bytes(b"1")
    studio.retrain = apprentice = Apprentice(studio.model)
    studio.sprites = art
    studio.again()
    studio.settle(full=True)
    assert apprentice.rounds == 0
    apprentice.new = True
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "two.png").write_bytes(b"2")
    (tmp_path / "more").rename(art / "imp")  # a folder moved in
    studio.settle()
    while "retrained" not in [event.event for event in studio.told]:
        assert studio.watch.bell.get(timeout=30) == "trained"
        studio.settle()
    assert apprentice.rounds == 1
    assert studio.batches == 2  # the model is another
    assert studio.watch.failures == {}


STAND_IN = """
import json, sys, time
from pathlib import Path
log, command, *arguments = sys.argv[1:]
with open(log, "a") as file:
    file.write(json.dumps([command, *arguments]) + "\\n")
where = Path(arguments[arguments.index("--run" if command == "train" else "--out") + 1])
where.mkdir(exist_ok=True)
if command == "train":
    (where / "config.json").write_text("{}")
if (Path(log).parent / "fails").exists():
    sys.exit("assetgen: out of memory with 64 sprites a step")
while (Path(log).parent / f"slow-{command}").exists():
    time.sleep(0.01)
"""


@pytest.fixture
def lessons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with sprites and a finished training on them; trainings only write down how they are called."""
    for folder in ("art/bat", "runs/mine", "models"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "art/bat/one.png").write_bytes(b"1")
    (tmp_path / "runs/mine/data.json").write_text('{"read": 1, "refused": {}}')
    config = {"preset": "projected", "merge": {"unique": "humanoid"}, "background": True, "judge": "classifier"}
    (tmp_path / "runs/mine/config.json").write_text(json.dumps(config))
    command = (sys.executable, "-c", STAND_IN, str(tmp_path / "log"))
    monkeypatch.setattr(retraining, "ASSETGEN", command)
    monkeypatch.setattr(retraining, "LOOK_SECONDS", 0.01)
    return tmp_path


def rounds(lessons: Path) -> Rounds:
    return Rounds(lessons / "art", lessons / "runs/mine", lessons / "models/mine", 5.0, "cpu")


def called(lessons: Path) -> list[str]:
    """How assetgen was called, a line each, without folders."""
    lines = map(json.loads, (lessons / "log").read_text().splitlines())
    return [" ".join(words).replace(f"{lessons}/", "") for words in lines]


KIND = "--device cpu --preset projected --merge unique=humanoid --background auto --no-pretrained"


def test_rounds_go_on_from_each_other_with_the_first_ones_options(lessons: Path) -> None:
    assert not rounds(lessons).due()
    (lessons / "art/bat/two.png").write_bytes(b"2")
    assert rounds(lessons).due()
    rounds(lessons)(lambda: False)
    assert not rounds(lessons).due()
    (lessons / "art/bat/one.png").write_bytes(b"better")
    rounds(lessons)(lambda: False)
    assert called(lessons) == [
        f"train art --run runs/mine-0001 --max-minutes 5 -q {KIND} --from runs/mine",
        "export runs/mine-0001 --out models/mine --force",
        f"train art --run runs/mine-0002 --max-minutes 5 -q {KIND} --from runs/mine-0001",
        "export runs/mine-0002 --out models/mine --force",
    ]


def test_art_that_came_before_the_watch_is_new(lessons: Path) -> None:
    (lessons / "art/bat/two.png").write_bytes(b"2")
    assert rounds(lessons).due()


def test_a_stopped_round_is_resumed_unless_the_sprites_are_others_again(lessons: Path) -> None:
    rounds(lessons)
    (lessons / "art/bat/two.png").write_bytes(b"2")
    (lessons / "slow-train").touch()
    with pytest.raises(PartialError, match="train was stopped, and goes on with the next"):
        rounds(lessons)((lessons / "runs/mine-0001/watch.begun").exists)
    (lessons / "slow-train").unlink()
    assert rounds(lessons).due()
    (lessons / "fails").touch()
    with pytest.raises(AssetgenError, match="train failed: out of memory with 64 sprites a step"):
        rounds(lessons)(lambda: False)
    (lessons / "fails").unlink()
    rounds(lessons)(lambda: False)
    assert [line.split()[-2:] for line in called(lessons)] == [
        ["--from", "runs/mine"],
        [*KIND.split()[-1:], "--resume"],
        [*KIND.split()[-1:], "--resume"],
        ["models/mine", "--force"],
    ]


def test_a_stopped_round_of_other_sprites_is_left_behind(lessons: Path) -> None:
    rounds(lessons)
    (lessons / "art/bat/two.png").write_bytes(b"2")
    (lessons / "slow-train").touch()
    with pytest.raises(PartialError):
        rounds(lessons)((lessons / "runs/mine-0001/watch.begun").exists)
    (lessons / "slow-train").unlink()
    (lessons / "art/bat/three.png").write_bytes(b"3")
    rounds(lessons)(lambda: False)
    assert called(lessons)[1].split()[3:5] + called(lessons)[1].split()[-2:] == [
        "runs/mine-0002",
        "--max-minutes",
        "--from",
        "runs/mine",
    ]


def test_a_run_that_is_none(lessons: Path) -> None:
    with pytest.raises(ModelError, match="Give the folder of a training"):
        Rounds(lessons / "art", lessons / "runs/none", lessons / "models/mine", 5.0, "cpu")
