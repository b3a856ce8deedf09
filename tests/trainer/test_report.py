"""The report page holds everything a run has, and nothing that a stranger's names could make of it."""

from __future__ import annotations

import csv
import errno
import io
import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.creatures import KINDS, creature, write_set
from trainer import report
from trainer.config import Config, open_run
from trainer.curves import SHEET_COLUMNS, sample_sheet
from trainer.dataset import Dataset
from trainer.report import write_report

HOSTILE = "<script>document.title = 'owned'</script>\"'>&amp;" + "w" * 300
CLASSIFIER = {"accuracy": 0.75, "held_out": 8, "temperature": 1.0}


@dataclass
class Read(HTMLParser):
    """What a page says and shows."""

    text: str
    words: str = ""
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def of(self, tag: str, kind: str = "") -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag and kind in (attributes.get("class") or "")]


@dataclass
class Run:
    """A run folder whose training never took place."""

    folder: Path
    dataset: Dataset
    sprites: NDArray[np.uint8]
    kinds: NDArray[np.int64]

    def report(self, typed: bool = True) -> Read:
        path = write_report(
            self.folder,
            self.dataset,
            self.sprites,
            self.kinds if typed else None,
            step=400,
            device="CPU, 2 threads",
            classifier=CLASSIFIER,
        )
        assert path == self.folder / "report.html"
        return Read(path.read_text(encoding="utf-8"))

    def write_lines(self) -> None:
        figures = {"loss_d": 0.5, "loss_g": 0.7, "d_real": 0.6, "d_fake": 0.4}
        stats = [{"step": 20 * n, "kimg": 1.28 * n, "seconds": 10.0 * n} | figures for n in range(1, 21)]
        judged = {"judge": "EfficientNet-Lite1", "samples": 1000, "precision": 0.5, "recall": 0.25} | {
            "density": 0.4, "coverage": 0.3, "copies": 0.012}  # fmt: skip
        evaluations = [
            {"step": step, "kimg": step * 0.064, "seconds": step / 2, "kid": kid, "fid": 2 * kid} | judged
            for step, kid in ((100, 80.5), (200, 30.5), (300, 40.5))
        ]
        for name, lines in (("stats", stats), ("evaluations", evaluations)):
            (self.folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def write_sheets(self, *steps: int, names: tuple[str, ...] = ()) -> None:
        (self.folder / "samples").mkdir(exist_ok=True)
        for step in steps:
            drawn = np.stack([creature(kind, step + seed) for kind in KINDS for seed in range(SHEET_COLUMNS)])
            sheet = sample_sheet(drawn, SHEET_COLUMNS, names=names)
            sheet.save(self.folder / "samples" / f"{step:09d}.png")


def opened(sprites: Path, folder: Path) -> Run:
    _, dataset = open_run(folder, Config(preset="relativistic", sprites=str(sprites), size=32), False)
    kinds = np.repeat(np.arange(len(dataset.types)), 5)
    drawn = np.stack([creature(KINDS[kind], 100 + seed) for seed, kind in enumerate(kinds)])
    return Run(folder, dataset, drawn, kinds)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return opened(write_set(tmp_path / "art"), tmp_path / "creatures")


@pytest.fixture
def hostile(tmp_path: Path) -> Run:
    """Its folder, files, remarks and types have names that want to be HTML."""
    art = write_set(tmp_path / "<art>")
    (art / "beetle" / "beetle000.png").rename(art / "beetle" / "<b>'\"&.png")
    (art / "flask" / "flask000.png").write_text("no picture")
    with (art / "labels.csv").open("w", newline="") as file:
        rows = [(path.relative_to(art), path.parent.name, "") for path in sorted(art.glob("*/*.png"))]
        csv.writer(file).writerows([("file", "type1", "<img src=x>"), *rows])
    run = opened(art, tmp_path / "<i>run & co")
    types = run.dataset.types | {"beetle": HOSTILE}  # reading a set refuses such a name; the page relies on nothing
    run.sprites[0] = run.dataset.sprites[run.dataset.files.index("beetle/<b>'\"&.png")]
    return replace(run, dataset=replace(run.dataset, types=types))


def pictures(page: Read, kind: str) -> list[NDArray[np.uint8]]:
    """The embedded pictures of a class."""
    sources = [attributes["src"] or "" for attributes in page.of("img", kind)]
    return [np.array(Image.open(io.BytesIO(b64decode(source.partition("base64,")[2])))) for source in sources]


def test_it_says_what_was_trained_on_what(run: Run) -> None:
    run.write_lines()
    page = run.report()
    for said in (
        "creatures",
        "relativistic",
        "40 of 4 types, from the folder “art”",
        "32 × 32 pixels",
        "26 thousand, in 400 steps",
        "3 min",
        "CPU, 2 threads",
        "right for 75% of 8 held-out sprites",
        run.dataset.digest(),
    ):
        assert said in page.words
    assert str(run.folder.parent) not in page.text  # nobody else's business
    path = run.folder / "stats.jsonl"  # has a line every 20 steps; a judgement comes at the end
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:10]))
    assert "in 300 steps" in run.report().words


