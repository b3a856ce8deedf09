"""Commands for several processes are read by torchrun and by assetgen as they are meant."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
from torch.distributed.run import get_args_parser

from asset_gen.cli import cli

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "examples" / "slurm" / "train.sbatch"
VALUES = {
    "$SLURM_JOB_NUM_NODES": "2",
    "$SLURM_GPUS_ON_NODE": "4",
    "$SLURM_JOB_ID": "7",
    "$head:29500": "node1:29500",
    "$sprites": "art/sprites",
    "$run": "runs/mine",
    "${resume[@]}": "--resume",
}
"""What SLURM and the script put in."""
PLACES = ("docs/training.md", "docs/scaling.md", "examples/slurm/train.sbatch")


def commands() -> list[list[str]]:
    """Every torchrun command that we give, split into words."""
    found = []
    for place in PLACES:
        lines = (ROOT / place).read_text(encoding="utf-8").splitlines()
        for line in lines:
            if begun := re.match(r"(?:srun )?torchrun (.*)", line):
                found.append([VALUES.get(word, word) for word in shlex.split(begun[1])])
    return found


@pytest.mark.parametrize("words", commands(), ids=lambda words: " ".join(words)[:40])
def test_torchrun_starts_assetgen_and_assetgen_trains(words: list[str]) -> None:
    read = get_args_parser().parse_args(words)
    assert (read.training_script, read.no_python) == ("assetgen", True)
    name, *options = read.training_script_args
    train = cli.get_command(click.Context(cli), name)
    assert train is not None
    given = train.make_context(name, options, resilient_parsing=True).params
    assert Path(given["run"]) == Path("runs/mine")


def test_every_place_has_a_command() -> None:
    assert len(commands()) == 4


def test_the_slurm_script_is_one_that_bash_reads() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    assert not re.search(r"\$(?!SLURM_|\{?(1|2|head|run|sprites|resume))", SCRIPT.read_text().replace("$(scontrol", ""))
