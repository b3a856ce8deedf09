"""Bundles from strangers: refused before anything is run, with nothing written in the project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from tests.attacks import hostile
from tests.attacks.hostile import (
    assert_refused,
    change_generator,
    edit_json,
    make_link,
    published,
    seal,
    with_constant_generator,
)
from tests.conftest import Cli


def flip(path: Path) -> None:
    """One byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def grow(path: Path) -> None:
    """More than 512 MiB, of which the disk holds nothing."""
    with path.open("r+b") as file:
        file.truncate(513 * 2**20)


def claim(bundle: Path, size: int) -> None:
    """``bundle.json`` gives another size."""
    edit_json(bundle, lambda info: info["files"]["generator.onnx"].update(size=size))


def also_lists(name: str) -> Callable[[Path], None]:
    """One more entry of ``files``."""
    entry = {"sha256": "0" * 64, "size": 1}
    return lambda bundle: edit_json(bundle, lambda info: info["files"].update({name: entry}))


def rename_type(name: str) -> Callable[[Path], None]:
    """The first type is called otherwise."""

    def change(info: dict[str, Any]) -> None:
        info["types"][0] = name

    return lambda bundle: edit_json(bundle, change)


def text(content: bytes) -> Callable[[Path], object]:
    """Another ``bundle.json``."""
    return lambda bundle: (bundle / "bundle.json").write_bytes(content)


def graph(change: Callable[[onnx.ModelProto], object]) -> Callable[[Path], None]:
    """Another generator, correctly hashed."""
    return lambda bundle: change_generator(bundle, change)


def no_model(bundle: Path) -> None:
    """A correctly hashed generator that isn't ONNX."""
    (bundle / "generator.onnx").write_bytes(b"I am a network.")
    seal(bundle)


ATTACKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "wrong hash": (lambda bundle: flip(bundle / "generator.onnx"), "generator.onnx has the sha256"),
    "wrong hash of the other": (lambda bundle: flip(bundle / "classifier.onnx"), "classifier.onnx has the sha256"),
    "missing file": (lambda bundle: (bundle / "classifier.onnx").unlink(), "classifier.onnx is missing"),
    "linked file": (lambda bundle: make_link(bundle / "generator.onnx"), "generator.onnx is missing, or is a link"),
    "linked bundle.json": (lambda bundle: make_link(bundle / "bundle.json"), "bundle.json is a link"),
    "too large": (lambda bundle: grow(bundle / "generator.onnx"), "generator.onnx has 537,919,488 bytes"),
    "claims 4 GB": (lambda bundle: claim(bundle, 4 * 2**30), "bundle.json says 4,294,967,296"),
    "external data": (graph(hostile.add_external_weight), "generator.onnx keeps weights in another file"),
    "external data in a branch": (graph(hostile.add_external_weight_in_branch), "keeps weights in another file"),
    "external sparse data": (graph(hostile.add_external_sparse_weight), "keeps weights in another file"),
    "custom operator": (graph(hostile.add_custom_operator), "outside the standard ONNX domain"),
    "custom operator undeclared": (graph(hostile.add_custom_node_only), "outside the standard ONNX domain"),
    "training graph": (graph(lambda model: model.training_info.add()), "outside the standard ONNX domain"),
    "wrong input": (graph(hostile.rename_input), "generator.onnx has the inputs"),
    "wrong shape": (graph(hostile.enlarge_output), "the output rgba has shape"),
    "no ONNX": (no_model, "generator.onnx is not an ONNX model"),
    "wrong size": (lambda bundle: seal(bundle, size=64), "has shape"),
    "file outside": (also_lists("../x"), "names a file outside the folder: '../x'"),
    "absolute file": (also_lists("/etc/passwd"), "names a file outside the folder: '/etc/passwd'"),
    "hidden file": (also_lists(".x"), "names a file outside the folder"),
    "long file name": (also_lists("x" * 300), "can't be read (File name too long)"),
    "empty file name": (also_lists(""), "is missing"),
    "file name with code 0": (also_lists("a\0b"), "is missing"),
    "no generator listed": (
        lambda bundle: edit_json(bundle, lambda info: info["files"].pop("generator.onnx")),
        "bundle.json lists no generator.onnx",
    ),
    "empty bundle.json": (text(b""), "bundle.json is damaged"),
    "torn bundle.json": (lambda bundle: grow_half(bundle / "bundle.json"), "bundle.json is damaged"),
    "bundle.json not UTF-8": (text(b'{"name": "\xff"}'), "bundle.json is damaged"),
    "deep bundle.json": (text(b'{"training": ' + b"[" * 100_000), "bundle.json is damaged"),
    "large bundle.json": (text(b" " * (2**20 + 1)), "larger than 1 MiB"),
    "another format": (lambda bundle: edit_json(bundle, lambda info: info.update(format=2)), "format 2"),
    "type outside": (rename_type("../x"), "the type '../x' is not of the form"),
    "type with a capital": (rename_type("CON"), "the type 'CON' is not of the form"),
    "type twice": (rename_type("flask"), "or one twice"),
    "no types": (lambda bundle: edit_json(bundle, lambda info: info.update(types=[])), "lists 0 types"),
    "no labels": (lambda bundle: edit_json(bundle, lambda info: info.update(labels={})), "no label for the type"),
    "name with an escape": (
        lambda bundle: edit_json(bundle, lambda info: info.update(name="\x1b[2J")),
        "can't be printed",
    ),
    "latent of 0": (lambda bundle: edit_json(bundle, lambda info: info.update(latent=0)), "is out of range"),
    "no bundle.json": (lambda bundle: (bundle / "bundle.json").unlink(), "there is no bundle.json"),
}