def test_it_fetches_nothing_and_lets_no_script_run_but_its_own(run: Run) -> None:
    run.write_lines()
    run.write_sheets(100, 200)
    page = run.report()
    sources = [
        attributes[name] or ""
        for _, attributes in page.tags
        for name in ("src", "srcset", "href", "data", "action")
        if name in attributes
    ]
    assert len(sources) > 20
    assert all(source.startswith("data:image/") for source in sources)
    assert "url(" not in page.text
    (policy,) = [meta["content"] or "" for meta in page.of("meta") if "http-equiv" in meta]
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    assert "default-src 'none'" in policy
    assert f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy


def test_names_that_want_to_be_html_are_text(hostile: Run) -> None:
    hostile.write_lines()
    hostile.write_sheets(100)
    page = hostile.report()
    assert len(page.of("script")) == 1
    assert all(bar.keys() == {"style"} for bar in page.of("i"))
    assert not page.of("b")
    assert not page.of("art")
    assert all(image["src"] != "x" for image in page.of("img"))
    assert all(not name.startswith("on") for _, attributes in page.tags for name in attributes)
    for name in (HOSTILE, "<i>run & co", "<art>", "<img src=x>", "flask000.png"):
        assert name in page.words
    assert "beetle/<b>'\"&.png" in [figure.get("title") for figure in page.of("figure")]


def test_the_best_evaluation_is_marked(run: Run) -> None:
    run.write_lines()
    page = run.report()
    rows = re.findall(r"<tr( class=\"best\")?><td>(.*?)</tr>", page.text)
    assert [bool(best) for best, _ in rows] == [False, True, False]
    assert "best" in rows[1][1]
    assert re.findall(r"<td>(.*?)</td>", rows[1][1]) == [
        "30.5", "61.0", "0.50", "0.25", "0.40", "0.30", "1.2%", "200", "2 min"]  # fmt: skip
    assert "1000 sprites a checkpoint, judged by EfficientNet-Lite1" in page.words
    assert len(page.of("picture")) == 3


@pytest.mark.parametrize("names", [(), tuple(KINDS)], ids=["bare", "named"])
def test_sheets_lie_in_the_order_of_time_pixel_for_pixel_and_the_newest_is_shown(
    run: Run, names: tuple[str, ...]
) -> None:
    run.write_lines()
    run.write_sheets(100, 200, 410, names=names)
    page = run.report()
    shown = page.of("img", "pixels")
    assert [image["alt"] for image in shown] == [
        "6.4 thousand sprites seen · step 100",
        "13 thousand sprites seen · step 200",
        "26 thousand sprites seen · step 410",
    ]
    assert ["shown" in (image["class"] or "") for image in shown] == [False, False, True]
    run.write_sheets(410)
    with Image.open(run.folder / "samples" / "000000410.png") as bare:
        assert np.array_equal(pictures(page, "pixels")[-1], np.array(bare)[::2, ::2])
    assert [item["title"] for item in page.of("li") if "title" in item] == list(KINDS)
    (slider,) = page.of("input")
    assert (slider["max"], slider["value"]) == ("2", "2")


