"""Run folders: in the way, missing, of another training, damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.attacks.hostile import assert_refused
from tests.conftest import Cli, files_of
from tests.creatures import write_set

LIKE_THE_FIXTURE = ("--width", 0.25, "--batch-size", 8, "--resume")


@pytest.fixture
def own_run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of ``finished_run`` (six steps) whose other checkpoint is at step 5, not at the start."""
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    shutil.rmtree(run / "checkpoints" / "000000000")
    shutil.copytree(run / "checkpoints" / "000000006", run / "checkpoints" / "000000005")
    state = run / "checkpoints" / "000000005" / "state.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"step": 5}))
    return run


def flip(path: Path, place: int | None = None) -> None:
    """Invert a byte (the middle one)."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if place is None else place] ^= 0xFF
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    "options", [("--preset", "paper-dcgan"), ("--seed", 1), ("--size", 48), ("--merge", "flask=beetle")]
)
def test_resuming_another_training(cli: Cli, sprites: Path, own_run: Path, options: tuple[object, ...]) -> None:
    before = files_of(own_run)
    done = cli("train", sprites, "--run", own_run, *LIKE_THE_FIXTURE, *options)
    assert_refused(done, 5, own_run, "since the run began", "start a new run in another folder")
    assert files_of(own_run) == before


def test_resuming_with_changed_sprites(cli: Cli, own_run: Path, tmp_path: Path) -> None:
    art = write_set(tmp_path / "sprites")
    (art / "flask" / "flask000.png").unlink()
    before = files_of(own_run)
    done = cli("train", art, "--run", own_run, *LIKE_THE_FIXTURE)
    assert_refused(done, 5, own_run, "the sprites have changed", "Restore what it was")
    assert files_of(own_run) == before


def test_resuming_a_run_that_does_not_exist(cli: Cli, sprites: Path, tmp_path: Path) -> None:
    done = cli("train", sprites, "--run", tmp_path / "run", "--resume")
    assert_refused(done, 2, f"{tmp_path / 'run'}: holds no run to resume", "Leave --resume out")
    assert not (tmp_path / "run").exists()


def test_a_run_folder_that_exists(cli: Cli, sprites: Path, own_run: Path) -> None:
    before = files_of(own_run)
    done = cli("train", sprites, "--run", own_run, "--steps", 9)
    assert_refused(done, 2, f"{own_run}: holds a run already", "--resume")
    assert files_of(own_run) == before


def test_a_run_folder_that_is_a_file(cli: Cli, sprites: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    assert_refused(cli("train", sprites, "--run", tmp_path / "run"), 2, f"--run {tmp_path / 'run'}: is a file")
    assert (tmp_path / "run").read_text() == "mine"


def test_a_run_folder_inside_the_sprites(cli: Cli, tmp_path: Path) -> None:
    art = write_set(tmp_path / "art", each=3)
    before = files_of(art)
    done = cli("train", art, "--run", art / "runs" / "mine")
    assert_refused(done, 2, f"--run {art / 'runs' / 'mine'}: lies inside the sprites", "Give a folder outside")
    assert files_of(art) == before


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json"])
def test_a_checkpoint_with_a_flipped_byte_is_passed_over(
    cli: Cli, sprites: Path, own_run: Path, name: str, quick: tuple[object, ...]
) -> None:
    newest = own_run / "checkpoints" / "000000006"
    flip(newest / name)
    done = cli("train", sprites, "--run", own_run, *LIKE_THE_FIXTURE, "--steps", 6)
    assert done.code == 0, done.err
    assert f"{newest} is damaged" in done.err
    assert "the one before it is used" in done.err
    assert json.loads((newest / "state.json").read_text())["step"] == 6  # made again from step 5


def test_when_every_checkpoint_is_damaged_it_says_so(cli: Cli, sprites: Path, own_run: Path) -> None:
    flip(own_run / "checkpoints" / "000000005" / "tensors.safetensors")
    (own_run / "checkpoints" / "000000006" / "state.json").write_text("[]")
    before = files_of(own_run)
    done = cli("train", sprites, "--run", own_run, *LIKE_THE_FIXTURE, "--steps", 9)
    assert_refused(done, 5, own_run / "checkpoints", "no checkpoint is whole", "Start again in a new run folder")
    assert files_of(own_run) == before


def test_no_flipped_byte_of_a_small_checkpoint_goes_unnoticed(tmp_path: Path) -> None:
    import torch

    from trainer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

    for step in (10, 20):
        save_checkpoint(tmp_path, Checkpoint({"weight": torch.full((3,), step)}, {"step": step, "seconds": 0.0}))
    for name in ("state.json", "tensors.safetensors"):
        path = tmp_path / "checkpoints" / "000000020" / name
        whole = path.read_bytes()
        for place in range(len(whole)):
            flip(path, place)
            saved, _ = load_checkpoint(tmp_path)
            assert saved is not None
            assert saved.state["step"] == saved.tensors["weight"][0] == 10 or name == "state.json"
            assert saved.state["step"] == saved.tensors["weight"][0]
            path.write_bytes(whole)


@pytest.mark.parametrize("text", ["", "[]", '{"preset": []}', "\x00", '{"preset": "relativistic", "sprites": 3}'])
def test_a_damaged_configuration(cli: Cli, sprites: Path, own_run: Path, text: str) -> None:
    (own_run / "config.json").write_text(text)
    before = files_of(own_run)
    done = cli("train", sprites, "--run", own_run, *LIKE_THE_FIXTURE)
    assert_refused(done, 5, f"{own_run / 'config.json'}: damaged", "start a new run")
    assert_refused(cli("export", own_run, "--out", own_run.with_name("model")), 5, own_run / "config.json")
    assert files_of(own_run) == before


def test_a_full_disk_names_the_file_and_leaves_the_last_checkpoint_whole(
    cli: Cli, sprites: Path, own_run: Path, quick: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    before = files_of(own_run / "checkpoints") | files_of(own_run / "best")
    monkeypatch.setattr("trainer.checkpoint.os.fsync", full)
    done = cli("train", sprites, "--run", own_run, *LIKE_THE_FIXTURE, "--steps", 7)
    assert files_of(own_run / "checkpoints") | files_of(own_run / "best") == before
    assert_refused(done, 1, own_run / "checkpoints", "tensors.safetensors: No space left on device", "the disk")
    assert sorted(path.name for path in (own_run / "checkpoints").iterdir()) == ["000000005", "000000006"]


@pytest.mark.parametrize(
    "reason",
    ["CUDA out of memory. Tried to allocate 2.00 GiB", "DefaultCPUAllocator: can't allocate memory: you tried"],
)
def test_out_of_memory_says_which_batch_size_to_try(
    cli: Cli, sprites: Path, tmp_path: Path, quick: tuple[object, ...], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def fail(*arguments: object) -> None:
        raise torch.OutOfMemoryError(reason) if "CUDA" in reason else RuntimeError(reason)

    monkeypatch.setattr("trainer.loop.Training.advance", fail)
    for options in (quick, (*quick, "--dry-run")):
        done = cli("train", sprites, "--run", tmp_path / "run", *options)
        assert_refused(done, 1, "out of memory with 8 sprites a step", "--batch-size 4 in a new run folder")


def test_a_training_beside_another_in_one_folder(
    cli: Cli, sprites: Path, own_run: Path, quick: tuple[object, ...]
) -> None:
    from trainer.config import only_trainer

    before = files_of(own_run)
    with only_trainer(own_run):
        done = cli("train", sprites, "--run", own_run, *LIKE_THE_FIXTURE, "--steps", 7)
    assert_refused(done, 2, own_run, "is training here", "give another --run")
    assert files_of(own_run) == before


def test_resuming_with_another_judge(cli: Cli, sprites: Path, own_run: Path) -> None:
    config = json.loads((own_run / "config.json").read_text())
    (own_run / "config.json").write_text(json.dumps(config | {"judge": "lite1"}))
    done = cli("train", sprites, "--run", own_run, *LIKE_THE_FIXTURE)  # with ASSETGEN_NO_PRETRAINED
    assert_refused(done, 5, own_run, "judge was lite1, is classifier")


def test_one_type_only_trains_and_says_that_it_has_no_inception_score(
    cli: Cli, tmp_path: Path, game: Path, quick: tuple[object, ...]
) -> None:
    art, run, model = write_set(tmp_path / "art", kinds=("flask",)), tmp_path / "run", tmp_path / "model"
    trained = cli("train", art, "--run", run, *quick)
    assert trained.code == 0, trained.err
    assert "one type only" in trained.err
    assert "the Inception Score isn't defined" in trained.err
    assert cli("export", run, "--out", model).code == 0
    done = cli("batch", "--count", 12, "--project", game, "--model", model, "--filter", "none")
    assert done.code == 0, done.err
    assert "Inception Score over types: not defined for one type" in done.out
    scorer = json.loads((game / "assets" / "generated" / "manifest.json").read_text())["scorer"]
    assert scorer["kept"] == scorer["all"] == {"n": 12, "mean": None, "std": None}
