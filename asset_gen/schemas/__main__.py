"""Writes the schemas beside this file."""

from __future__ import annotations

from asset_gen.schemas import FOLDER, schemas

for name, text in schemas().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
