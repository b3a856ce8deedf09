"""A bundle is whole and says what it can make, or it isn't loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from asset_gen.bundle import BUILT_IN, BundleInfo, load_bundle, training_sets
from asset_gen.errors import ModelError
from asset_gen.runtime import open_session
from tests.fakes import write_bundle, write_critic


def rewrite(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change ``bundle.json``."""
    document = json.loads((bundle / "bundle.json").read_text())
    change(document)
    (bundle / "bundle.json").write_text(json.dumps(document))


def test_a_bundle_says_what_it_can_make(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    assert loaded.info.types == ["beetle", "crystal", "flask", "mushroom"]
    assert (loaded.info.size, loaded.info.latent, loaded.info.conditional, loaded.info.alpha) == (32, 128, True, "true")
    assert (loaded.generator, loaded.classifier) == (bundle / "generator.onnx", bundle / "classifier.onnx")


def test_a_models_identity_is_that_of_its_networks_alone(bundle: Path, own_bundle: Path) -> None:
    rewrite(own_bundle, lambda document: document.update(name="another name", licence="another licence"))
    lines = [f"{sha256((bundle / n).read_bytes()).hexdigest()}  {n}\n" for n in ("classifier.onnx", "generator.onnx")]
    expected = sha256("".join(lines).encode()).hexdigest()
    assert load_bundle(bundle).sha256 == load_bundle(own_bundle).sha256 == expected


def test_a_changed_byte_is_found_in_either_network(own_bundle: Path) -> None:
    for name in ("generator.onnx", "classifier.onnx"):
        whole = (own_bundle / name).read_bytes()
        (own_bundle / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(ModelError, match=f"{name} has the sha256 .*: it was changed"):
            load_bundle(own_bundle)
        (own_bundle / name).write_bytes(whole)
    load_bundle(own_bundle)


def add_type(document: dict[str, Any]) -> None:
    document["types"].append("owl")
    document["labels"]["owl"] = "Owl"


BROKEN_PROMISES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "format": (lambda d: d.update(format=2), "has format 2, and this assetgen reads format 1"),
    "no types": (lambda d: d.update(types=[]), "lists 0 types"),
    "a type twice": (lambda d: d.update(types=["a", "a"]), "or one twice"),
    "a type that is a path": (lambda d: d["types"].__setitem__(0, "../x"), r"the type '\.\./x' is not of the form"),
    "a type without a label": (lambda d: d["types"].append("owl"), "has no label for the type 'owl'"),
    "no size": (lambda d: d.update(size=0), "size 0 or latent 128 is out of range"),
    "no latent": (lambda d: d.update(latent=0), "size 32 or latent 0 is out of range"),
    "alpha": (lambda d: d.update(alpha="some"), "is damaged"),
    "no parity": (lambda d: d.pop("parity"), "is damaged .*parity"),
    "no classifier": (lambda d: d["files"].pop("classifier.onnx"), r"lists no classifier\.onnx"),
    "another type": (add_type, r"generator\.onnx: the input label has shape"),
    "another size": (lambda d: d.update(size=64), r"generator\.onnx: the output rgba has shape"),
    "no condition": (lambda d: d.update(conditional=False), r"generator\.onnx has the inputs z, label"),
}


@pytest.mark.parametrize("promise", BROKEN_PROMISES)
def test_a_bundle_json_that_promises_something_else_is_refused(promise: str, own_bundle: Path) -> None:
    change, message = BROKEN_PROMISES[promise]
    rewrite(own_bundle, change)
    with pytest.raises(ModelError, match=message) as refused:
        load_bundle(own_bundle)
    assert refused.value.exit_code == 5


@pytest.fixture
def critical(tmp_path: Path) -> Path:
    """A bundle with a critic, to damage."""
    folder = write_bundle(tmp_path / "critical")
    write_critic(folder)
    return folder


def test_a_bundle_may_carry_its_critic_and_is_the_same_model_with_it(critical: Path, tmp_path: Path) -> None:
    loaded = load_bundle(critical)
    assert loaded.optional("critic.onnx") == critical / "critic.onnx"
    assert loaded.info.critic is not None
    assert loaded.sha256 == load_bundle(write_bundle(tmp_path / "plain")).sha256


def test_a_torn_critic_or_one_that_is_described_without_being_there_is_refused(critical: Path) -> None:
    path = critical / "critic.onnx"
    whole = path.read_bytes()
    for data, message in (
        (whole[:-9], r"critic\.onnx has [0-9,]+ bytes, and bundle\.json says"),
        (whole[:-1] + bytes([whole[-1] ^ 1]), r"critic\.onnx has the sha256 .*: it was changed"),
    ):
        path.write_bytes(data)
        with pytest.raises(ModelError, match=message):
            load_bundle(critical)
    path.unlink()
    with pytest.raises(ModelError, match=r"critic\.onnx is missing"):
        load_bundle(critical)
    for change in (lambda d: d["files"].pop("critic.onnx"), lambda d: d.pop("critic")):
        path.write_bytes(whole)
        before = (critical / "bundle.json").read_bytes()
        rewrite(critical, change)
        with pytest.raises(ModelError, match=r"only one of critic\.onnx and the record 'critic'"):
            load_bundle(critical)
        (critical / "bundle.json").write_bytes(before)
    load_bundle(critical)


def test_a_critic_of_another_bundle_or_another_kind_is_refused(tmp_path: Path) -> None:
    for name, other, message in (
        ("size", {"size": 32}, r"critic\.onnx: the input rgba has shape"),
        ("types", {"kinds": ("beetle", "flask")}, r"critic\.onnx: the input label has shape"),
    ):
        folder, stranger = write_bundle(tmp_path / name), write_bundle(tmp_path / f"{name}_2", **other)
        write_critic(stranger)
        write_critic(folder)
        data = (stranger / "critic.onnx").read_bytes()
        (folder / "critic.onnx").write_bytes(data)
        record = {"sha256": sha256(data).hexdigest(), "size": len(data)}
        rewrite(folder, lambda document, record=record: document["files"].update({"critic.onnx": record}))
        with pytest.raises(ModelError, match=message):
            load_bundle(folder)
    folder = write_bundle(tmp_path / "joined")
    write_critic(folder, joined=True)
    with pytest.raises(ModelError, match=r"critic\.onnx: the output logit has shape \[1\]"):
        load_bundle(folder)


def test_a_folder_that_is_no_bundle_is_told_so(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(ModelError, match=r"is no model bundle .*assetgen export"):
            load_bundle(path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"is a training run\. Make a bundle of it: assetgen export"):
        load_bundle(tmp_path)


def test_the_built_in_model_names_its_training_set_once() -> None:
    (told,) = training_sets(load_bundle(BUILT_IN).info)
    assert (told["name"], told["licence"], told["sprites"]) == ("dcss", "CC0-1.0", 1054)


def test_the_built_in_model_is_whole_and_runs() -> None:
    loaded = load_bundle(BUILT_IN)
    assert isinstance(loaded.info, BundleInfo)
    assert set(loaded.info.labels) == set(loaded.info.types)
    assert open_session(loaded.generator, "cpu").provider == "CPUExecutionProvider"
