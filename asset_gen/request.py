"""What does a person want of a batch? Flags win over the recipe's set, that over the recipe, and that over defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from asset_gen.bundle import BUILT_IN
from asset_gen.errors import UsageError
from asset_gen.manifest import Layout
from asset_gen.names import nearest
from asset_gen.plan import Request
from asset_gen.poll.ratings import Ratings, read_ratings
from asset_gen.recipe import NAME, Settings, merged, read_recipe, settings_of
from asset_gen.select import FILTERS
from asset_gen.targets import default_out, load_targets

LAYOUT = ("trim", "padding", "extrude", "power_of_two", "max_side")
SAME = ("count", "seed", "oversample", "scorer", "alpha", "optimize", "scale", "size", "out", "min_score", "min_is")
"""Settings that a request takes as they are."""


def requests_of(
    project: Path, given: Mapping[str, Any] | None = None, part: str | None = None, **further: Any
) -> list[Request]:
    """What a project asks for: a request for each of its recipe's sets, or one where it has none.

    Args:
        project: the game's folder.
        given: what wins over the recipe, by the names in ``Settings``; its files are named from the working folder.
        part: the only set that is wanted.
        further: other fields of ``Request``.

    Raises:
        UsageError, ProjectError: the recipe is wrong, has no such set, or contradicts what is given.
    """
    given = given or {}
    if "scale" in given and "size" in given:
        raise UsageError("--scale, --size: say the same in two ways. Leave one of them out.")
    recipe = read_recipe(project)
    sets = recipe.sets or []
    if part is not None:
        names = [one.name for one in sets]
        if part not in names:
            known = f"There are {', '.join(names)}." if names else "It has no sets."
            raise UsageError(f"--set {part}: {project / NAME} has no such set.{nearest(part, names)} {known}")
        sets = [one for one in sets if one.name == part]
    if not sets:
        return [_request(project, "", recipe, given, further)]
    if "out" in given and len(sets) > 1:
        raise UsageError(
            f"--out {given['out']}: {project / NAME} has {len(sets)} sets, and each has its own. Add --set NAME."
        )
    if (further.get("only") or further.get("reject")) and len(sets) > 1:
        raise UsageError(f"--only, --reject: {project / NAME} has {len(sets)} sets. Say in which with --set NAME.")
    requests = []
    for one in sets:
        settings = merged(recipe, one)
        request = _request(project, one.name, settings, given, further)
        if one.out is None and "out" not in given:
            above = request.out or default_out(project, load_targets(request.targets, project))
            request = replace(request, out=f"{above}/{one.name}")
        requests.append(request)
    return requests


def parse_types(text: str) -> dict[str, int | None]:
    """``a,b`` or ``a=40,b=10`` as a table.

    Raises:
        UsageError: a part is empty, stands twice, or has no whole number after ``=``.
    """
    quotas: dict[str, int | None] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if not name or name in quotas:
            raise UsageError(f"--types {text!r}: {name!r} is empty or stands twice. Write a,b or a=40,b=10.")
        if equals and not re.fullmatch("[0-9]{1,12}", number):
            raise UsageError(f"--types {text!r}: {number!r} is not a number of sprites. Write {name}=40.")
        quotas[name] = int(number) if equals else None
    return quotas


def parse_slots(texts: Sequence[str], flag: str) -> tuple[tuple[str, int], ...]:
    """``dragon:17`` as ("dragon", 17), each once.

    Raises:
        UsageError: no type, or no number.
    """
    slots: dict[tuple[str, int], None] = {}
    for text in texts:
        found = re.fullmatch(r"([a-z0-9_]{1,64})(?::|_(?=[0-9]{6,}$))([0-9]{1,9})", text.strip())
        if not found:
            raise UsageError(f"{flag} {text}: is no slot. Write type and number: dragon:17.")
        slots[found[1], int(found[2])] = None
    return tuple(slots)


def _request(
    project: Path, name: str, settings: Settings, given: Mapping[str, Any], further: Mapping[str, Any]
) -> Request:
    said = settings_of(settings)
    if isinstance(given.get("types"), str):
        given = {**given, "types": parse_types(given["types"])}
    if isinstance(said.get("types"), dict) and "count" in given:
        said["types"] = list(said["types"])
    if "types" in given:
        said.pop("count", None)
    if "scale" in given or "size" in given:
        said = {key: value for key, value in said.items() if key not in ("scale", "size")}
    for key in ("model", "palette", "filter"):
        if isinstance(said.get(key), str) and said[key] not in FILTERS:
            said[key] = str(project / said[key])  # a recipe names files from where it stands
    values = said | dict(given)
    types = values.get("types")
    quotas = dict.fromkeys(types) if isinstance(types, list) else types
    strategy = values.get("filter")
    layout = Layout(
        sheets="all" if values.get("combined") else "type",
        variants=sorted(set(values.get("variants") or ())),
        **{key: values[key] for key in LAYOUT if key in values},
    )
    return Request(
        project=project,
        name=name,
        quotas=quotas,
        model=Path(values.get("model") or BUILT_IN),
        targets=tuple(values.get("targets") or ()),
        palette=str(values["palette"]) if values.get("palette") else None,
        filter=strategy if strategy in FILTERS else None,
        ratings=None if strategy is None or strategy in FILTERS else _ratings(strategy),
        layout=layout,
        **{key: values[key] for key in SAME if key in values},
        **further,
    )


def _ratings(name: str) -> Ratings:
    """The ratings in a file, where a filter names one."""
    path = Path(name)
    if not path.is_file():
        raise UsageError(
            f"--filter {name!r}: is none of {', '.join(FILTERS)}, and no file of ratings (assetgen poll --import)."
        )
    return read_ratings(path)
