"""No command opens a connection, but those whose help says that they download."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from PIL import Image

from asset_gen.cli import cli as root
from asset_gen.decisions import NAME
from tests.asset_gen.aseprite_writer import aseprite, cel, layer
from tests.asset_gen.test_importers import archive_of, whole
from tests.conftest import Cli
from tests.creatures import creature

DOWNLOADS = {"data dcss": "Downloads the public archive", "score": "or downloaded"}
"""Commands that may open a connection, and what their help says of it. They are run offline as well."""
SERVES = {"review": "Listens on this machine alone (127.0.0.1)"}
"""Commands that wait for a browser on this machine, and what their help says of it. They ask nobody for anything."""
LIFE = """
    data folder {sprites} --out {here}/art
    data sheet {here}/sheet.png --grid 32x32 --type flask --out {here}/cut
    data aseprite {here}/zoo.aseprite --type bat --out {here}/zoo
    data veekun {here}/veekun.zip --out {here}/paper
    palette {sprites} -n 8 --out {here}/colours.gpl
    train {here}/art --run {here}/run --steps 1 --width 0.25 --batch-size 8 --no-pretrained -q
    export {here}/run --out {here}/model --licence CC0-1.0
    calibrate {here}/model {here}/art
    score {here}/model --count 16 --splits 2
    init --project {game}
    integrate godot --project {game}
    batch --project {game} --model {here}/model --count 8 --oversample 2
    batch --project {game} --model {here}/model --count 9 --oversample 2
    verify --project {game}
    restore --project {game}
    batch --project {game} --model {here}/model --count 9 --oversample 2
    catalogue list --project {game}
    catalogue show beetle:0 --project {game}
    catalogue keep beetle:0 --project {game}
    catalogue restore beetle:0 --project {game}
    catalogue reject beetle:1 --project {game}
    catalogue note beetle:0 --why so --project {game}
    catalogue rate 0.5 beetle:0 --project {game}
    catalogue import {here}/others.jsonl --project {game}
    catalogue rebuild --project {game}
    batch --project {game} --model {here}/model --count 9 --oversample 2
    review --project {game} --export {here}/wall
    explore sheet --model {here}/model -n 2 --out {here}/sheet_of_types.png
    explore between beetle flask --model {here}/model --out {here}/between.gif
    explore truncate beetle_c000000 --model {here}/model --out {here}/truncate.png
    explore mix beetle_c000000 flask_c000001 --model {here}/model --out {here}/mix.png
    explore direction --model {here}/model
    explore variations --like beetle:0 --project {game} --model {here}/model -n 2 --out {here}/variations.png --add
    explore publish {found} --into beetle:0 --project {game} --model {here}/model
    poll {candidates} --out {here}/poll --per-type 2
    watch --project {watched} --once
    audit --project {game} --model {here}/model
    disclose --steam --project {game}
    tag {sprites} --like {sprites} --no-pretrained
    forget {sprites}/flask/flask000.png --runs {here}/run
    doctor
"""
"""A project's life, command by command; all end with 0 but those of ``ENDS``."""
ENDS = {"score": (0, 4), "doctor": (0, 3, 4), "explore direction": (0, 2)}
"""Exit codes of commands that look at the machine they run on, or at what a model of one step may lack."""


class _Guard:
    """Refuses sockets of the internet while it is armed. An audit hook can't be taken back, so there is one."""

    armed = False
    serving = False
    """Whether sockets may be opened to be connected to."""
    seen: list[str] = []  # noqa: RUF012  # one guard

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.armed or not event.startswith("socket."):
            return
        if self.serving and event != "socket.connect" and "getaddrinfo" not in event:
            return
        local = event == "socket.__new__" and arguments[1] not in (socket.AF_INET, socket.AF_INET6, -1)
        if local or event in ("socket.gethostname", "socket.bind"):
            return
        self.seen.append(event)
        raise ConnectionRefusedError(f"{event}: this command is not to talk to anybody")


GUARD = _Guard()
sys.addaudithook(GUARD)


@contextmanager
def refusing() -> Iterator[list[str]]:
    """No socket can be opened and no name looked up; gives what was tried."""
    GUARD.seen.clear()
    GUARD.armed = True
    try:
        yield GUARD.seen
    finally:
        GUARD.armed = False


