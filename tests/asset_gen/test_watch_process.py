"""A watch as a process: its events, its signals, its exit codes, and an observer that can't be relied on."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from watchdog.events import FileSystemEvent

from asset_gen.errors import UsageError
from asset_gen.watch import loop, reconcile
from asset_gen.watch.observe import Ears, Hints
from tests.conftest import Cli, files_of
from tests.fakes import FakeNetworks, fake_bundle, use_stand_ins
from tests.studio import Studio

OUT = "assets/generated"
RECIPE = "types = { bat = 3, imp = 2 }\noversample = 2\n"
SECONDS = 60.0
"""For so long a condition is waited for; it comes true within a few, unless the machine is very busy."""


def wait_for(true: Callable[[], bool]) -> None:
    """Until it is true."""
    limit = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < limit, "it never came true"
        time.sleep(0.01)


# In this process, by the command line --------------------------------------------------------------------------------


@pytest.fixture
def project(game: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a recipe; models are stand-ins."""
    use_stand_ins(monkeypatch)
    monkeypatch.setattr("asset_gen.loaded.load_bundle", lambda path: fake_bundle())
    monkeypatch.setattr("asset_gen.loaded.Networks", FakeNetworks)
    (game / "assetgen.toml").write_text(RECIPE)
    return game


def test_once_makes_what_the_recipe_asks_for_and_ends(cli: Cli, project: Path) -> None:
    done = cli("watch", "--project", project, "--once")
    assert done.code == 0, done.err
    before = files_of(project)
    assert cli("batch", "--project", project).out.startswith("Nothing to change")
    assert cli("verify", "--project", project).code == 0
    (project / OUT / "bat/bat.png").unlink()
    assert cli("watch", "--project", project, "--once").code == 0
    assert files_of(project) == before


def test_events_are_json_lines_by_their_schema(cli: Cli, project: Path) -> None:
    done = cli("watch", "--project", project, "--once", "--json")
    schema = json.loads((Path(loop.__file__).parents[1] / "schemas" / "watch-event.schema.json").read_text())
    events = [json.loads(line) for line in done.out.splitlines()]
    for event in events:
        Draft202012Validator(schema).validate(event)
    assert [event["event"] for event in events] == ["working", "published", "watching"]
    assert "bat/bat.png" in events[1]["written"]
    assert events[1]["out"] == OUT


@pytest.mark.parametrize(
    ("recipe", "code", "words"),
    [
        (None, 2, "assetgen init writes one"),
        ("coutn = 3\n", 2, "line 1: there is no key 'coutn'"),
        (f"{RECIPE}seed = 1\n", 1, "A change of seed (0 → 1) would replace all 5 published sprites"),
    ],
)
def test_the_exit_code_tells_what_could_not_be_done(
    cli: Cli, project: Path, recipe: str | None, code: int, words: str
) -> None:
    assert cli("watch", "--project", project, "--once").code == 0
    (project / "assetgen.toml").unlink()
    if recipe is not None:
        (project / "assetgen.toml").write_text(recipe)
    before = files_of(project / OUT)
    done = cli("watch", "--project", project, "--once")
    assert done.code == code
    assert words in done.err
    assert files_of(project / OUT) == before


def test_yes_agrees(cli: Cli, project: Path) -> None:
    assert cli("watch", "--project", project, "--once").code == 0
    (project / "assetgen.toml").write_text(f"{RECIPE}seed = 1\n")
    assert cli("watch", "--project", project, "--once", "--yes").code == 0
    assert json.loads((project / OUT / "manifest.json").read_text())["seed"] == 1


def test_every_set_is_kept(cli: Cli, project: Path) -> None:
    sets = "".join(f'[[sets]]\nname = "{kind}"\ntypes = {{ {kind} = 2 }}\n' for kind in ("bat", "imp"))
    (project / "assetgen.toml").write_text(f"oversample = 2\n{sets}")
    assert cli("watch", "--project", project, "--once").code == 0
    before = files_of(project)
    (project / OUT / "imp/imp/imp.png").unlink()
    done = cli("watch", "--project", project, "--once", "--json")
    assert done.code == 0
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [(one["out"], one["written"]) for one in events if one["event"] == "published"] == [
        (f"{OUT}/imp", ["imp/imp.png"])
    ]
    assert files_of(project) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--run", "runs/mine"], "belongs to --retrain"),
        (["--retrain", "none"], "with --run DIR"),
        (["--retrain", "none", "--run", "runs/mine"], "there is no such folder"),
        (["--retrain", ".", "--run", "runs/mine"], "has to name the one model that is replaced"),
    ],
)
def test_arguments_that_miss_something(cli: Cli, project: Path, options: list[str], words: str) -> None:
    done = cli("watch", "--project", project, *options)
    assert done.code == 2
    assert words in done.err


# In this process, with a real observer -------------------------------------------------------------------------------


