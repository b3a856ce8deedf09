"""What several commands are asked in the same way."""

from __future__ import annotations

from pathlib import Path

from asset_gen.errors import UsageError
from asset_gen.publish import Place, locate
from asset_gen.recipe import NAME, project_sets


def places(project: Path, out: str | None, part: str | None) -> list[Place]:
    """The output folders that a person means: the one named, the one of a set, or all of the recipe's.

    Raises:
        UsageError: there is no such set, or it is named beside a folder.
    """
    if out is not None:
        if part is not None:
            raise UsageError(f"--out {out}, --set {part}: name the same thing twice. Leave one of them out.")
        return [locate(project, out)]
    sets = project_sets(project)
    if part is not None:
        names = [one.name for one in sets if one.name]
        sets = [one for one in sets if one.name == part]
        if not sets:
            raise UsageError(f"--set {part}: {project / NAME} has {', '.join(names) or 'no sets'}.")
    return [one.place for one in sets]


def one_place(project: Path, out: str | None, part: str | None) -> Place:
    """The one output folder that a person means.

    Raises:
        UsageError: the recipe has several sets, and none is named.
    """
    found = places(project, out, part)
    if len(found) > 1:
        names = ", ".join(one.name for one in project_sets(project))
        raise UsageError(f"{project / NAME}: has the sets {names}. Say which with --set NAME.")
    return found[0]
