"""Which sprite does a person mean? A slot or candidate of the project, one that the model draws, or a picture file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from asset_gen.bundle import BUILT_IN
from asset_gen.catalogue import open_catalogue
from asset_gen.errors import UsageError
from asset_gen.explore.origins import check_type, drawn
from asset_gen.explore.picture import find_picture
from asset_gen.explore.space import Space
from asset_gen.images import SUFFIXES
from asset_gen.manifest import NAME as MANIFEST
from asset_gen.manifest import Origin
from asset_gen.recipe import ProjectSet, project_sets

CANDIDATE = re.compile(r"([a-z0-9_]{1,64})_c([0-9]{1,12})")


@dataclass(frozen=True, slots=True)
class Project:
    """What a game project has to do with exploring."""

    folder: Path
    parts: list[ProjectSet]
    part: str | None = None
    """The one set of the recipe that is meant, or None."""

    @classmethod
    def of(cls, folder: Path, part: str | None = None) -> Project:
        """
        Raises:
            UsageError: no such folder or set, or the recipe is wrong.
        """
        parts = project_sets(folder)
        if part is not None and part not in [one.name for one in parts]:
            names = ", ".join(one.name for one in parts if one.name)
            raise UsageError(f"--set {part}: {folder / 'assetgen.toml'} has {names or 'no sets'}.")
        return cls(folder, [one for one in parts if part in (None, one.name)], part)

    @property
    def model(self) -> Path:
        """The bundle that its sprites are drawn with."""
        model = self.parts[0].settings.model
        return self.folder / model if model else BUILT_IN

    @property
    def published(self) -> bool:
        """Whether sprites are published in it."""
        return any((part.place.out / MANIFEST).is_file() for part in self.parts)


def find_sprite(space: Space, name: str, project: Project | None = None, seed: int = 0) -> Origin:
    """The sprite that ``name`` stands for.

    Args:
        space: of the model.
        name: a picture file; a slot (``dragon:17``, ``dragon_000017``) or candidate of the project; or
            ``dragon_c000123``, which any model with that type draws.
        project: where slots and candidates are looked for, or None.
        seed: of a sprite that the model draws.

    Raises:
        UsageError: there is no such sprite, or it is of another model.
        SpriteError: a picture that can't be read, or that the model can't draw.
    """
    if Path(name).suffix.lower() in SUFFIXES:
        return find_picture(space, Path(name)).origin
    candidate = CANDIDATE.fullmatch(name)
    if project is not None and project.published:
        try:
            return open_catalogue(project.folder).find(name, project.part).origin
        except UsageError:
            if candidate is None:
                raise
    if candidate is None:
        where = "" if project is not None and project.published else ", and nothing is published in this project"
        raise UsageError(
            f"{name}: there is no such sprite{where}. Give a picture file, a slot (dragon_000017) or candidate of "
            f"--project, or {space.info.types[0]}_c000123, which the model draws with --seed."
        )
    check_type(space, candidate[1])
    return drawn(space, candidate[1], int(candidate[2]), seed)
