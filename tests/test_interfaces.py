"""What others rely on: commands, imports, layers, schemas, the wheel."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path

import jsonschema
import pytest

from asset_gen import doctor, targets
from asset_gen.cli import COMMANDS
from asset_gen.schemas import FOLDER, schemas
from tests.conftest import Cli

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("code", ["import asset_gen", "from asset_gen.cli import run; run(['--help'])"])
def test_the_package_and_its_help_load_no_heavy_library(code: str) -> None:
    report = "import sys; print(sorted({'torch', 'onnxruntime', 'numpy', 'onnx', 'PIL', 'rich'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, cli: Cli) -> None:
    shown = cli(name, "--help")
    assert shown.code == 0
    assert COMMANDS[name] in shown.out
    assert name in ("doctor",) or "Example" in shown.out


def test_the_command_reference_is_fresh() -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "reference.py", "--check"], check=True, cwd=ROOT)


def test_every_preset_can_be_named() -> None:
    from asset_gen.cli.train import PRESET_NAMES
    from trainer.presets import PRESETS

    assert set(PRESET_NAMES) == set(PRESETS)


def test_the_environment_mirrors_flags_and_flags_win(
    cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("COUNT", "8"),
        ("MODEL", str(bundle)),
        ("PROJECT", str(game)),
        ("JSON", "1"),
        ("DRY_RUN", "1"),
    ):
        monkeypatch.setenv(f"ASSETGEN_{name}", value)
    assert sum(json.loads(cli("batch").out)["quotas"].values()) == 8
    assert sum(json.loads(cli("batch", "--count", 12).out)["quotas"].values()) == 12
    assert list(game.iterdir()) == []  # a dry run touches nothing


def test_json_is_one_document_on_stdout(cli: Cli, bundle: Path, game: Path) -> None:
    done = cli("batch", "--count", 8, "--model", bundle, "--project", game, "--json")
    assert json.loads(done.out)["added"] == 8
    assert done.err == ""


def test_schemas_are_fresh_and_real_documents_follow_them(cli: Cli, bundle: Path, game: Path) -> None:
    for name, text in schemas().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, "run make docs"
    assert cli("batch", "--count", 8, "--model", bundle, "--project", game, "-q").code == 0
    out = game / "assets" / "generated"
    for path in (bundle / "bundle.json", out / "manifest.json", out / "provenance.json"):
        jsonschema.validate(json.loads(path.read_text()), json.loads((FOLDER / f"{path.stem}.schema.json").read_text()))


def test_a_target_of_a_third_party_is_found_by_its_entry_point(
    cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = EntryPoint("generic", "integrations.generic.writer:TARGET", targets.GROUP)
    theirs = EntryPoint("toy", "tests.toy_target:TARGET", targets.GROUP)
    thief = EntryPoint("thief", "tests.toy_target:THIEF", targets.GROUP)
    monkeypatch.setattr(targets, "entry_points", lambda group: [ours, theirs, thief])
    common = ("batch", "--count", 8, "--model", bundle, "--project", game)
    assert cli(*common, "--target", "toy", "--target", "generic").code == 0
    out = game / "assets" / "generated"
    assert (out / "toy.txt").read_text() == "beetle crystal flask mushroom"
    assert (out / "beetle" / "beetle.json").exists()
    clash = cli(*common, "--target", "generic", "--target", "thief")
    assert (clash.code, "sheets.js" in clash.err) == (2, True)
    unknown = cli(*common, "--target", "genric")
    assert (unknown.code, "Did you mean 'generic'?" in unknown.err) == (2, True)


def test_doctor_reports_what_really_ran(cli: Cli) -> None:
    report = json.loads(cli("doctor", "--json").out)
    assert report["devices"]["cpu"] == "CPUExecutionProvider"
    assert report["versions"]["assetgen"]


def test_doctor_finds_two_runtimes_over_each_other_and_packages_that_hide_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "1.30" if name in ("onnxruntime", "onnxruntime-gpu") else None)
    (sentence,) = doctor.double_runtime()
    assert "--force-reinstall onnxruntime-gpu" in sentence
    monkeypatch.setattr(doctor, "OURS", ("json",))
    assert any("'json'" in sentence for sentence in doctor.shadowed())


def test_layers_are_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout


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
