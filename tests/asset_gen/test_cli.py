"""A command line does what it says, answers on stdout, explains itself on stderr, and ends with the promised code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from numpy.typing import NDArray

from asset_gen import errors
from asset_gen.batch import run_batch
from asset_gen.cli import COMMANDS, batch, train
from asset_gen.cli import cli as root
from asset_gen.errors import AssetgenError, UsageError
from asset_gen.finish import finish_sprites
from asset_gen.manifest import Finish, Layout
from asset_gen.plan import Request
from asset_gen.request import parse_types
from tests.conftest import Cli, files_of

ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AssetgenError)]


def commands() -> dict[str, click.Command]:
    """Every command by name."""
    context = click.Context(root)
    found = {name: root.get_command(context, name) for name in COMMANDS}
    return {name: command for name, command in found.items() if command is not None}


def test_every_command_is_listed_and_its_first_line_is_its_summary() -> None:
    assert list(commands()) == list(COMMANDS)
    for name, command in commands().items():
        assert (command.name, (command.help or "").splitlines()[0]) == (name, COMMANDS[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, cli: Cli) -> None:
    shown = cli(name, "--help")
    assert (shown.code, shown.err) == (0, "")
    (_, examples) = re.split(r"Examples?:\n", shown.out)
    assert examples.lstrip().startswith(f"assetgen {name} ")
    assert cli(name, "-h").out == shown.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_in_the_help_is_understood(name: str) -> None:
    command = commands()[name]
    for line in re.findall(rf"^ *assetgen {name} (.*)$", command.help or "", re.MULTILINE):
        command.make_context(name, line.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_sentence_and_a_variable_named_after_its_flag(name: str) -> None:
    for option in commands()[name].params:
        if isinstance(option, click.Option) and not isinstance(option.flag_value, str):  # of which one is chosen
            flag = max(option.opts, key=len).removeprefix("--")
            variable = option.envvar or f"ASSETGEN_{(option.name or '').upper()}"
            assert variable == f"ASSETGEN_{flag.upper().replace('-', '_')}"
            assert (option.help or "").endswith((".", "]"))


def test_the_group_lists_its_commands_and_its_exit_codes(cli: Cli) -> None:
    shown = " ".join(cli("--help").out.split())
    assert all(f"{name} {summary}" in shown for name, summary in COMMANDS.items())
    for code, meaning in (
        (0, "done"),
        (1, "failure"),
        (2, "usage"),
        (3, "finished but some items failed"),
        (4, "device or runtime not available"),
        (5, "model rejected"),
        (6, "quota not met"),
        (130, "interrupted"),
    ):
        assert f"{code} {meaning}" in shown


@pytest.mark.parametrize("kind", ERRORS)
def test_an_expected_error_is_a_sentence_on_stderr_and_its_exit_code(
    kind: type[AssetgenError], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(request: Request) -> None:
        raise kind("the reason. The cure.")

    monkeypatch.setattr(batch, "preview", fail)
    done = cli("batch", "--dry-run")
    assert (done.code, done.out, done.err) == (kind.exit_code, "", "assetgen: the reason. The cure.\n")


def test_every_error_has_the_exit_code_of_the_drawn_tree() -> None:
    tree = {name: int(code) for name, code in re.findall(r"(\w+Error) +(\d)", errors.__doc__ or "")}
    assert tree == {kind.__name__: kind.exit_code for kind in ERRORS}


def test_an_interrupt_ends_with_130_and_says_how_to_go_on(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(request: Request) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "preview", interrupted)
    done = cli("batch", "--dry-run")
    assert (done.code, done.out) == (130, "")
    assert "the same command goes on from there" in done.err
    again = cli("batch", "--dry-run", "--reject", "dragon:17").err  # which would reject what took its place, too
    assert "the same command without --reject goes on from there" in again


@pytest.mark.parametrize(
    ("flags", "said"), [((), "the same command with --resume"), (("--resume",), "the same command")]
)
def test_an_interrupted_training_goes_on_by_resume(
    flags: tuple[str, ...], said: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "_job", interrupted)
    assert f"and {said} goes on from there" in cli("train", "sprites", "--run", "run", *flags).err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("paint",), "No such command 'paint'"),
        (("batsh",), "No such command 'batsh'. Did you mean 'batch'?"),
        (("batch", "--cuont", "5"), "--count"),
        (("batch", "--count", "0"), "x>=1"),
        (("batch", "--count", "many"), "--count"),
        (("batch", "--filter", "best"), "set, critic, is, top-p, none"),
        (("batch", "--min-is", "0.5"), "--min-is"),
        (("batch", "--scale", "0"), "--scale"),
        (("batch", "--oversample", "257"), "--oversample"),
        (("batch", "--types", "bat=x"), "Write bat=40."),
        (("export", "run"), "--out"),
        (("train", "sprites"), "--run"),
    ],
)
def test_wrong_arguments_end_with_2_and_name_the_argument(arguments: tuple[str, ...], said: str, cli: Cli) -> None:
    done = cli(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_types_are_written_with_or_without_numbers() -> None:
    assert parse_types("imp, bat") == {"imp": None, "bat": None}
    assert parse_types("imp=40,bat = 10") == {"imp": 40, "bat": 10}
    for text in ("", "imp,", "imp,imp", "imp=", "imp=-1", "imp=1.5", "=3", "imp=٣"):
        with pytest.raises(UsageError, match="--types"):
            parse_types(text)


def test_merges_and_sizes_are_written_like_this() -> None:
    assert train.parse_merge(("unique=humanoid", " a = b ")) == {"unique": "humanoid", "a": "b"}
    for pair in ("unique", "=x", "x=", "x=x"):
        with pytest.raises(UsageError, match="write FROM=TO"):
            train.parse_merge((pair,))
    assert (train._size("auto"), train._size("48")) == (None, 48)
    for text in ("", "big", "-32", "³²"):
        with pytest.raises(UsageError, match="give a number of pixels"):
            train._size(text)


VARIABLES = {
    "COUNT": ("7", "count", 7),
    "TYPES": ("imp=3,bat=4", "quotas", {"imp": 3, "bat": 4}),
    "PROJECT": ("somewhere", "project", Path("somewhere")),
    "OUT": ("art", "out", "art"),
    "MODEL": ("models/mine", "model", Path("models/mine")),
    "SEED": ("5", "seed", 5),
    "OVERSAMPLE": ("9", "oversample", 9),
    "SCORER": ("types", "scorer", "types"),
    "FILTER": ("top-p", "filter", "top-p"),
    "TARGET": ("generic toy", "targets", ("generic", "toy")),
    "MIN_IS": ("6.5", "min_is", 6.5),
    "MIN_SCORE": ("0.5", "min_score", 0.5),
    "SCALE": ("3", "scale", 3),
    "SIZE": ("96", "size", 96),
    "PALETTE": ("16", "palette", "16"),
    "ALPHA": ("soft", "alpha", "soft"),
    "OPTIMIZE": ("1", "optimize", True),
    "COMBINED": ("1", "layout", Layout(sheets="all")),
    "TRIM": ("1", "layout", Layout(trim=True)),
    "PADDING": ("0", "layout", Layout(padding=0)),
    "EXTRUDE": ("1", "layout", Layout(extrude=1)),
    "POWER_OF_TWO": ("1", "layout", Layout(power_of_two=True)),
    "MAX_SIDE": ("512", "layout", Layout(max_side=512)),
    "VARIANT": ("3 2", "layout", Layout(variants=[2, 3])),
    "DEVICE": ("cpu", "device", "cpu"),
    "ENGINE": ("ray", "engine", "ray"),
    "ONLY": ("imp:3 bat:4", "only", (("imp", 3), ("bat", 4))),
    "REJECT": ("imp_000003", "reject", (("imp", 3),)),
    "YES": ("1", "yes", True),
}


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Every request that reaches the library."""
    requests: list[Request] = []

    def listen(heard: list[Request], *others: object) -> None:
        requests.extend(heard)
        raise AssetgenError("heard")

    monkeypatch.setattr(batch, "run_batches", listen)
    return requests


