"""A batch that is cut off while it draws goes on from there, and ends as if nothing had happened."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from asset_gen import draw, generate, judge, shards, staged
from asset_gen.bundle import TRAINING_SET, FileRecord
from asset_gen.draw import draw_candidates
from asset_gen.engines import local
from asset_gen.errors import ProjectError, QuotaError
from asset_gen.generate import Wanted
from asset_gen.networks import Networks
from asset_gen.plan import Plan
from asset_gen.publish import Place
from asset_gen.staged import FOLDER, Part, Staging, forget, held_bytes
from tests.asset_gen.test_draw import knowing, networks_of, plan_of
from tests.conftest import Cli, files_of
from tests.fakes import Copyist, FakeNetworks, Painter, use_stand_ins, write_bundle

BATCHES, BATCH = 6, 64
"""In the runs below, and candidates in each."""


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches a block, one after another."""
    monkeypatch.setattr(staged, "BATCHES", 2)
    monkeypatch.setattr(staged, "BATCH", BATCH)
    monkeypatch.setattr(generate, "BATCH", BATCH)
    monkeypatch.setattr(local, "cores", lambda: 1)


@pytest.fixture(params=[False, True], ids=["files", "shards"])
def sharded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether sets of the size that is drawn here go to shards, of which none ends where a block does."""
    if request.param:
        monkeypatch.setattr(draw, "SHARD_FROM", 100)
        monkeypatch.setattr(shards, "SHARD_SIZE", 100)
    return bool(request.param)


@pytest.fixture
def place(game: Path) -> Place:
    """An empty project."""
    (game / "out").mkdir()
    (game / ".assetgen").mkdir()
    return Place(game, game / "out")


class Failing(Painter):
    """Draws so many batches, and is interrupted."""

    def __init__(self, batches: int, failure: BaseException) -> None:
        super().__init__()
        self.left, self.failure = batches, failure

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        self.left -= 1
        if self.left < 0:
            raise self.failure
        return super().run(**inputs)


MODELS: dict[str, Callable[[Any, pytest.MonkeyPatch], Networks]] = {
    "types alone": networks_of,
    "no types": lambda generator, patch: networks_of(generator, patch, conditional=False),
    "knows its training sprites": lambda generator, patch: _given(knowing(patch), generator),
}


def _given(networks: Networks, generator: Painter) -> Networks:
    networks.generator = generator
    return networks


def plan(strategy: str = "is") -> Plan:
    """Six batches of candidates."""
    return plan_of({"bat": 30, "imp": 36, "owl": 30}, strategy=strategy)


def finish(place: Place, networks: Networks, plan: Plan) -> tuple[dict[str, bytes], int]:
    """(every file of the project, batches that were drawn)."""
    draw_candidates(networks, plan, place, lambda *_: None)
    assert isinstance(networks.generator, Painter)
    return files_of(place.project), len(networks.generator.calls)


def interrupt(place: Place, networks: Networks, plan: Plan, after: int) -> None:
    """Draw so many batches."""
    networks.generator = Failing(after, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        draw_candidates(networks, plan, place, lambda *_: None)
    shutil.rmtree(place.candidates, ignore_errors=True)  # as the next command does


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("after", [0, 1, 3, 4])
@pytest.mark.usefixtures("sharded")
def test_an_interrupted_run_goes_on_and_ends_alike(
    place: Place, model: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = plan("set" if model.startswith("knows") else "is")
    whole, drawn = finish(place, MODELS[model](Painter(), monkeypatch), wanted)
    assert drawn == BATCHES
    shutil.rmtree(place.out)
    interrupt(place, MODELS[model](Painter(), monkeypatch), wanted, after)
    found, again = finish(place, MODELS[model](Painter(), monkeypatch), wanted)
    assert found == whole
    held = after // 2 * 2
    assert again == BATCHES - held + (held > 0)  # one to see that this machine still draws the same
    assert not (place.state / FOLDER).exists()


@pytest.mark.usefixtures("sharded")
def test_a_run_that_is_cut_off_again_and_again_draws_everything_about_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = finish(place, networks_of(Painter(), monkeypatch), plan())
    shutil.rmtree(place.out)
    for _ in range(2):
        interrupt(place, networks_of(Painter(), monkeypatch), plan(), 3)
    found, again = finish(place, networks_of(Painter(), monkeypatch), plan())
    assert (found, again) == (whole, BATCHES - 2 * 2 + 1)


@pytest.mark.parametrize("damage", ["torn", "empty", "changed", "of another block", "a folder", "a link"])
@pytest.mark.usefixtures("sharded")
def test_a_block_that_is_no_more_what_it_was_is_drawn_again(
    place: Place, damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = finish(place, networks_of(Painter(), monkeypatch), plan())
    shutil.rmtree(place.out)
    interrupt(place, networks_of(Painter(), monkeypatch), plan(), 4)
    first, second, *_ = sorted((place.state / FOLDER).glob("*/" + "[0-9a-f]" * 64))
    data = first.read_bytes()
    first.unlink()
    if damage == "a folder":
        first.mkdir()
    elif damage == "a link":
        (tmp_path / "elsewhere").write_bytes(data)
        first.symlink_to(tmp_path / "elsewhere")
    else:
        changed = bytes([data[-9] ^ 1])
        first.write_bytes(
            {
                "torn": data[:-5],
                "empty": b"",
                "changed": data[:-9] + changed + data[-8:],
                "of another block": second.read_bytes(),
            }[damage]
        )
    found, again = finish(place, networks_of(Painter(), monkeypatch), plan())
    assert found == whole
    least = BATCHES - 4 + 2
    assert least <= again <= (BATCHES if damage == "a folder" else least + 1)  # where none can be kept, none are


@pytest.mark.usefixtures("sharded")
def test_blocks_that_were_compared_with_another_training_set_are_not_used(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sprite more, which only a later candidate is a copy of, changes no figure of the first batch."""

    def calibrated(digest: str) -> Networks:
        networks = knowing(monkeypatch)
        files = {TRAINING_SET: FileRecord(sha256=digest, size=1)}
        networks.info = msgspec.structs.replace(networks.info, files=files)
        return networks

    interrupt(place, calibrated("a" * 64), plan("set"), 4)
    assert finish(place, calibrated("b" * 64), plan("set"))[1] == BATCHES