def test_of_many_sheets_some_are_shown_first_and_last_among_them(run: Run) -> None:
    run.write_sheets(*range(100, 7100, 100))
    steps = [int((image["alt"] or "").split()[-1].replace(",", "")) for image in run.report().of("img", "pixels")]
    assert len(steps) == report.SHEETS
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (100, 7000)
    assert max(np.diff(steps)) <= 400


def test_large_sheets_do_not_make_a_page_that_nobody_can_send(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "SHEET_PIXELS", 3 * 8 * 34 * 4 * 34)
    run.write_sheets(*range(100, 1100, 100))
    assert len(run.report().of("img", "pixels")) == 3


def test_torn_and_foreign_sheets_are_left_out(run: Run) -> None:
    run.write_sheets(100, 200, 300)
    samples = run.folder / "samples"
    (samples / "000000200.png").write_bytes((samples / "000000100.png").read_bytes()[:500])
    Image.new("RGB", (100, 77)).save(samples / "000000250.png")
    Image.new("RGB", (544, 272)).save(samples / "notes.png")
    assert [image["alt"] for image in run.report().of("img", "pixels")] == [
        "0 thousand sprites seen · step 100",
        "0 thousand sprites seen · step 300",
    ]


def test_each_generated_sprite_stands_beside_its_nearest_training_sprites(run: Run) -> None:
    beetle = run.dataset.sprites[3]
    run.sprites[0] = beetle[:, ::-1]
    page = run.report()
    figures = page.of("figure", "sprite")
    drawn = page.of("figure", "drawn")
    assert len(drawn) == 4 * report.EXAMPLES
    assert len(figures) == len(drawn) * (1 + report.NEIGHBOURS)
    assert figures[0]["class"] == "sprite drawn"
    assert figures[1] == {"class": "sprite mirrored", "title": run.dataset.files[3]}
    shown = pictures(page, "")
    assert np.array_equal(shown[0][shown[0][..., 3] > 0], run.sprites[0][run.sprites[0][..., 3] > 0])
    assert np.array_equal(shown[1][shown[1][..., 3] > 0], beetle[beetle[..., 3] > 0])
    assert re.search(r'class="copy">0\.000 ⇋ copy</figcaption>', page.text)
    assert page.text.count('class="copy"') < 10


def test_a_generator_without_types_has_no_names_beside_its_rows(run: Run) -> None:
    run.write_sheets(100)
    page = run.report(typed=False)
    assert not page.of("ol")
    assert len(page.of("img", "pixels")) == 1
    assert len(page.of("figure", "drawn")) == report.UNTYPED_EXAMPLES
    assert "Eight sprites a type" not in page.words


def test_a_run_that_was_stopped_at_once_has_its_page(run: Run) -> None:
    page = run.report()
    assert "Is it only copying?" in page.words
    assert not page.of("input")
    for absent in ("Curves", "Evaluations", "Sample sheets"):
        assert absent not in page.words


def test_a_page_that_cannot_be_written_leaves_the_old_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.report()
    before = {path.name: path.stat().st_mtime_ns for path in run.folder.iterdir()}

    def full(path: Path, data: bytes) -> None:
        path.write_bytes(data[:1000])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(report, "write_synced", full)
    with pytest.raises(OSError, match="No space left"):
        run.report()
    assert {path.name: path.stat().st_mtime_ns for path in run.folder.iterdir()} == before


@pytest.mark.parametrize(
    ("seconds", "text"), [(48.2, "48 s"), (125, "2 min"), (3599, "1 h 0 min"), (6483, "1 h 48 min")]
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert report.duration(seconds) == text