def grow_half(path: Path) -> None:
    """The first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_a_bundle_that_is_not_what_it_claims(cli: Cli, game: Path, own_bundle: Path, attack: str) -> None:
    change, word = ATTACKS[attack]
    change(own_bundle)
    for more in ((), ("--dry-run",)):
        done = cli("batch", "--project", game, "--model", own_bundle, "--count", 4, *more)
        assert_refused(done, 5, own_bundle, word, "'assetgen export'")
    assert list(game.iterdir()) == []


def test_a_bundle_that_is_not_there(cli: Cli, game: Path, tmp_path: Path) -> None:
    done = cli("batch", "--project", game, "--model", tmp_path / "none", "--count", 4)
    assert_refused(done, 5, f"{tmp_path / 'none'}: is no model bundle", "'assetgen export' wrote")
    assert list(game.iterdir()) == []


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({"rows": "one"}, "gives the shape [1, 4, 32, 32], not [64, 4, 32, 32]"),
        ({"side": 16}, "is not a valid ONNX model"),
        ({"value": float("nan")}, "gives numbers that aren't finite"),
        ({"value": float("inf")}, "gives numbers that aren't finite"),
    ],
    ids=["one row", "half the side", "not a number", "infinite"],
)
def test_a_network_that_breaks_its_promise_when_it_runs(
    cli: Cli, game: Path, own_bundle: Path, how: dict[str, object], word: str
) -> None:
    with_constant_generator(own_bundle, **how)
    done = cli("batch", "--project", game, "--model", own_bundle, "--count", 4)
    assert_refused(done, 5, own_bundle, word, "assetgen export")
    assert published(game) == {}


def test_a_network_that_fails_when_it_runs(cli: Cli, game: Path, own_bundle: Path) -> None:
    def add_gather(model: onnx.ModelProto) -> None:
        """Reads row 10⁶ of the latents."""
        place = onnx.helper.make_node("Constant", [], ["place"], value_ints=[10**6])
        far = onnx.helper.make_node("Gather", ["z", "place"], ["far"])
        total = onnx.helper.make_node("ReduceSum", ["far"], ["total"], keepdims=0)
        last = onnx.helper.make_node("Add", [model.graph.output[0].name + "_", "total"], ["rgba"])
        for node in model.graph.node:
            node.output[:] = [name + "_" if name == "rgba" else name for name in node.output]
        model.graph.node.extend([place, far, total, last])

    change_generator(own_bundle, add_gather)
    done = cli("batch", "--project", game, "--model", own_bundle, "--count", 4)
    assert_refused(done, 5, own_bundle / "generator.onnx", "this network fails on CPUExecutionProvider")
    assert published(game) == {}


def test_a_model_that_always_draws_the_same_does_not_meet_a_quota(cli: Cli, game: Path, own_bundle: Path) -> None:
    with_constant_generator(own_bundle)
    done = cli("batch", "--project", game, "--model", own_bundle, "--types", "beetle=3,flask=1")
    assert_refused(done, 6, "drawing 16 times the quota", "beetle 1 of 3", "ask for fewer", "Nothing was published")
    assert "flask" not in done.err
    assert published(game) == {}
    assert not (game / ".assetgen" / "candidates").exists()
    assert cli("batch", "--project", game, "--model", own_bundle, "--types", "beetle=1,flask=1").code == 0
