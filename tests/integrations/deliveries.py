"""Small deliveries for golden files, and the way to compare with those."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from asset_gen.sheet import Delivery, Region, Sheet

GOLDEN = Path(__file__).parent / "golden"
CELL = 8
LABEL = 'Imp \\ "old" – Kobold'


def region(kind: str, slot: int, x: int, y: int, **other: object) -> Region:
    """A region of ``CELL`` pixels, unless ``other`` says otherwise."""
    fields: dict[str, object] = {"width": CELL, "height": CELL, "score": 0.5 + slot / 16, "type": kind}
    return Region(name=f"{kind}_{slot:06d}", slot=slot, x=x, y=y, **(fields | other))  # type: ignore[arg-type]


def grid(base: str = "assets/generated", identity: str = "") -> Delivery:
    """A type that goes on to a second sheet, with a label to escape; a trimmed type; two types on one sheet."""
    imps = [region("imp", slot, x, y) for slot, (x, y) in enumerate([(2, 2), (12, 2), (2, 12)])]
    orbs = (
        region("orb", 0, 2, 2, width=5, height=6, offset=(1, 2), source=(CELL, CELL)),
        region("orb", 1, 9, 2),
    )
    return Delivery(
        sheets=(
            Sheet("imp", LABEL, "imp/imp.png", 22, 22, (CELL, CELL), 2, tuple(imps)),
            Sheet("imp", LABEL, "imp/imp_2.png", 22, 12, (CELL, CELL), 2, (region("imp", 4, 2, 2),)),
            Sheet("orb", "orb", "orb/orb.png", 19, 12, (CELL, CELL), 2, orbs),
            Sheet("", "", "all.png", 22, 12, (CELL, CELL), 2, (region("bat", 0, 2, 2), region("cat", 0, 12, 2))),
        ),
        base=base,
        identity=identity,
    )


def strips() -> Delivery:
    """The imps in rows without gaps, as GameMaker wants them."""
    first = tuple(region("imp", slot, slot * CELL, 0) for slot in range(3))
    return Delivery(
        sheets=(
            Sheet("imp", LABEL, "imp/spr_imp_strip3.png", 24, 8, (CELL, CELL), 3, first),
            Sheet("imp", LABEL, "imp/spr_imp_2_strip1.png", 8, 8, (CELL, CELL), 1, (region("imp", 3, 0, 0),)),
        ),
        base="assets/generated",
    )


def assert_golden(target: str, files: Mapping[str, bytes]) -> None:
    """The files are byte for byte those of ``golden/<target>``, which were read by eye once."""
    folder = GOLDEN / target
    golden = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert sorted(files) == sorted(golden)
    for path, data in files.items():
        assert data.decode() == golden[path].read_bytes().decode(), path
