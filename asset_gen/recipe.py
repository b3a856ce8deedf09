"""What does ``assetgen.toml`` say? The same as the flags of ``assetgen batch``, once for everybody in a project.

A recipe may name several ``[[sets]]``. Each is a batch of its own with its own folder and manifest; what a set doesn't
say is what the recipe says above them.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from asset_gen.errors import ProjectError, UsageError
from asset_gen.manifest import Layout, Manifest, read_manifest
from asset_gen.names import nearest
from asset_gen.publish import Place, locate
from asset_gen.targets import default_out, detect_targets, load_targets

NAME = "assetgen.toml"

Count = Annotated[int, msgspec.Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """What may be said of a batch; every key may be left out, and a flag or environment variable wins over it."""

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
    """A filter's name, or a file of ratings, relative to the project."""
    min_is: Annotated[float, msgspec.Meta(ge=1)] | None = None
    """Least Inception Score over types of what is published."""
    min_score: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    """Least p(type | sprite) of what is published."""
    scale: Annotated[int, msgspec.Meta(ge=1, le=16)] | None = None
    size: Annotated[int, msgspec.Meta(ge=1, le=16384)] | None = None
    """Side of a finished sprite in pixels, in place of ``scale``: a whole multiple of the model's."""
    palette: Annotated[int, msgspec.Meta(ge=2, le=256)] | str | None = None
    """A number of colours, or a palette file relative to the project."""
    alpha: Literal["hard", "soft"] | None = None
    combined: bool | None = None
    trim: bool | None = None
    padding: Annotated[int, msgspec.Meta(ge=0, le=64)] | None = None
    extrude: Annotated[int, msgspec.Meta(ge=0, le=16)] | None = None
    power_of_two: bool | None = None
    max_side: Annotated[int, msgspec.Meta(ge=64, le=16384)] | None = None
    optimize: bool | None = None
    """Whether sheets are made as small as oxipng can."""
    variants: list[Annotated[int, msgspec.Meta(ge=2, le=8)]] | None = None
    approval: Literal["required", "off"] | None = None
    """Whether ``assetgen audit`` wants every published sprite to have been kept by somebody."""


class SetRecipe(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """One of the ``[[sets]]``."""

    name: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_-]{1,64}$")]
    """Small letters, digits, ``_`` and ``-``; also its folder's, where ``out`` isn't said."""