def unlike(level: int, left: list[int] | None = None) -> Callable[[Any], Any]:
    """A machine that draws a level of its own, and of whose first batch in every block nothing was asked for.

    ``left``: batches until it is interrupted.
    """

    def draw(blocks: Any) -> Any:
        for block in blocks:
            if isinstance(block, Part):
                yield block
                continue
            for start in range(0, len(block), BATCH):
                some = block.part(slice(start, start + BATCH))
                if left is not None and not left:
                    raise KeyboardInterrupt
                if left is not None:
                    left.pop()
                count = 0 if some.indices[0] % (2 * BATCH) == 0 else len(some)
                arrays = {"p": np.full((count, 1), level, np.float32)}
                yield Part(arrays, [b"png"] * count, len(some))

    return draw


WANTED = Wanted(np.zeros(6 * BATCH, np.int64), np.arange(6 * BATCH))


def staging_of(place: Place) -> Staging:
    """Of a run whose blocks are always sound."""
    return Staging(place, "run", "identity", 16, lambda part, wanted: True)


def test_a_batch_without_candidates_tells_nothing_of_the_machine(place: Place) -> None:
    with pytest.raises(KeyboardInterrupt):
        list(staging_of(place).drawn(WANTED, unlike(1, [0] * 4)))
    assert len(list((place.state / FOLDER).glob("*/*"))) == 2
    drawn = [part.arrays["p"] for part in staging_of(place).drawn(WANTED, unlike(2))]
    assert {*np.concatenate(drawn)[:, 0].tolist()} == {2.0}


def test_blocks_that_were_given_up_are_not_told_as_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    staging = staging_of(place)
    some = WANTED.part(slice(0, 128))
    monkeypatch.setattr(staging, "_compare", lambda *_: None)
    monkeypatch.setattr(staging, "_held", lambda wanted: None if wanted.indices[0] == 0 else Part({}, [b"png"], 128))
    monkeypatch.setattr(staged, "move_file", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "no")))

    def draw(blocks: Any) -> Any:
        first, *others = blocks
        assert len(first) == len(some)
        yield from [Part({}, [b"png"], 128), *others]

    for _ in staging.drawn(WANTED, draw):
        pass
    assert staging.kept == 0


