"""Every figure of docs/benchmarks.md: python tests/benchmarks/harness.py [--only SUBJECT]… [--runs N] [--long]

Each subject is measured in a process of its own, and takes the place of its earlier figures in docs/benchmarks.json, of
which the page is written; a subject that fails or takes too long leaves a row that says so, and the others go on.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
STORE, PAGE = ROOT / "docs/benchmarks.json", ROOT / "docs/benchmarks.md"
OTHERWISE = ("OMP_NUM_THREADS", "PYTHONDONTWRITEBYTECODE")
"""Variables without which a process runs as it does for users: on all cores, with compiled modules from the second
run on."""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure."""

    figure: str
    measured: str
    peer: str = "–"
    """What the same work takes elsewhere, in the same run."""
    goal: str = "–"
    met: bool | None = None
    """None: nothing was to be reached."""
    runs: int = 1


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that is measured."""

    title: str
    module: str
    """Of tests.benchmarks; has ``rows(runs)``, or the function named after a colon."""
    note: str
    limit: int = 240
    """Seconds, before it is given up."""
    long: bool = False
    """Whether it is measured only with --long, or when it is named."""


SUBJECTS = {
    "generation": Subject(
        "Drawing sprites",
        "generation",
        "512 sprites in batches of 64, by the clock, in turn; the outputs of the same weights agree within 10⁻³. "
        "lightweight-gan draws 64 of the same side with its own generator at random weights, in PyTorch as its "
        "own command does (it exports no ONNX, so that wouldn't be what its users have); another network, so a "
        "comparison of what one gets, not of runtimes. "
        "It demands an NVIDIA card when imported; that check alone is stepped over.",
    ),
    "compiled": Subject(
        "Drawing sprites, against torch.compile",
        "generation:compiled_rows",
        "As above; compiling comes before and isn't counted.",
    ),
    "floor": Subject(
        "How near is drawing to what the machine can do?",
        "floor",
        "Operations of convolutions and matrix products counted in the ONNX graph, over the rate of NumPy's float32 "
        "product of 1,024 × 1,024 matrices on all cores, measured in turn; the rows below are ONNX Runtime's own "
        "profile of the generator, the share of its operators' time.",
    ),
    "job": Subject(
        "The whole job: 500 sprites of 2,000 candidates",
        "job",
        "`assetgen batch --count 500` beside [a naive script](../tests/benchmarks/naive.py): PyTorch in inference "
        "mode, batches of 64, all cores, the same latents and classifier (in ONNX Runtime, which is faster), the most "
        "probable of each type, Pillow. It has no feature network and measures no candidates, leaves colours "
        "multiplied by alpha, keeps no candidate set, no manifest and no contact sheet; `--filter is` and `none` leave "
        "the feature network out, too.",
    ),
    "batch": Subject(
        "What a batch costs",
        "bench:batch_rows",
        "Whole processes, user and system time and peak memory as the kernel counts them; networks and Pillow at level "
        "1 alone, on as many sprites, in turn with them.",
    ),
    "memory": Subject("Memory of large batches", "bench:memory_rows", "One run of each, whole processes."),
    "training": Subject(
        "Training",
        "bench:training_rows",
        "Means over steps, in turn; the bare PyTorch loop has the same networks and losses, and augments nothing.",
        limit=400,
    ),
    "selection": Subject("Choosing", "selection", "25,000 of 100,000 random candidates of 17 types."),
    "scoring": Subject(
        "Scoring",
        "scoring",
        "The same network, pictures and batches in PyTorch; `inception` with random weights, and the same score.",
        limit=400,
    ),
    "many": Subject(
        "A million candidates",
        "many",
        "All of a batch but its networks and its sheets: figures, blocks, shards, near-duplicates, `--filter set`, "
        "scores and contact sheet of as many candidates of noise, a quarter of which is chosen; 96 features, pictures "
        "of 8×8. One run of each, whole processes.",
        limit=3600,
        long=True,
    ),
    "score-memory": Subject(
        "Memory of scoring", "bench:score_memory_rows", "One run of each, whole processes.", limit=1200, long=True
    ),
    "layout": Subject(
        "Laying out 500 sprites",
        "layout",
        "Whole processes that read the same 500 files of 64×64 and write one sheet and its data, in turn.",
    ),
    "png": Subject("PNG encoders", "png", "CPU seconds for all pictures, encoders in turn; bytes in brackets."),
    "linear": Subject(
        "50,000 candidates", "bench:linear_rows", "`--count 12500` against a quarter of it.", limit=3600, long=True
    ),
}


def machine() -> dict[str, str]:
    """What figures depend on."""
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = {
        "CPU": names[0] if names else platform.processor(),
        "cores": str(cores),
        "Python": platform.python_version(),
    }
    for package in ("onnxruntime", "torch", "numpy", "pillow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def measure(name: str, runs: int) -> dict[str, Any]:
    """A subject's figures from a process of its own, or the row that says why there are none."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out, log = Path(folder) / "rows.json", Path(folder) / "log"
        command = [sys.executable, __file__, "--only", name, "--runs", str(runs), "--into", str(out)]
        environment = {key: value for key, value in os.environ.items() if key not in OTHERWISE}
        environment["PYTHONPATH"] = str(ROOT)  # what is measured is what lies here, wherever assetgen is installed
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command, env=environment, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True
            )
            try:
                code = process.wait(SUBJECTS[name].limit)
                reason = f"failed with exit code {code}" if code else ""
            except subprocess.TimeoutExpired:
                reason = f"took more than {SUBJECTS[name].limit} s"
            finally:
                if process.poll() is None:  # too slow, or Ctrl+C
                    os.killpg(process.pid, 9)  # its children, too
                    process.wait()
        if reason or not out.exists():
            sys.stderr.write(log.read_text(encoding="utf-8", errors="replace")[-2000:])
            rows = [asdict(Row("–", f"not available: {reason or 'it wrote nothing'}", met=False))]
        else:
            rows = json.loads(out.read_text(encoding="utf-8"))
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "seconds": round(time.perf_counter() - begun),
        "machine": machine(),
        "rows": rows,
    }


