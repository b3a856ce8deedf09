"""How does art get the colours of a palette? As a copy beside it, in which every visible pixel is checked."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import uuid4

from PIL import Image

from asset_gen.errors import ProjectError
from asset_gen.images import read_rgba
from asset_gen.importers.art import Art
from asset_gen.importers.sprite_set import check_free
from asset_gen.palette import Colours, apply_palette, off_palette

FORMS = {".png": "PNG", ".webp": "WEBP", ".gif": "GIF", ".bmp": "BMP"}


def recolour(art: Art, palette: Colours, out: Path, dither: bool = False) -> int:
    """Write every picture, and the tables beside them, into a folder that isn't there yet: only colours of ``palette``.

    Returns: the number of pictures, each of which was read again and has 0 visible pixels off the palette.

    Raises:
        UsageError: ``out`` holds something.
        ProjectError: it can't be written, or a picture came out with other colours; nothing is left behind.
    """
    check_free(out)
    stage = out.with_name(f".{out.name}.{uuid4().hex[:8]}")
    try:
        for path, picture in art.pictures.items():
            file = stage / path
            file.parent.mkdir(parents=True, exist_ok=True)
            painted = apply_palette(picture[None], palette, dither)[0]
            Image.fromarray(painted, "RGBA").save(file, FORMS[path.suffix.lower()], lossless=True, exact=True)
            if wrong := off_palette(read_rgba(file), palette):
                raise ProjectError(f"{out / path}: {wrong} pixels are off the palette. Save it as PNG first.")
        for path, data in art.others.items():
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).write_bytes(data)
        if out.is_dir():
            out.rmdir()
        stage.rename(out)
    except OSError as error:
        raise ProjectError(f"{out}: can't be written ({error.strerror or error}). Nothing was left behind.") from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return len(art.pictures)