class OtherMachine(Painter):
    """Draws a little otherwise."""

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return super().run(**inputs) * np.float32(0.99)


@pytest.mark.usefixtures("sharded")
def test_blocks_from_another_machine_are_not_used(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = finish(place, networks_of(OtherMachine(), monkeypatch), plan())
    shutil.rmtree(place.out)
    interrupt(place, networks_of(Painter(), monkeypatch), plan(), 4)
    found, again = finish(place, networks_of(OtherMachine(), monkeypatch), plan())
    assert (found, again) == (whole, BATCHES + 1)  # one to see that this machine draws others


@pytest.mark.usefixtures("sharded")
def test_a_strangers_block_that_holds_what_cannot_be_is_not_used(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = plan("set")
    whole, _ = finish(place, knowing(monkeypatch), wanted)
    encoded = staged._encoded
    for name, value in (("nearest", 10**6), ("kinds", -1), ("kinds", 2), ("indices", 10**9), ("indices", 0)):
        shutil.rmtree(place.out)

        def lying(part: Any, block: str, spot: Any, name: str = name, value: int = value) -> bytes:
            array = part.arrays[name].copy()
            array[-1] = value
            return encoded(Part({**part.arrays, name: array}, part.pngs, part.drawn), block, spot)

        with monkeypatch.context() as patch:
            patch.setattr(staged, "_encoded", lying)
            interrupt(place, knowing(monkeypatch), wanted, 4)
        assert finish(place, knowing(monkeypatch), wanted)[0] == whole, name


@pytest.mark.usefixtures("sharded")
def test_blocks_of_other_runs_are_swept_and_those_of_other_sets_are_not(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Place(place.project, place.project / "other")
    other.out.mkdir()
    for where, strategy in ((other, "is"), (place, "is"), (place, "top-p")):
        interrupt(where, networks_of(Painter(), monkeypatch), plan(strategy), 4)
    assert len(list((place.state / FOLDER).iterdir())) == 2
    forget(place)  # as a batch does that has ended
    assert len(list((place.state / FOLDER).iterdir())) == 1
    assert finish(other, networks_of(Painter(), monkeypatch), plan())[1] == BATCHES - 4 + 1
    assert not (place.state / FOLDER).exists()


def test_what_lies_behind_a_link_is_not_swept(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(place, networks_of(Painter(), monkeypatch), plan(), 4)
    (name,) = (path.name for path in (place.state / FOLDER).iterdir())
    elsewhere = tmp_path / "elsewhere"
    (place.state / FOLDER).rename(elsewhere)
    (elsewhere / name.replace("-", "-0")).mkdir()
    before = files_of(elsewhere)
    (place.state / FOLDER).symlink_to(elsewhere)
    finish(place, networks_of(Painter(), monkeypatch), plan())
    assert files_of(elsewhere) == before
    assert not (place.state / FOLDER).is_symlink()


@pytest.mark.usefixtures("sharded")
def test_a_quota_that_can_not_be_met_leaves_no_blocks(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QuotaError):
        draw_candidates(networks_of(Copyist(), monkeypatch), plan_of({"bat": 40}), place, lambda *_: None)
    assert not (place.state / FOLDER).exists()


# Disks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["little room", "full", "no permission"])
def test_a_batch_can_do_without_blocks(place: Place, trouble: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = finish(place, networks_of(Painter(), monkeypatch), plan())
    shutil.rmtree(place.out)

    def refused(*_: object) -> None:
        raise OSError(errno.EACCES if trouble == "no permission" else errno.ENOSPC, "no")

    with monkeypatch.context() as patch:
        if trouble == "little room":
            patch.setattr(staged.shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))  # type: ignore[attr-defined]
        else:
            patch.setattr(staged, "move_file", refused)
        assert finish(place, networks_of(Painter(), patch), plan())[0] == whole
        shutil.rmtree(place.out)
        interrupt(place, networks_of(Painter(), patch), plan(), 4)
        assert not (place.state / FOLDER).exists()


def test_blocks_give_way_where_candidates_find_no_room(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(place, networks_of(Painter(), monkeypatch), plan(), 4)
    real, left = Path.write_bytes, [300]

    def full(self: Path, data: bytes) -> int:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match="No space left"):
            draw_candidates(networks_of(Painter(), monkeypatch), plan(), place, lambda *_: None)
    assert not (place.state / FOLDER).exists()


# Shards --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets of more than a hundred candidates go to shards of a hundred."""
    monkeypatch.setattr(draw, "SHARD_FROM", 100)
    monkeypatch.setattr(shards, "SHARD_SIZE", 100)


def fill_disk(patch: pytest.MonkeyPatch, after: int) -> None:
    """Let the disk be full after so many writes to shards; of the last one half arrives."""
    real, left = shards.ShardWriter._open_shard, [after]

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def write(self, data: bytes) -> int:
            left[0] -= 1
            if left[0] < 0:
                self.file.write(data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
            return int(self.file.write(data))

    def opened(self: shards.ShardWriter, number: int) -> None:
        real(self, number)
        self._file = Full(self._file)  # type: ignore[assignment]

    patch.setattr(shards.ShardWriter, "_open_shard", opened)


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("after", "blocks"), [(0, 0), (150, 1), (202, 1), (380, 2)])
def test_a_full_disk_in_the_middle_of_a_shard_costs_no_more_than_a_block(
    place: Place, model: str, after: int, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = plan("set" if model.startswith("knows") else "is")
    whole, _ = finish(place, MODELS[model](Painter(), monkeypatch), wanted)
    assert sum(path.endswith(".tar") for path in whole) == 4
    shutil.rmtree(place.out)
    kept = blocks * 128
    with monkeypatch.context() as patch:
        fill_disk(patch, after)
        with pytest.raises(
            ProjectError, match=rf"shard_000{after // 101}\.tar: No space left .* {kept} candidates are"
        ):
            draw_candidates(MODELS[model](Painter(), monkeypatch), wanted, place, lambda *_: None)
    assert not list(place.out.rglob("*.tar"))
    found, again = finish(place, MODELS[model](Painter(), monkeypatch), wanted)
    assert found == whole
    assert again == BATCHES - 2 * blocks + (blocks > 0)  # one to see that this machine still draws the same


@pytest.mark.usefixtures("small_shards")
def test_what_lies_in_a_shard_already_is_not_written_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = finish(place, networks_of(Painter(), monkeypatch), plan())
    shutil.rmtree(place.out)
    interrupt(place, networks_of(Painter(), monkeypatch), plan(), 5)
    with monkeypatch.context() as patch:
        fill_disk(patch, 384 - 4 * 64 + 2)  # room for the pictures that are missing, and for the ends of two shards
        assert finish(place, networks_of(Painter(), monkeypatch), plan())[0] == whole


@pytest.mark.usefixtures("small_shards")
def test_a_full_disk_while_scores_are_written_costs_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = finish(place, networks_of(Painter(), monkeypatch), plan())
    shutil.rmtree(place.out)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("asset_gen.candidates.write_contact_sheet", full)
        with pytest.raises(ProjectError, match="384 candidates are kept"):
            draw_candidates(networks_of(Painter(), monkeypatch), plan(), place, lambda *_: None)
    assert finish(place, networks_of(Painter(), monkeypatch), plan()) == (whole, 1)


@pytest.mark.usefixtures("small_shards")
def test_a_shard_that_is_no_more_what_it_was_is_mended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = finish(place, networks_of(Painter(), monkeypatch), plan())
    for damage in ("torn", "changed", "lost", "longer"):
        shutil.rmtree(place.out)
        interrupt(place, networks_of(Painter(), monkeypatch), plan(), 4)
        (shard,) = (place.state / FOLDER).glob("*/set/shard_0001.tar")
        data = shard.read_bytes()
        new = {"torn": data[:-600], "changed": data[:700] + b"?" + data[701:], "longer": data + bytes(10_000)}
        shard.write_bytes(new[damage]) if damage in new else shard.unlink()
        found, again = finish(place, networks_of(Painter(), monkeypatch), plan())
        assert found == whole, damage
        assert again <= (3 if damage == "longer" else 7), damage


@pytest.mark.usefixtures("small_shards")
def test_no_picture_is_kept_twice_and_little_room_is_enough(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged.shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))  # type: ignore[attr-defined]
    interrupt(place, networks_of(Painter(), monkeypatch), plan(), 4)
    held = {path: data for path, data in files_of(place.project).items() if FOLDER in path}
    assert sum(data.count(b"\x89PNG") for data in held.values()) == 4 * 64
    assert held_bytes(place) == sum(map(len, held.values()))


@pytest.mark.usefixtures("small_shards")
def test_what_a_stranger_put_beside_the_shards_is_not_written_to(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = finish(place, networks_of(Painter(), monkeypatch), plan())
    shutil.rmtree(place.out)
    interrupt(place, networks_of(Painter(), monkeypatch), plan(), 4)
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine")
    (folder,) = (place.state / FOLDER).glob("*/set")
    (folder / "shard_0001.tar").unlink()
    (folder / "shard_0001.tar").symlink_to(mine)
    (folder / "shard_0002.tar").unlink(missing_ok=True)
    (folder / "shard_0002.tar").hardlink_to(mine)
    (folder / "shards.csv").unlink()
    (folder / "shards.csv").symlink_to(mine)
    for name in ("shard_0099.tar", "shard_00000.tar"):
        (folder / name).write_bytes(b"no shard of this set")
    (folder / "bat").mkdir()
    (folder / "bat" / "page.html").touch()
    assert finish(place, networks_of(Painter(), monkeypatch), plan())[0] == whole
    assert mine.read_bytes() == b"mine"


# Whole commands ------------------------------------------------------------------------------------------------------


def test_ctrl_c_says_what_is_kept_and_the_same_command_goes_on(
    cli: Cli, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(FakeNetworks):
        def __init__(self, bundle: Any, device: str) -> None:
            super().__init__(bundle, device)
            self.generator = Failing(5, KeyboardInterrupt())

    use_stand_ins(monkeypatch)
    arguments = ("batch", "--project", game, "--types", "bat=30,imp=66", "--json")
    assert cli(*arguments).code == 0
    whole = files_of(game)
    shutil.rmtree(game / "assets")
    with monkeypatch.context() as patch:
        patch.setattr("asset_gen.batch.Networks", Interrupted)
        done = cli(*arguments)
    assert done.code == 130
    assert "interrupted; 256 candidates are kept; what was finished is whole, and the same command goes on" in done.err
    assert "assets/generated/manifest.json" not in files_of(game)
    assert json.loads(cli(*arguments).out)["added"] == 96
    assert files_of(game) == whole


def test_a_kill_in_the_middle_of_drawing_costs_no_more_than_a_block(
    cli: Cli, game: Path, tmp_path: Path, sharded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = write_bundle(tmp_path / "model")
    arguments = ["batch", "--model", str(model), "--types", "beetle=20,flask=16", "--oversample", "16", "-q"]
    (tmp_path / "undisturbed").mkdir()
    assert cli(*arguments, "--project", tmp_path / "undisturbed").code == 0
    slowly = (  # for a batch takes a twentieth of a second
        "import time, asset_gen.judge as judge, asset_gen.staged as staged; staged.BATCHES, real = 8, judge.look\n"
        "judge.look = lambda *some: (time.sleep(0.05), real(*some))[1]\n"
        "from asset_gen import draw, shards\n"
        f"draw.SHARD_FROM, shards.SHARD_SIZE = {draw.SHARD_FROM}, {shards.SHARD_SIZE}\n"
        "from asset_gen.cli import main; main()"
    )
    for blocks in (1, 3):
        process = subprocess.Popen([sys.executable, "-c", slowly, *arguments, "--project", str(game)])
        limit = time.monotonic() + 120
        while len(list(game.glob(f".assetgen/{FOLDER}/*/*[0-9a-f]"))) < blocks and time.monotonic() < limit:
            assert process.poll() is None
            time.sleep(0.002)
        process.kill()
        process.wait()
    told: list[int] = []
    real = judge.look
    monkeypatch.setattr(judge, "look", lambda *some: told.append(1) or real(*some))  # type: ignore[func-returns-value]
    assert cli(*arguments, "--project", game).code == 0
    assert len(told) <= 576 // 64 - 3 * 2 + 1
    assert any(game.rglob("*.tar")) == sharded
    assert files_of(game) == files_of(tmp_path / "undisturbed")
