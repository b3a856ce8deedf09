"""The package holds what it needs, and asks for no more."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_everything_that_is_not_python_is_in_the_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "asset_gen"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert set(tracked.split()) <= names
    assert {
        "asset_gen/models/dcss/generator.onnx",
        "asset_gen/templates/contact_sheet.html",
        "asset_gen/py.typed",
    } <= names
    assert not any(name.startswith(("tests/", "examples/")) for name in names)


def test_the_base_install_has_no_torch() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not any(name.startswith(("torch", "onnxruntime")) for name in project["dependencies"])
    assert any(name.startswith("onnxruntime>=") for name in project["optional-dependencies"]["cpu"])
