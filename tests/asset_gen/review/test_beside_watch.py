"""A watch beside the studio carries out what is rejected on the page, and the page sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from asset_gen.review.gallery import Gallery, Wish
from tests.fakes import use_stand_ins
from tests.studio import Studio


def test_what_is_rejected_on_the_page_is_replaced_by_the_watch(
    game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_stand_ins(monkeypatch)
    (tmp_path / "model").mkdir()
    for name in ("bundle.json", "classifier.onnx", "generator.onnx"):
        (tmp_path / "model" / name).write_text("1")
    (game / "assetgen.toml").write_text("# a recipe\n")
    watched = Studio(game, tmp_path / "model")
    watched.settle(full=True)
    gallery = Gallery(game)
    gone = next(one for one in gallery.shown.values() if one.entry.slot == "bat_000001")
    news = gallery.decide([Wish(id=gone.id, action="reject")])
    assert [one.entry.state for one in news.changed] == ["rejected"]
    assert "published" in watched.settle()
    seen = gallery.refresh()
    assert seen is not None and seen.whole
    filled = next(one for one in gallery.shown.values() if one.entry.slot == "bat_000001")
    assert filled.id != gone.id
    assert gallery.shown[gone.id].entry.slot == "" and gallery.shown[gone.id].entry.state == "rejected"