def leaves(command: click.Command = root, name: str = "") -> dict[str, click.Command]:
    """Every command that does something, by its words."""
    if not isinstance(command, click.Group):
        return {name: command}
    context = click.Context(command)
    found: dict[str, click.Command] = {}
    for word in command.list_commands(context):
        inner = command.get_command(context, word)
        assert inner is not None
        found |= leaves(inner, f"{name} {word}".strip())
    return found


def test_a_socket_is_refused_while_the_guard_is_armed() -> None:
    with refusing() as seen, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 9))
    with refusing() as seen, pytest.raises(ConnectionRefusedError):
        socket.socket()
    assert seen
    socket.socket().close()


def test_those_that_download_say_so_in_their_help() -> None:
    for name, words in {**DOWNLOADS, **SERVES}.items():
        assert words in " ".join((leaves()[name].help or "").split())


def test_what_says_that_it_downloads_tries_to_and_says_that_it_could_not(cli: Cli, tmp_path: Path) -> None:
    with refusing() as seen:
        done = cli("data", "dcss", "--out", tmp_path / "set", "--cache", tmp_path / "cache")
    assert seen
    assert done.code == 1
    assert "github.com" in done.err


def test_what_serves_listens_on_this_machine_and_asks_nobody(
    cli: Cli, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from asset_gen.review.serve import StudioServer

    bound = []

    def run(server: StudioServer, sockets: list[socket.socket]) -> None:
        bound.extend(one.getsockname()[0] for one in sockets)

    monkeypatch.setattr(StudioServer, "run", run)
    GUARD.serving = True
    try:
        with refusing() as seen:
            assert cli("review", "--project", game, "--no-browser").code == 0
    finally:
        GUARD.serving = False
    assert (bound, seen) == (["127.0.0.1"], [])


def test_a_whole_life_without_a_socket(
    cli: Cli, sprites: Path, tmp_path: Path, game: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.evaluate import Evaluator

    monkeypatch.setattr("trainer.classifier.STEPS", (2, 2))
    monkeypatch.setattr("trainer.job.Evaluator", lambda *args, **kwargs: Evaluator(*args, **kwargs | {"samples": 32}))
    sheet = np.concatenate([creature("flask", seed) for seed in range(8)], axis=1)
    Image.fromarray(sheet, "RGBA").save(tmp_path / "sheet.png")
    archive_of(tmp_path / "veekun.zip", whole())
    (tmp_path / "zoo.aseprite").write_bytes(aseprite([[layer(), cel(np.full((4, 4, 4), 255, np.uint8))]]))
    (game / "project.godot").write_text('config_version=5\n[application]\nconfig/features=PackedStringArray("4.4")\n')
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "assetgen.toml").write_text(f'model = "{bundle}"\ncount = 4\noversample = 1\n')
    known, run = leaves(), set()
    for line in LIFE.strip().splitlines():
        words = line.split()
        name = next((name for name in known if words[: len(name.split())] == name.split()), None)
        if name is None:
            continue  # not in this version
        places = {"here": tmp_path, "game": game, "watched": watched, "sprites": sprites}
        if name == "poll":
            places["candidates"] = next((game / "assets").rglob("candidates~/*/run.json")).parent
        if name == "explore publish":
            found = next((game / "assets").rglob("candidates~/*/beetle/beetle_c[0-9]*[0-9]" + "[0-9]" * 10 + ".png"))
            places["found"] = f"{found.parent.parent.name}/{found.stem}"  # type: ignore[assignment]
        if name == "catalogue import":
            lines = (game / NAME).read_text().splitlines()
            told = json.loads(lines[0]) | {"who": "Grace"}
            (tmp_path / "others.jsonl").write_text(json.dumps(told) + "\n")
        with refusing() as seen:
            done = cli(*(word.format(**places) for word in words))
        assert not seen, f"{line}: {seen}"
        assert done.code in ENDS.get(name, (0,)), f"{line}: {done}"
        run.add(name)
    assert not set(known) - run - set(DOWNLOADS), "commands that LIFE doesn't know"