class Recipe(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """``assetgen.toml``."""

    sets: list[SetRecipe] | None = None
    """Batches of their own, each with its own folder; what they don't say is said above them."""


@dataclass(frozen=True, slots=True)
class ProjectSet:
    """A part of what a project asks for, with a folder and a manifest of its own."""

    name: str
    """Empty where the recipe has no sets."""
    place: Place
    settings: Settings
    """What is said of it, the recipe's defaults included."""


def read_recipe(project: Path) -> Recipe:
    """The project's recipe; an empty one where it has none.

    Raises:
        UsageError: not TOML, a key that isn't known, a value that can't be, or two sets of one name; the message names
            file and line.
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
    _check_keys(path, text, document, Recipe)
    parts = document.get("sets")
    for number, part in enumerate(parts if isinstance(parts, list) else []):
        if isinstance(part, dict):
            _check_keys(path, text, part, SetRecipe, number)
    try:
        recipe = msgspec.convert(document, Recipe)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `$.")
        inside = re.match(r"sets\[([0-9]+)\]\.?", where)
        key = re.split(r"[.\[`]", where[inside.end() :] if inside else where)[0] or "sets"
        raise UsageError(
            f"{path}, line {_line(text, key, int(inside[1]) if inside else None)}: {key}: {reason}."
        ) from None
    names: set[str] = set()
    for number, one in enumerate(recipe.sets or ()):
        if one.name in names:
            line = _line(text, "name", number)
            raise UsageError(f"{path}, line {line}: another set is called {one.name!r} already. Rename one of them.")
        names.add(one.name)
    return recipe


def _check_keys(
    path: Path, text: str, table: Mapping[str, Any], kind: type[Settings], number: int | None = None
) -> None:
    """Refuse keys that aren't known, and ones that say the same twice; ``number``: in which of the sets."""
    known = [field.encode_name for field in msgspec.structs.fields(kind)]
    for key in table:
        if key not in known:
            raise UsageError(
                f"{path}, line {_line(text, key, number)}: there is no key {key!r}.{nearest(key, known)} "
                f"There are {', '.join(known)}."
            )
    if {"scale", "size"} <= set(table):
        line = max(_line(text, key, number) for key in ("scale", "size"))
        raise UsageError(f"{path}, line {line}: scale and size say the same in two ways. Leave one of them out.")


def _line(text: str, key: str, number: int | None = None) -> int:
    """The line on which a key stands, from 1: its table's or its own; ``number``: in which of the sets."""
    lines = text.splitlines()
    start, stop, table = 0, len(lines), ""
    if number is not None:
        heads = [place for place, line in enumerate(lines) if re.match(r"""\s*\[\[\s*["']?sets["']?\s*\]\]""", line)]
        if number >= len(heads):  # written in one line, as in sets = [{ name = "icons" }]
            return _line(text, "sets")
        start, stop, table = heads[number], (*heads, stop)[number + 1], r"(?:sets\s*\.\s*)?"
    pattern = re.compile(rf"""\s*\[?\s*{table}["']?{re.escape(key)}["']?\s*[\].=]""")
    found = (place for place in range(start, stop) if pattern.match(lines[place]))
    return next(found, start) + 1


def project_sets(project: Path) -> list[ProjectSet]:
    """The parts of a project by its recipe, in its order: every set, or all that there is where it has none.

    Raises:
        UsageError: as of ``read_recipe`` and ``locate``, or two sets claim one folder.
    """
    recipe = read_recipe(project)
    sets: Sequence[SetRecipe | None] = recipe.sets or (None,)
    parts = []
    for one in sets:
        settings = recipe if one is None else merged(recipe, one)
        out = settings.out or default_out(project, load_targets(settings.targets or (), project))
        if one is not None and one.out is None:
            out = f"{out}/{one.name}"
        parts.append(ProjectSet("" if one is None else one.name, locate(project, out), settings))
    check_apart({part.name: part.place for part in parts})
    return parts


def check_apart(places: Mapping[str, Place]) -> None:
    """Refuse sets whose folders are the same, or lie in each other.

    Raises:
        UsageError: two sets claim one folder.
    """
    for (one, first), (other, second) in combinations(places.items(), 2):
        upper, lower = sorted(
            (Path(str(place.out).casefold()) for place in (first, second)), key=lambda p: len(p.parts)
        )
        if lower.is_relative_to(upper):
            raise UsageError(
                f"{first.project / NAME}: the sets {one!r} and {other!r} would share the folder {first.out} "
                f"({second.out}). Give one of them an out of its own."
            )


def merged(recipe: Recipe, part: SetRecipe) -> Settings:
    """What is said of a set: its own keys, and the recipe's where it has none."""
    default, own = settings_of(recipe), settings_of(part)
    if "scale" in own or "size" in own:
        default = {name: value for name, value in default.items() if name not in ("scale", "size")}
    if isinstance(own.get("types"), dict):
        default.pop("count", None)
    elif "count" in own and isinstance(default.get("types"), dict):
        default["types"] = list(default["types"])
    return Settings(**default | own)


def write_recipe(project: Path) -> tuple[Path, list[str], Manifest | None]:
    """Write a commented recipe with what was found: engines, and the settings of what is published.

    Returns: its path, the engines' names, and the manifest that it goes by, if any. That names its model by a hash, so
    the recipe can't say where the bundle is.

    Raises:
        UsageError: no such folder, or it has a recipe, which stays as it is.
        ProjectError: the manifest is damaged.
    """
    if not project.is_dir():
        raise UsageError(f"--project {project}: there is no such folder. Create it, or give the game's own folder.")
    path = project / NAME
    found = detect_targets(project)
    names = [target.name for target in found]
    out = default_out(project, found)
    published = read_manifest(project / out)
    told = f"found: {'; '.join(target.summary for target in found)}" if found else "no engine's files were found"
    if published is not None and published.targets != (names or ["generic"]):
        names, told = published.targets, "as published"
    text = TEMPLATE.format(targets=", ".join(f'"{name}"' for name in names or ["generic"]), found=told, out=out)
    for key, value in _settings_published(published, project).items():
        line = f"{key} = {json.dumps(value, ensure_ascii=False) if not isinstance(value, dict) else _table(value)}"
        text = re.sub(rf"^#{key} = .*?(?=  +#|$)", line.replace("\\", r"\\"), text, count=1, flags=re.MULTILINE)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path}: is there already, and stays as it is. Edit it, or remove it first.") from None
    return path, names, published


