"""What does ``assetgen.toml`` say? The same as the flags of ``assetgen batch``, once for everybody in a project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from asset_gen.errors import ProjectError, UsageError
from asset_gen.names import nearest
from asset_gen.targets import default_out, detect_targets

NAME = "assetgen.toml"

Count = Annotated[int, msgspec.Meta(ge=1)]


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """``assetgen.toml``; every key may be left out, and a flag or environment variable wins over it."""

    targets: list[str] | None = None
    """Engines whose files are written; left out: found from the project's files."""
    out: str | None = None
    """Folder for generated assets, relative to the project."""
    model: str | None = None
    """A bundle, relative to the project; left out: the built-in one."""
    count: Count | None = None
    """Sprites in all, spread over the types."""
    types: list[str] | dict[str, Count] | None = None
    """Only these types, or each with its number."""
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    oversample: Annotated[int, msgspec.Meta(ge=1, le=256)] | None = None
    """Candidates drawn for each sprite kept."""
    scorer: Literal["types"] | None = None
    filter: str | None = None
    """``is``, ``top-p``, ``none``, or a file of ratings, relative to the project."""
    scale: Annotated[int, msgspec.Meta(ge=1, le=16)] | None = None
    palette: Annotated[int, msgspec.Meta(ge=2, le=256)] | str | None = None
    """A number of colours, or a palette file relative to the project."""
    alpha: Literal["hard", "soft"] | None = None
    combined: bool | None = None
    trim: bool | None = None
    padding: Annotated[int, msgspec.Meta(ge=0, le=64)] | None = None
    extrude: Annotated[int, msgspec.Meta(ge=0, le=16)] | None = None
    power_of_two: bool | None = None
    max_side: Annotated[int, msgspec.Meta(ge=64, le=16384)] | None = None
    variants: list[Annotated[int, msgspec.Meta(ge=2, le=8)]] | None = None


def read_recipe(project: Path) -> Recipe:
    """The project's recipe; an empty one where it has none.

    Raises:
        UsageError: not TOML, a key that isn't known, or a value that can't be; the message names file and line.
        ProjectError: the file can't be read.
    """
    path = project / NAME
    try:
        text = path.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        return Recipe()
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: can't be read as TOML: {error}.") from None
    except OSError as error:
        raise ProjectError(
            f"{path}: {error.strerror or error}. Check its permissions, or give another --project."
        ) from error
    known = [field.encode_name for field in msgspec.structs.fields(Recipe)]
    for key in document:
        if key not in known:
            raise UsageError(
                f"{path}, line {_line(text, key)}: there is no key {key!r}.{nearest(key, known)} "
                f"There are {', '.join(known)}."
            )
    try:
        return msgspec.convert(document, Recipe)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `$.")
        key = re.split(r"[.\[`]", where)[0]
        raise UsageError(f"{path}, line {_line(text, key)}: {key}: {reason}.") from None


def _line(text: str, key: str) -> int:
    """The line on which a top-level key stands, from 1; its table's or its own."""
    pattern = re.compile(rf"""\s*\[?\s*["']?{re.escape(key)}["']?\s*[\].=]""")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), 1)


def write_recipe(project: Path) -> tuple[Path, list[str]]:
    """Write a commented recipe with what was found; returns its path and the engines' names.

    Raises:
        UsageError: no such folder, or it has a recipe, which stays as it is.
    """
    if not project.is_dir():
        raise UsageError(f"--project {project}: there is no such folder. Create it, or give the game's own folder.")
    path = project / NAME
    found = detect_targets(project)
    names = [target.name for target in found]
    text = TEMPLATE.format(
        targets=", ".join(f'"{name}"' for name in names or ["generic"]),
        found=f"found: {'; '.join(target.summary for target in found)}" if found else "no engine's files were found",
        out=default_out(project, found),
    )
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path}: is there already, and stays as it is. Edit it, or remove it first.") from None
    return path, names


def settings_of(recipe: Recipe) -> dict[str, Any]:
    """The keys that a recipe sets, by their names in ``Recipe``."""
    values = {name: getattr(recipe, name) for name in Recipe.__struct_fields__}
    return {name: value for name, value in values.items() if value is not None}


TEMPLATE = """\
# What `assetgen batch` makes in this project. Commit this file.
# Every line may be left out; a flag or an ASSETGEN_* variable wins over it.

targets = [{targets}]  # {found}
out = "{out}"

# What is generated
#model = "models/mine"          # a bundle from `assetgen export`; left out: the built-in dungeon creatures and items
#count = 500                    # sprites in all, spread over the types
#types = ["dragon", "potion"]   # only these, or each with its number: types = {{ dragon = 40, potion = 10 }}
#seed = 0                       # another seed gives other sprites
#oversample = 4                 # candidates drawn for each sprite kept
#filter = "is"                  # how the set is chosen: "is", "top-p", "none", or ratings from assetgen poll

# How it is drawn
#scale = 2                      # enlarge every pixel
#palette = 16                   # reduce to so many colours, or to those of a .gpl or .hex file
#alpha = "hard"                 # or "soft"

# How sheets are laid out
#combined = true                # all types on shared sheets
#trim = true                    # leave transparent borders out
#padding = 2                    # pixels between sprites
#extrude = 1                    # repeat borders outwards, for engines that filter
#power-of-two = true
#max-side = 2048                # largest side of a sheet in pixels
#variants = [2]                 # also write sheets twice as large, as <type>@2x.png
"""
