"""Every figure of docs/benchmarks.md: python tests/benchmarks/harness.py [--only SUBJECT]… [--runs N] [--long]

Each subject is measured in a process of its own, and takes the place of its earlier figures in docs/benchmarks.json, of
which the page is written; a subject that fails or takes too long leaves a row that says so, and the others go on.

Every measured run writes into a new folder, and nothing is deleted before the last subject has ended: ext4 without a
journal passes over each inode that was deleted a minute or less ago (minutes, while it isn't on disk yet), so that a
run that makes 2,500 files after a deletion takes a second longer than one before it. For the same reason, begin no
harness right behind another one. TMPDIR says where the folders lie.
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
FOLDERS = "ASSETGEN_BENCHMARK_FOLDERS"
"""Variable that tells a subject's process where its folders lie until all is measured."""


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
        "512 sprites of 32×32, by the clock: assetgen draws a batch on each core, as in a run, its peers 64 a call on "
        "all cores. PyTorch runs the same network with the same weights, and a value of its pictures may differ by "
        "10⁻³ (they go from −1 to 1); the largest difference stands behind “apart by”. lightweight-gan draws as many "
        "of the same side with its own generator at random weights, in PyTorch as its own command does: it exports no "
        "ONNX, so another runtime isn't what its users have. That is another network, so the row compares what one "
        "gets, not runtimes. It demands an NVIDIA card when it is imported; that check alone is stepped over.",
        limit=400,
    ),
    "compiled": Subject(
        "Drawing sprites, against torch.compile",
        "generation:compiled_rows",
        "As the row of PyTorch above, with the network compiled; compiling comes before and isn't counted.",
    ),
    "floor": Subject(
        "How near is drawing to what the machine can do?",
        "floor",
        "Multiplications and additions of convolutions and matrix products, counted in the generator's ONNX graph, "
        "while it draws a batch on each core, beside those of NumPy's float32 product of 1,024 × 1,024 matrices, one "
        "on each core. “Profile” is ONNX Runtime's own: the share of its time that an operator takes. Sheets are "
        "encoded at Pillow's level 6, which tries filters on every line; zlib gets the bare pixels.",
    ),
    "job": Subject(
        "The whole job: 500 sprites of 2,000 candidates",
        "job",
        "`assetgen batch --count 500` beside [a naive script](../tests/benchmarks/naive.py): PyTorch in inference "
        "mode, batches of 64, all cores, the same latents and classifier (in ONNX Runtime, which is faster), the most "
        "probable of each type, Pillow. It has no feature network and measures no candidates, leaves colours "
        "multiplied by alpha, keeps no candidate set, no manifest and no contact sheet; `--filter is` and `none` leave "
        "the feature network out, too. Floors: what assetgen's networks would take at the rate of NumPy's matrix "
        "product, and what zlib alone takes for the pixels. Where the networks' floor is longer than the goal allows, "
        "even at the product's rate the goal wouldn't be reached on this machine.",
    ),
    "batch": Subject(
        "What a batch costs",
        "bench:batch_rows",
        "Seconds of CPU, user and system, that the kernel counts for whole processes. Beside them the networks alone "
        "in ONNX Runtime, on as many sprites, and Pillow alone at level 1 for every picture that the batch wrote.",
    ),
    "memory": Subject(
        "Memory of large batches", "bench:memory_rows", "Peak memory that the kernel counts for whole processes."
    ),
    "training": Subject(
        "Training",
        "bench:training_rows",
        "Seconds of CPU, means over steps, which the last column counts. The bare PyTorch loop has the same networks "
        "and losses, and augments nothing.",
        limit=400,
    ),
    "selection": Subject(
        "Choosing",
        "selection",
        "By the clock, 25,000 chosen of 100,000 random candidates of 17 types, by each `--filter`.",
    ),
    "scoring": Subject(
        "Scoring",
        "scoring",
        "How fast `assetgen score` judges with each `--scorer`, by the clock. Peers have the same network, pictures "
        "and batches in PyTorch; all networks are loaded before. No package brings the published weights of "
        "Inception, so `inception` has random ones, the same in all three packages; speed doesn't depend on them, and "
        "the Inception Score must be the same. pytorch_gan_metrics enlarges sprites to Inception's 299 px as assetgen "
        "does. torch-fidelity does it as TensorFlow 1 did, which gives another score, so it is compared on pictures "
        "that have 299 px already; and it shows its network values of another scale, which its copy of the weights "
        "makes up for.",
        limit=600,
    ),
    "many": Subject(
        "A million candidates",
        "many",
        "All of a batch but its networks and its sheets: shards of pictures, near-duplicates, `--filter set`, scores "
        "and contact sheet of as many candidates of noise, of which a quarter is chosen; 96 features, pictures of 8×8. "
        "Peak memory and seconds of whole processes.",
        limit=3600,
        long=True,
    ),
    "score-memory": Subject(
        "Memory of scoring",
        "bench:score_memory_rows",
        "Peak memory of `assetgen score` beside that of fewer sprites, whole processes.",
        limit=1200,
        long=True,
    ),
    "layout": Subject(
        "Laying out 500 sprites",
        "layout",
        "Whole processes that read the same 500 files of 64×64 and write one sheet, with gaps of two pixels, and its "
        "data; nothing is rotated or trimmed. In brackets the size of all that is written. The last row is ours alone: "
        "the same sprites, each cut to what is visible of it.",
    ),
    "png": Subject(
        "PNG encoders",
        "png",
        "Seconds of CPU for all pictures, bytes in brackets; every encoder's picture has the same pixels. assetgen "
        "writes candidates as “Pillow, level 6, run lengths” and sheets as “Pillow, level 6”; `--optimize` lets "
        "oxipng, level 2, make sheets smaller. These rows are what that was chosen by.",
    ),
    "scaling": Subject(
        "More processors, with Ray",
        "scaling",
        "`assetgen batch --count 1500` (6,000 candidates) by `--engine local`, which has all cores, and by "
        "`--engine ray` with `--ray-workers`, in turn; whole processes. A rate is the slope of the number of "
        "candidates over time while they are drawn, without start and end. Seconds of CPU are those of the command and "
        "of all processes below it, looked at ten times a second. A run is repeated if other processes took more than "
        "3 % of all cores meanwhile. Runs that differ in a byte of any file give no figures.",
        limit=3600,
        long=True,
    ),
    "linear": Subject(
        "50,000 candidates",
        "bench:linear_rows",
        "`assetgen batch --count 12500`, which draws 50,000 candidates, beside a quarter of it.",
        limit=3600,
        long=True,
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


def fresh_folder() -> Path:
    """A new folder for one measured run. The harness deletes it when all subjects are measured; nobody else does."""
    return Path(tempfile.mkdtemp(dir=os.environ.get(FOLDERS)))


def measure(name: str, runs: int, folders: Path) -> dict[str, Any]:
    """A subject's figures from a process of its own, or the row that says why there are none.

    What it writes stays in ``folders``.
    """
    begun = time.perf_counter()
    out, log = folders / f"{name}.json", folders / f"{name}.log"
    command = [sys.executable, __file__, "--only", name, "--runs", str(runs), "--into", str(out)]
    environment = {key: value for key, value in os.environ.items() if key not in OTHERWISE}
    environment["PYTHONPATH"] = str(ROOT)  # what is measured is what lies here, wherever assetgen is installed
    environment[FOLDERS] = str(folders)
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


def verdict(row: dict[str, Any]) -> str:
    """Whether a row's goal was met, in a word or two."""
    if row["met"] is None:
        return "no goal" if row["goal"] == "–" else "not measured"
    return "met" if row["met"] else "MISSED"


def page(store: dict[str, Any]) -> str:
    """docs/benchmarks.md for what was measured, by subject."""
    judged = [row["met"] for found in store.values() for row in found["rows"] if row["met"] is not None]
    lines = [
        "# Benchmarks",
        "",
        "`make bench` measures all of this anew and writes this page, but for the subjects that say “takes long”; it "
        "needs a quarter of an hour, PyPI and npm for its peers, and a machine that does nothing else. One subject: "
        "`python tests/benchmarks/harness.py --only SUBJECT --runs 3`, by the word in front of its description; all, "
        "the long ones too (hours): `python tests/benchmarks/harness.py --long`.",
        "",
        f"**Of {len(judged)} goals {sum(judged)} are met; the others stay here as MISSED.**",
        "",
        "- *measured* is assetgen's own figure, *peer* another program's, or another way's, for the same work: "
        "measured in the same run on the same machine, in turn. “2.00× as fast” is the peer's time over ours, a bare "
        "“1.10×” our figure over the peer's.",
        "- *goal* was set before it was measured. A row with “no goal” explains others; “not measured” says that the "
        "peer couldn't be had there.",
        "- Figures are medians over as many *runs* as the last column says. Each run writes into a new folder.",
        "",
        "A batch of 500 sprites draws 2,000 candidates with the generator, judges them with a type classifier and a "
        "feature network, chooses 500 by `--filter` (`set` unless told otherwise), and writes them in sheets with "
        "their data.",
    ]
    for name, subject in SUBJECTS.items():
        lines += ["", f"## {subject.title}", "", f"`{name}`: {subject.note}{' Takes long.' * subject.long}", ""]
        if name not in store:
            lines += ["Not measured yet."]
            continue
        found = store[name]
        lines += ["| figure | measured | peer | goal | met? | runs |", "|---|---|---|---|---|---|"]
        for row in found["rows"]:
            cells = (row["figure"], row["measured"], row["peer"], row["goal"], verdict(row), row["runs"])
            lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
        described = ", ".join(f"{key} {value}" for key, value in sorted(found["machine"].items()))
        took = f", in {found['seconds']} s" if found["seconds"] is not None else ""
        lines += ["", f"Measured {found['date']}{took}: {described}."]
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
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folders:
        for name in [] if options.page else options.only or usual:
            print(f"{name} …", file=sys.stderr, flush=True)
            store[name] = measure(name, options.runs, Path(folders))
            for row in store[name]["rows"]:
                print(f"  {row['figure']}: {row['measured']} (peer {row['peer']}, goal {row['goal']}: {verdict(row)})")
            print(f"  {store[name]['seconds']} s", flush=True)
            STORE.write_text(json.dumps(store, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
            PAGE.write_text(page(store), encoding="utf-8")
    PAGE.write_text(page(store), encoding="utf-8")
    if any(row["measured"].startswith("not available: failed") for found in store.values() for row in found["rows"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
