"""Feed readers whatever a stranger could send: python tests/fuzz/run.py [--minutes M] [TARGET …]

Coverage-guided (atheris, extra ``fuzz``), each target in a process of its own. A target may do what it wants with its
bytes or raise an ``AssetgenError``; anything else, more than 2 seconds or more than 1 GB is a finding, which is left
in ``build/fuzz/<target>/``. Mend it, and keep the input in ``tests/fuzz/corpus/<target>/``, which ``make test`` reads.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CORPUS = HERE / "corpus"
TARGETS = sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.py"))
SECONDS, MEBIBYTES = 2, 1024
"""What one input may take."""


def fuzz(name: str, options: list[str]) -> None:
    """Run one target in this process until libFuzzer ends it."""
    import atheris

    sys.path.insert(0, str(ROOT))
    with atheris.instrument_imports(include=["asset_gen", "trainer", "tests", "tomllib", "csv", "PIL"]):
        attack = import_module(f"tests.fuzz.fuzz_{name}").attack
        from asset_gen.errors import AssetgenError

    def one(data: bytes) -> None:
        try:
            attack(data)
        except AssetgenError as error:
            assert str(error)

    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


def supervise(name: str, minutes: float) -> tuple[str, bool]:
    """Fuzz a target in a process of its own; returns its line of the table, and whether it found nothing."""
    grown = ROOT / "build" / "fuzz" / name
    grown.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        options = [
            f"-max_total_time={round(minutes * 60)}",
            f"-timeout={SECONDS}",
            f"-rss_limit_mb={MEBIBYTES}",
            f"-artifact_prefix={grown}/finding-",
            "-max_len=65536",
            "-print_final_stats=1",
            *(str(folder) for folder in (grown, CORPUS / name)),
        ]
        done = subprocess.run(
            [sys.executable, __file__, "--inside", name, *options],
            env=os.environ | {"TMPDIR": scratch},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    log = done.stdout.decode(errors="replace")
    (grown.parent / f"{name}.log").write_text(log)
    figures = dict(re.findall(r"stat::(\w+):\s+(\d+)", log))
    findings = len([*grown.glob("finding-*")])
    clean = done.returncode == 0 and not findings
    cells = [
        name,
        f"{int(figures.get('number_of_executed_units', 0)):,}",
        f"{figures.get('slowest_unit_time_sec', '–')} s",
        f"{figures.get('peak_rss_mb', '–')} MB",
        str(findings or ("none" if clean else f"exit {done.returncode}")),
    ]
    return f"| {' | '.join(cells)} |", clean


def main() -> int:
    parser = argparse.ArgumentParser(description="Feed readers whatever a stranger could send.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)}; left out: all")
    parser.add_argument("--minutes", type=float, default=10, help="for each target")
    arguments = parser.parse_args()
    print("| target | executions | slowest | peak memory | findings |\n|---|---|---|---|---|")
    clean = True
    for name in arguments.targets or TARGETS:
        line, fine = supervise(name, arguments.minutes)
        print(line, flush=True)
        clean &= fine
    return int(not clean)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        fuzz(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