def _settings_published(old: Manifest | None, project: Path) -> dict[str, Any]:
    """Key → value of a recipe that changes nothing of what is published; defaults are left out, and so is the filter,
    which stays as the project has it."""
    from asset_gen.plan import FLOOR  # loads what networks need

    if old is None:
        return {}
    asked, layout = old.finish.palette_asked, old.layout
    if asked.isdecimal():
        colours: int | str = int(asked)
    else:
        colours = Path(os.path.relpath(Path(asked).resolve(), project.resolve())).as_posix() if asked else ""
    floor = old.choice.filter.partition(FLOOR)[2]
    said = {
        "types": dict(old.quotas),
        "seed": old.choice.seed,
        "oversample": old.choice.oversample,
        "min-is": float(floor) if floor else None,
        "min-score": old.choice.min_score or None,
        "scale": old.finish.scale,
        "palette": colours or None,
        "alpha": old.finish.alpha,
        "combined": layout.sheets == "all" or None,
        "optimize": old.finish.optimize or None,
    }
    usual = Layout()
    for name in ("trim", "padding", "extrude", "power_of_two", "max_side", "variants"):
        value = getattr(layout, name)
        said[name.replace("_", "-")] = None if value == getattr(usual, name) else value
    plain = {"seed": 0, "oversample": 4, "scale": 1, "alpha": "hard"}
    return {key: value for key, value in said.items() if value is not None and value != plain.get(key)}


def _table(numbers: Mapping[str, int]) -> str:
    """A TOML table on one line; types are slugs, which need no quotes."""
    return f"{{ {', '.join(f'{name} = {number}' for name, number in numbers.items())} }}"


def settings_of(said: Settings) -> dict[str, Any]:
    """The keys that are set, by their names in ``Settings``."""
    values = {name: getattr(said, name) for name in Settings.__struct_fields__}
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
#filter = "set"                 # how the set is chosen: "set", "critic", "is", "top-p", "none", or ratings from a poll
#min-is = 6.0                   # the least Inception Score that the set shall have
#min-score = 0.5                # leave out what the type classifier takes for another type

# How it is drawn
#scale = 2                      # enlarge every pixel; or say what size a sprite shall have: size = 64
#palette = 16                   # reduce to so many colours, or to those of a .gpl, .hex, .pal or .png file
#alpha = "hard"                 # or "soft"

# How sheets are laid out
#combined = true                # all types on shared sheets
#trim = true                    # leave transparent borders out
#padding = 2                    # pixels between sprites
#extrude = 1                    # repeat borders outwards, for engines that filter
#power-of-two = true
#max-side = 2048                # largest side of a sheet in pixels
#optimize = true                # smaller files, which take longer to write: pip install 'assetgen[optimize]'
#variants = [2]                 # also write sheets twice as large, as <type>@2x.png

# What may be shipped
#approval = "required"          # assetgen audit wants every sprite to have been kept by somebody

# Several sets, each with a folder and a manifest of its own; what a set doesn't say is said above.
#[[sets]]
#name = "creatures"             # its folder: <out>/creatures, or what it says as out
#types = {{ dragon = 40, imp = 20 }}
#[[sets]]
#name = "portraits"
#types = {{ dragon = 3 }}
#size = 96                      # side of a finished sprite in pixels, a multiple of the model's
#palette = 8
"""
