"""The page as files: joined scripts, pictures, and decisions that come home."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from asset_gen.candidates import FOLDER
from asset_gen.review.gallery import Gallery
from asset_gen.review.pages import STATIC
from asset_gen.webpage import joined
from tests.conftest import Cli, files_of


def test_it_is_whole_and_needs_no_server(cli: Cli, project: Path, tmp_path: Path) -> None:
    done = cli("review", "--project", project, "--export", tmp_path / "wall", "--json")
    assert (done.code, json.loads(done.out)["sprites"]) == (0, 36)
    files = files_of(tmp_path / "wall")
    assert {"index.html", "studio.js", "wall.js", "look.css", "studio.css"} == {
        name for name in files if "/" not in name
    }
    assert len([name for name in files if name.startswith("sprites/")]) == 36
    page = files["index.html"].decode()
    assert not re.search(r"(src|href)=\"(/|http)", page) and "module" not in page.split("<body")[0].split("-->")[-1]
    data = files["wall.js"].decode()
    wall = json.loads(data.splitlines()[0].removeprefix("globalThis.wall = ").removesuffix(";"))
    assert {line[0] for line in wall["sprites"]} == {Path(name).stem for name in files if name.startswith("sprites/")}
    assert str(project) not in data, "no path of this machine"


def test_what_is_there_stays_and_what_is_missing_is_named(cli: Cli, project: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    done = cli("review", "--project", project, "--export", tmp_path / "full")
    assert (done.code, "holds something already" in done.err) == (2, True)
    picture = next((project / "assets/generated" / FOLDER).glob("*/imp/imp_c000003.png"))
    picture.write_bytes(b"")
    picture.unlink()
    done = cli("review", "--project", project, "--export", tmp_path / "wall")
    assert (done.code, "1 of 36 pictures" in done.err) in ((3, True), (0, False))
    shutil.rmtree(project / "assets")
    done = cli("review", "--project", project, "--export", tmp_path / "none")
    assert (done.code, "has no candidates" in done.err) == (2, True)
    assert Gallery(project).shown == {}


def test_modules_become_one_script(tmp_path: Path) -> None:
    modules = {path.stem: path for path in STATIC.values() if path.suffix == ".js"}
    text = joined(modules, "twin")
    assert text.count("modules.dom = ") == 1
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE)
    for name, words in {
        "a": 'import { b } from "./b.js";\nexport const a = b;\n',
        "b": 'import { a } from "./a.js";\nexport const b = 1;\n',
        "c": "export default 3;\n",
    }.items():
        (tmp_path / f"{name}.js").write_text(words)
    own = {path.stem: path for path in tmp_path.glob("*.js")}
    with pytest.raises(ValueError, match="imports itself"):
        joined(own, "a")
    with pytest.raises(ValueError, match="can't be joined"):
        joined(own, "c")
