"""The target ``unreal`` writes what Paper2D's importer reads, by its source: no Unreal Engine runs here."""

from __future__ import annotations

import json
from pathlib import Path

from integrations.unreal.writer import TARGET, write
from tests.integrations.deliveries import assert_golden, grid


def test_files_are_golden() -> None:
    assert_golden("unreal", write(grid()))


def test_an_importer_finds_picture_frames_and_program_in_every_file() -> None:
    delivery = grid()
    for sheet, (path, data) in zip(delivery.sheets, write(delivery).items(), strict=True):
        document = json.loads(data)
        assert Path(path).suffix == ".paper2dsprites"
        assert document["meta"]["app"].startswith("http://www.codeandweb.com/texturepacker")
        assert (Path(path).parent / document["meta"]["image"]).as_posix() == sheet.image
        for region in sheet.regions:
            frame = document["frames"][region.name]
            assert frame["frame"] == {"x": region.x, "y": region.y, "w": region.width, "h": region.height}
            assert not frame["rotated"]
            assert frame["trimmed"] == (region.source is not None)
            assert frame["type"] == region.type


def test_a_project_has_a_uproject_file(tmp_path: Path) -> None:
    assert not TARGET.detect(tmp_path)
    (tmp_path / "Game.uproject").mkdir()
    assert not TARGET.detect(tmp_path)
    (tmp_path / "Other.uproject").write_text("{}")
    assert TARGET.detect(tmp_path)