@pytest.fixture
def live(game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A watched project whose clock goes; ``start`` it with ears. Ended with the test."""
    model = tmp_path / "model"
    model.mkdir()
    for name in ("bundle.json", "classifier.onnx", "generator.onnx"):
        (model / name).write_text("1")
    use_stand_ins(monkeypatch)
    monkeypatch.setattr(reconcile, "REST", 0.05)
    (game / "assetgen.toml").write_text("# a recipe\n")
    yield Studio(game, model, clock=time.monotonic)


class Running:
    """A watch in a thread of its own."""

    def __init__(self, studio: Studio, ears: Ears) -> None:
        self.watch, self.ears, self.ended = studio.watch, ears, []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.watch.run(self.ears)
        except Exception as error:
            self.ended.append(error)

    def end(self) -> None:
        self.watch.stop()
        self.thread.join(SECONDS)
        assert not self.thread.is_alive()


@pytest.fixture
def start(live: Studio) -> Iterator[Callable[..., Running]]:
    """Start the watch; it ends with the test."""
    running: list[Running] = []

    def begin(**options: object) -> Running:
        running.append(Running(live, Ears(live.watch.bell, poll=bool(options.pop("poll", False)), **options)))  # type: ignore[arg-type]
        wait_for(lambda: live.quiet() or bool(running[-1].ended))
        return running[-1]

    yield begin
    for one in running:
        one.end()


@pytest.mark.parametrize("poll", [False, True])
def test_changes_are_heard(live: Studio, start: Callable[..., Running], poll: bool) -> None:
    start(poll=poll)
    before = live.published()
    (live.out / "bat/bat.png").unlink()
    wait_for(lambda: (live.out / "bat/bat.png").exists() and live.quiet())
    shutil.rmtree(live.out / "imp")
    wait_for(lambda: live.published() == before and live.quiet())
    live.counts["imp"] = 4
    (live.project / "new.toml").write_text("# imp = 4\n")
    (live.project / "new.toml").rename(live.project / "assetgen.toml")
    wait_for(lambda: live.manifest().quotas["imp"] == 4 and live.quiet())


def test_an_observer_that_loses_events_ends_in_the_same_state(
    live: Studio, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_SECONDS", 1.0)
    chance = random.Random(0)
    lost = []

    class Deaf(Hints):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if chance.random() < 0.3:
                lost.append(event)
            else:
                super().on_any_event(event)

    start(handler=Deaf)
    before = live.published()
    for _ in range(3):
        for path in ("bat/bat.png", "imp/imp.png", "sheets.js", "imp/imp.json"):
            (live.out / path).unlink(missing_ok=True)
        wait_for(lambda: live.published() == before)
    assert lost


def test_an_observer_that_dies_is_replaced(
    live: Studio, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_SECONDS", 1.0)
    running = start()
    assert running.ears._observer is not None
    running.ears._observer.stop()
    wait_for(lambda: running.ears.restarts == 1)
    before = live.published()
    (live.out / "bat/bat.png").unlink()
    wait_for(lambda: live.published() == before)


def test_a_system_that_tells_of_nothing_is_looked_at_more_often(
    live: Studio, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr("watchdog.observers.api.BaseObserver.schedule", full)
    monkeypatch.setattr(loop, "DEAF_SECONDS", 0.2)
    start()
    before = live.published()
    (live.out / "bat/bat.png").unlink()
    wait_for(lambda: live.published() == before)
    assert any("inotify watch limit reached" in event.message for event in live.told)


def test_after_a_sleep_or_a_jump_of_the_clock_what_failed_is_tried_again_at_once(
    live: Studio, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    live.broken = UsageError("a drive that isn't there")
    (live.project / "assetgen.toml").write_text("# imp = 4\n")
    wait_for(lambda: live.told[-1].event == "error")
    live.broken = None
    live.counts["imp"] = 4
    ahead = time.time() + 3600
    monkeypatch.setattr(loop.time, "time", lambda: ahead)
    live.watch.bell.put("hint")  # something always happens when a machine wakes up
    wait_for(lambda: live.manifest().quotas["imp"] == 4)


def test_a_deleted_project_ends_it(
    live: Studio, start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_SECONDS", 1.0)  # nobody tells a folder that it is moved itself
    running = start()
    live.project.rename(live.project.with_name("trash"))  # as file managers do; file by file, some would be restored
    running.thread.join(SECONDS)
    assert "the project has gone" in str(running.ended[0])
    assert not live.project.exists()


# Processes of their own ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_signals_end_it_cleanly(game: Path, number: signal.Signals, code: int) -> None:
    (game / "assetgen.toml").write_text("types = { animal = 2, potion = 1 }\noversample = 1\n")
    command = [
        sys.executable,
        "-c",
        "from asset_gen.cli import main; main()",
        "watch",
        "--project",
        str(game),
        "--json",
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ASSETGEN_")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, text=True, env=environment, **pipes)  # type: ignore[call-overload]
    assert process.stdout is not None
    kinds = []
    for line in process.stdout:
        kinds.append(json.loads(line)["event"])
        if kinds[-1] == "watching":
            break
    process.send_signal(number)
    _, err = process.communicate(timeout=SECONDS)
    assert kinds == ["working", "published", "watching"], err
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert not (game / ".assetgen" / "journal.json").exists()