@pytest.mark.parametrize("name", VARIABLES)
def test_every_flag_can_be_set_in_the_environment(
    name: str, cli: Cli, heard: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, field, value = VARIABLES[name]
    monkeypatch.setenv(f"ASSETGEN_{name}", text)
    assert cli("batch").err == "assetgen: heard\n"
    assert getattr(heard[0], field) == value
    # of a file that --filter names, of the recipe, of assetgen explore publish, with --engine ray (test_ray_cluster.py)
    others = {"ratings", "name", "instead", "engine_options"}
    assert {entry[1] for entry in VARIABLES.values()} | others == set(Request.__dataclass_fields__)


def test_a_flag_wins_over_its_variable(cli: Cli, heard: list[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSETGEN_SEED", "5")
    monkeypatch.setenv("ASSETGEN_TARGET", "toy")
    cli("batch", "--seed", 6, "--target", "generic")
    assert (heard[0].seed, heard[0].targets) == (6, ("generic",))


def test_a_wrong_variable_is_refused_like_a_wrong_flag(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSETGEN_COUNT", "many")
    done = cli("batch")
    assert done.code == 2
    assert "'many' is not a valid integer" in done.err


def test_a_dry_run_says_what_would_be_done_and_touches_nothing(cli: Cli, bundle: Path, game: Path) -> None:
    common = ("batch", "--count", 9, "--model", bundle, "--project", game, "--dry-run")
    told = cli(*common)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(
        f"9 sprites of 4 types for {game / 'assets' / 'generated'}\n  stay 0, add 9, replace 0, free 0\n"
    )
    document = json.loads(cli(*common, "--json").out)
    assert document["quotas"] == {"beetle": 3, "crystal": 2, "flask": 2, "mushroom": 2}
    assert (document["out"], document["stay"], document["added"]) == ("assets/generated", 0, 9)
    assert files_of(game) == {}


def test_sprites_of_which_nothing_can_be_seen_are_named(
    cli: Cli, bundle: Path, game: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_the_first(sprites: NDArray[np.uint8], finish: Finish) -> NDArray[np.uint8]:
        finished = finish_sprites(sprites, finish) | np.uint8(255)
        finished[0] = 0
        return finished

    common = ("batch", "--model", bundle, "--project", game)
    monkeypatch.setattr("asset_gen.pictures.finish_sprites", without_the_first)
    done = cli(*common, "--types", "beetle=3,flask=2")
    assert done.code == 0
    assert "nothing can be seen of 2 sprites (beetle_000000 …): train the model longer, or reject them" in done.out
    monkeypatch.setattr("asset_gen.pictures.finish_sprites", lambda *given: finish_sprites(*given) | np.uint8(255))
    assert "nothing can be seen" not in cli(*common, "--types", "beetle=3,flask=2", "--scale", 2).out


def test_a_dry_run_says_when_every_sheet_is_written_anew(cli: Cli, bundle: Path, game: Path) -> None:
    common = ("batch", "--count", 9, "--model", bundle, "--project", game)
    assert cli(*common).code == 0
    assert "anew" not in cli(*common, "--dry-run").out
    told = cli(*common, "--dry-run", "--scale", 2, "--alpha", "soft", "--palette", 4).out
    assert "all sheets are written anew: alpha hard → soft, scale 1 → 2, palette none → 4" in told


def test_json_is_one_document_with_all_that_was_done_even_if_a_sheet_was_edited(
    cli: Cli, bundle: Path, game: Path
) -> None:
    common = ("batch", "--count", 8, "--model", bundle, "--project", game, "--json")
    first = cli(*common)
    assert (first.code, first.err) == (0, "")
    document = json.loads(first.out)
    assert document["provider"] == "CPUExecutionProvider"
    assert "beetle/beetle.png" in document["written"]
    assert document["scorer"]["kept"] == {"n": 8, "mean": None, "std": None}  # fewer sprites than splits
    (game / "assets" / "generated" / "beetle" / "beetle.json").write_text("mine")
    second = cli(*common)
    assert json.loads(second.out)["edited"] == ["beetle/beetle.json"]
    assert "edited by hand" in second.err


def test_quiet_says_nothing(cli: Cli, bundle: Path, game: Path) -> None:
    done = cli("batch", "--count", 4, "--model", bundle, "--project", game, "-q")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_failure_with_json_leaves_stdout_empty(cli: Cli, game: Path) -> None:
    done = cli("batch", "--model", game, "--project", game, "--json")
    assert (done.code, done.out) == (5, "")
    assert "is no model bundle" in done.err


def only_training(monkeypatch: pytest.MonkeyPatch, figures: dict[str, Any]) -> None:
    """No classifier, and so no judge and no report."""
    monkeypatch.setattr("trainer.classifier.ensure_classifier", lambda *arguments: figures)
    monkeypatch.setattr("trainer.job._judging", lambda *arguments: None)
    monkeypatch.setattr("trainer.job.Evaluator", lambda *arguments: None)
    monkeypatch.setattr("trainer.job._report", lambda *arguments: None)


def test_training_answers_with_one_document_and_tells_the_rest_on_stderr(
    cli: Cli, sprites: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures: dict[str, Any] = {"accuracy": 0.5, "held_out": 8, "temperature": 1.0}
    only_training(monkeypatch, figures)
    common = ("train", sprites, "--width", 0.25, "--batch-size", 4, "--steps", 1, "--run")
    done = cli(*common, tmp_path / "run", "--json")
    assert done.code == 0
    document = json.loads(done.out)
    assert (document["steps"], document["kimg"], document["classifier"]) == (1, 0.004, figures)
    assert "40 sprites of 4 types at 32 px" in done.err
    told = cli(*common, tmp_path / "other")
    assert "1 steps, 0 thousand sprites; type classifier: 0.50 on 8 held-out sprites" in told.out
    assert f"next: assetgen export {tmp_path / 'other'}" in told.out


def test_training_without_some_files_ends_with_3_and_lists_them(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.creatures import write_set

    only_training(monkeypatch, {"accuracy": None})
    folder = write_set(tmp_path / "art", each=3)
    (folder / "flask" / "broken.png").write_bytes(b"broken")
    done = cli("train", folder, "--run", tmp_path / "run", "--width", 0.25, "--batch-size", 4, "--steps", 1, "--json")
    assert done.code == 3
    assert list(json.loads(done.out)["refused"]) == ["flask/broken.png"]
    assert "trained without 1 files" in done.err


def test_exporting_says_how_to_use_the_bundle(cli: Cli, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from asset_gen.bundle import load_bundle

    monkeypatch.setattr("exporter.write_bundle.export_run", lambda *arguments, **options: load_bundle(bundle))
    done = cli("export", "run", "--out", bundle)
    assert (done.code, done.err) == (0, "")
    assert "creatures, 4 types at 32 px" in done.out
    assert f"assetgen batch --model {bundle}" in done.out


@pytest.mark.parametrize(("command", "cure"), [("train", "Training needs"), ("export", "Exporting needs")])
def test_without_pytorch_a_sentence_says_what_to_install(
    command: str, cure: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("trainer.classifier", "trainer.loop", "trainer.run", "trainer.job", "exporter.write_bundle"):
        monkeypatch.setitem(sys.modules, name, None)
    done = cli(command, tmp_path, "--run" if command == "train" else "--out", tmp_path / "x")
    assert done.code == 4
    assert f"{cure} PyTorch" in done.err
    assert "pip install 'assetgen[train,cpu]'" in done.err


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after ``code``."""
    code += "; import sys; print('--', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split("--")[-1].split())


@pytest.mark.parametrize("code", ["import asset_gen", "from asset_gen.cli import run; run(['--help'])"])
def test_the_package_and_its_help_load_no_heavy_library(code: str) -> None:
    loaded = loaded_by(code)
    assert "asset_gen" in loaded
    assert not {"torch", "onnxruntime", "numpy", "onnx", "PIL", "rich", "trainer", "exporter"} & loaded


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_loads_neither_torch_nor_onnxruntime(name: str) -> None:
    loaded = loaded_by(f"from asset_gen.cli import run; run(['{name}', '--help'])")
    assert f"asset_gen.cli.{name}" in loaded
    assert not {"torch", "onnxruntime", "onnx", "matplotlib"} & loaded


def test_a_batch_loads_only_what_it_uses(tmp_path: Path) -> None:
    arguments = ["batch", "--count", "1", "--project", str(tmp_path), "--device", "cpu", "-q"]
    loaded = loaded_by(f"from asset_gen.cli import run; run({arguments})")
    assert (tmp_path / "assets/generated/manifest.json").is_file()
    assert {"asset_gen.batch", "onnxruntime"} <= loaded
    assert not {"torch", "onnx", "ray", "scipy", "matplotlib", "trainer", "exporter"} & loaded
    assert not {"jinja2", "numpy.ma", "rich", "watchdog", "requests", "pooch", "platformdirs", "sqlite3"} & loaded
    others = {"audit", "catalogue", "doctor", "explore", "importers", "review", "verify", "watch"}
    assert not {f"asset_gen.{name}" for name in others} & loaded


@pytest.mark.parametrize(
    ("name", "given", "used"),
    [("batch", {}, "4"), ("batch", {"OPENBLAS_THREAD_TIMEOUT": "20"}, "20"), ("watch", {}, "4"), ("score", {}, "None")],
)
def test_numpys_threads_sleep_where_they_are_not_needed(name: str, given: dict[str, str], used: str) -> None:
    """It must be said before NumPy is loaded."""
    others = {name: value for name, value in os.environ.items() if name != "OPENBLAS_THREAD_TIMEOUT"}
    code = (
        "import os, sys; from asset_gen import cli; "
        "cli.run = lambda _: print(os.environ.get('OPENBLAS_THREAD_TIMEOUT'), 'numpy' in sys.modules); cli.main()"
    )
    command = [sys.executable, "-c", code, name]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=others | given)
    assert done.stdout.split() == [used, "False"]


def test_the_command_reference_is_fresh() -> None:
    script = Path(__file__).parents[2] / "docs" / "reference.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_preset_can_be_named_and_no_other() -> None:
    from trainer.presets import PRESETS

    assert list(train.PRESET_NAMES) == list(PRESETS)


def test_every_loss_can_be_named_and_no_other() -> None:
    from trainer.losses import LOSSES

    assert list(train.LOSS_NAMES) == list(LOSSES)


def test_numbers_of_the_recipe_are_written_like_this() -> None:
    assert train._changes(("gamma=0.2", " augment.hue = 5 ")) == {"gamma": 0.2, "augment.hue": 5.0}
    for pair in ("gamma", "gamma=", "gamma=much", "=", "gamma=1=2"):
        with pytest.raises(UsageError, match="write NAME=NUMBER"):
            train._changes((pair,))


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every job that reaches the trainer."""
    heard: list[Any] = []

    def listen(job: Any, *others: object) -> None:
        heard.append(job)
        raise AssetgenError("heard")

    monkeypatch.setattr("trainer.job.run_job", listen)
    return heard


def test_every_choice_of_a_training_reaches_the_trainer(cli: Cli, jobs: list[Any], tmp_path: Path) -> None:
    from trainer.loop import Settings
    from trainer.run import Limit, Rhythm

    options = (
        "--preset projected --max-minutes 5 --steps 7 --epochs 3 --size 48 --merge a=b --background auto --seed 4 "
        "--width 0.5 --batch-size 32 --loss hinge --critic-steps 2 --set gamma=0.2 --set augment.hue=4 "
        "--precision bfloat16 --compile --device cpu --evaluate-every 50 --patience 5 --resume --from dcss"
    ).replace("--width 0.5 ", "")
    assert cli("train", "art", "--run", tmp_path, *options.split()).err == "assetgen: heard\n"
    (job,) = jobs
    assert job.config.preset == "projected"
    assert (job.config.size, job.config.merge, job.config.background) == (48, {"a": "b"}, True)
    assert job.config.settings == Settings(
        seed=4,
        batch=32,
        precision="bfloat16",
        loss="hinge",
        critic_steps=2,
        changes={"gamma": 0.2, "augment.hue": 4.0},
    )
    assert job.limit == Limit(minutes=5, steps=7, epochs=3)
    assert job.rhythm == Rhythm(evaluate_kimg=50, patience=5)
    assert (job.resume, job.compiled, job.device) == (True, True, "cpu")
    assert job.source.name == "dcss"
    assert job.source.is_absolute()  # the built-in one
    assert job.config.judge == "classifier"  # the fixture sets ASSETGEN_NO_PRETRAINED


def test_the_judge_is_chosen_by_what_is_installed_unless_pretrained_networks_are_unwanted(
    cli: Cli, jobs: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("train", "art", "--run", tmp_path, "--no-pretrained")
    monkeypatch.delenv("ASSETGEN_NO_PRETRAINED")
    cli("train", "art", "--run", tmp_path, "--width", 0.5)
    assert [job.config.judge for job in jobs] == ["classifier", ""]
    assert [job.config.settings.width for job in jobs] == [1.0, 0.5]


def test_a_library_call_without_a_person_says_no() -> None:
    defaults = run_batch.__defaults__
    assert defaults is not None
    assert defaults[0]("May all be replaced?") is False