def page(store: dict[str, Any]) -> str:
    """docs/benchmarks.md for what was measured, by subject."""
    judged = [row["met"] for found in store.values() for row in found["rows"] if row["met"] is not None]
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; a part by `python tests/benchmarks/harness.py --only SUBJECT --runs N`.",
        "Figures are medians over runs, whose number is in the last column. What is compared is measured in turn on "
        "the same machine.",
        f"Of {len(judged)} goals {sum(judged)} are met; the others stay here as MISSED.",
    ]
    for name, subject in SUBJECTS.items():
        lines += ["", f"## {subject.title}", "", f"`{name}`: {subject.note}", ""]
        if name not in store:
            lines += ["Not measured yet." + (" Takes `--long`." if subject.long else "")]
            continue
        found = store[name]
        lines += ["| figure | measured | peer | goal | | runs |", "|---|---|---|---|---|---|"]
        for row in found["rows"]:
            verdict = {True: "met", False: "MISSED", None: ""}[row["met"]]
            cells = (row["figure"], row["measured"], row["peer"], row["goal"], verdict, row["runs"])
            lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
        described = ", ".join(f"{key} {value}" for key, value in sorted(found["machine"].items()))
        took = f", in {found['seconds']} s" if found["seconds"] is not None else ""
        lines += ["", f"{found['date']}{took}: {described}."]
    return "\n".join(lines) + "\n"


def rows_of(name: str, runs: int) -> list[Row]:
    """Measure a subject in this process."""
    module, _, function = SUBJECTS[name].module.partition(":")
    found: list[Row] = getattr(importlib.import_module(f"tests.benchmarks.{module}"), function or "rows")(runs)
    return found


def main() -> None:
    """Measure, and write the store and the page; the exit code says whether every subject could be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=SUBJECTS, help="repeatable")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="what takes more than minutes, too")
    parser.add_argument("--into", type=Path, help="measure here, and write the rows of one subject alone")
    parser.add_argument("--page", action="store_true", help="write the page from what is stored, and measure nothing")
    options = parser.parse_args()
    if options.into:
        rows = [row for name in options.only for row in rows_of(name, options.runs)]
        options.into.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
        return
    store = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    usual = [name for name, subject in SUBJECTS.items() if options.long or not subject.long]
    for name in [] if options.page else options.only or usual:
        print(f"{name} …", file=sys.stderr, flush=True)
        store[name] = measure(name, options.runs)
        for row in store[name]["rows"]:
            print(f"  {row['figure']}: {row['measured']} (peer {row['peer']}, goal {row['goal']}, met {row['met']})")
        print(f"  {store[name]['seconds']} s", flush=True)
        STORE.write_text(json.dumps(store, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
        PAGE.write_text(page(store), encoding="utf-8")
    PAGE.write_text(page(store), encoding="utf-8")
    if any(row["measured"].startswith("not available: failed") for found in store.values() for row in found["rows"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
