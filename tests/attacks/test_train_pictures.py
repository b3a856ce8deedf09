"""Pictures that a folder of sprites may hold, and what becomes of them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.attacks.hostile import ACCEPTED, REFUSED, as_stranger, assert_refused, sprite
from tests.conftest import Cli
from tests.creatures import write_set
from trainer.dataset import load_dataset


def test_refused_pictures_are_listed_and_the_rest_is_trained_on(
    cli: Cli, tmp_path: Path, quick: tuple[object, ...]
) -> None:
    art, run = write_set(tmp_path / "art", each=3), tmp_path / "run"
    for name, (make, _) in REFUSED.items():
        make(art / "beetle" / name)
    for name, accepted in ACCEPTED.items():
        accepted(art / "crystal" / name)
    (art / "lonely").mkdir()
    sprite().save(art / "lonely" / "only.png")
    sprite().save(art / "flask" / "a_png.jpg", "PNG")
    done = cli("train", art, "--run", run, *quick)
    assert_refused(done, 3, f"trained without {len(REFUSED)} files", run / "data.json")
    report = json.loads((run / "data.json").read_text())
    assert set(report["refused"]) == {f"beetle/{name}" for name in REFUSED}
    for name, (_, reason) in REFUSED.items():
        assert f"refused: {art / 'beetle' / name}: " in done.err
        assert reason in report["refused"][f"beetle/{name}"]
    assert report["counts"] == {"beetle": 3, "crystal": 3 + len(ACCEPTED), "flask": 3, "lonely": 1, "mushroom": 3}
    assert "one sprite only: lonely" in done.err
    assert "left aside: flask/a_png.jpg" in done.err
    assert (run / "classifier" / "figures.json").is_file()


@pytest.mark.parametrize("name", list(REFUSED))
def test_with_fewer_than_eight_readable_sprites_nothing_is_begun(cli: Cli, tmp_path: Path, name: str) -> None:
    art = write_set(tmp_path / "art", each=7, kinds=("beetle",))
    make, reason = REFUSED[name]
    make(art / "beetle" / name)
    done = cli("train", art, "--run", tmp_path / "run")
    assert_refused(done, 1, "7 readable sprites", "at least 8", f"{art / 'beetle' / name}: ", reason)
    assert not (tmp_path / "run").exists()


def test_odd_pictures_are_read_as_they_look(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    for name, make in ACCEPTED.items():
        make(tmp_path / "odd" / name)
    dataset = load_dataset(tmp_path, size=32)
    assert dataset.refused == {}
    read = dict(zip(dataset.files, dataset.sprites, strict=True))
    drawn = np.asarray(sprite())
    seen = drawn[..., 3] > 0
    for name in ("gif.gif", "apng.png", "webp.webp", "palette.png"):  # of animations the first frame
        found = _on_one_canvas(read[f"odd/{name}"])
        assert np.abs(found[_on_one_canvas(drawn)[..., 3] > 0].astype(int) - drawn[seen]).max() <= 8
    grey = np.asarray(sprite().convert("L"))
    for name in ("grey_16.png", "grey.png"):
        assert np.array_equal(read[f"odd/{name}"][..., 0], grey)


def _on_one_canvas(picture: np.ndarray) -> np.ndarray:
    """The figure alone: sets of mixed canvases are centred on a common baseline."""
    rows, columns = np.nonzero(picture[..., 3])
    return picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may look into, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_picture_without_permission_is_named(cli: Cli, public: Path) -> None:
    art = write_set(public / "art", each=7, kinds=("beetle",))
    sprite().save(art / "beetle" / "secret.png")
    (art / "beetle" / "secret.png").chmod(0)
    (art / "beetle" / "text.png").write_text("")
    assert cli("train", public / "none", "--run", public / "run").code == 1  # loads what a stranger can't
    with as_stranger():
        done = cli("train", art, "--run", public / "run")
    assert_refused(done, 1, f"{art / 'beetle' / 'secret.png'}: no permission to read it. Change its mode")
    assert not (public / "run").exists()


def test_a_type_folder_without_permission_is_named(cli: Cli, public: Path) -> None:
    art = write_set(public / "art", each=9, kinds=("beetle", "flask"))
    (art / "flask").chmod(0)
    assert cli("train", public / "none", "--run", public / "run").code == 1
    with as_stranger():
        done = cli("train", art, "--run", public / "run")
    (art / "flask").chmod(0o755)
    assert_refused(done, 1, f"{art / 'flask'}: Permission denied", "Check its permissions")
    assert not (public / "run").exists()
