"""What the commands of ``assetgen explore`` share: the model, where sprites are looked for, and where pictures go."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from asset_gen.errors import UsageError

if TYPE_CHECKING:
    from asset_gen.explore import Origin, Project, Space

CONTEXT = {"auto_envvar_prefix": "ASSETGEN"}
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What every command is told."""

    model: Path | None
    project: Path
    part: str | None
    seed: int
    out: Path | None
    scale: int
    alpha: str
    pace: float
    add: bool
    device: str
    as_json: bool


def shared(default: str, pace: float = 8) -> Callable[[Decorated], Callable[..., int]]:
    """Options that every command has, handed on as one ``options``; ``default``: the file that is written."""

    def decorate(command: Decorated) -> Callable[..., int]:
        def gathered(**given: Any) -> int:
            names = Options.__dataclass_fields__
            own = {name: value for name, value in given.items() if name not in names}
            options = Options(**{name: given[name] for name in names})
            result: int = command(options=options, **own)
            return result

        gathered.__doc__, gathered.__name__ = command.__doc__, command.__name__
        gathered.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
        for option in reversed(_options(default, pace)):
            gathered = option(gathered)
        return gathered

    return decorate


def _options(default: str, pace: float) -> list[Callable[[Any], Any]]:
    return [
        click.option(
            "--out",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help=f"A sheet (.png) or an animation (.gif, .apng).  [default: {default}]",
        ),
        click.option("--scale", type=click.IntRange(1, 16), default=4, show_default=True, help="Enlarge every pixel."),
        click.option(
            "--alpha",
            type=click.Choice(["hard", "soft"]),
            default="hard",
            show_default=True,
            help="Pixel-art edges or soft ones.",
        ),
        click.option(
            "--pace", type=click.FloatRange(1, 50), default=pace, show_default=True, help="Pictures a second."
        ),
        click.option("--add", is_flag=True, help="Add them to the project's candidates, to be kept or rejected."),
        click.option(
            "--model",
            type=click.Path(path_type=Path),
            metavar="BUNDLE",
            help="A model bundle.  [default: the project's, or the built-in one]",
        ),
        click.option(
            "--seed",
            type=click.IntRange(0, 2**63 - 1),
            default=0,
            show_default=True,
            help="Another seed gives other sprites.",
        ),
        click.option(
            "--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder."
        ),
        click.option(
            "--set", "part", envvar="ASSETGEN_SET", metavar="NAME", help="Only this one of the recipe's sets."
        ),
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "cuda"]),
            default="auto",
            show_default=True,
            help="Where networks run.",
        ),
        click.option("--json", "as_json", envvar="ASSETGEN_JSON", is_flag=True, help="Print one JSON document."),
    ]


def opened(options: Options) -> tuple[Space, Project]:
    """The model's latent space, and the project."""
    from asset_gen.bundle import load_bundle
    from asset_gen.explore import Project, Space

    project = Project.of(options.project, options.part)
    return Space(load_bundle(options.model or project.model), options.device), project


def out_of(options: Options, default: str) -> Path:
    """Where the picture goes; refused before any work where somebody's file is there."""
    from asset_gen.explore import check_out

    path = options.out or Path(default)
    check_out(path)
    return path


def deliver(
    options: Options,
    space: Space,
    project: Project,
    origins: Sequence[Origin],
    columns: int,
    out: Path,
    **told: object,
) -> int:
    """Draw, write the picture, add to the candidates where that is asked for, and say so."""
    import msgspec

    from asset_gen.explore import draw, encoded
    from asset_gen.pixels import harden

    sprites = draw(space, origins)
    shown = harden(sprites) if options.alpha == "hard" else sprites
    out.write_bytes(encoded(shown, out.suffix.lower(), columns, options.scale, options.pace))
    names = [""] * len(origins)
    if options.add:
        from asset_gen.explore.keep import add_candidates

        added = add_candidates(space, project, origins, sprites)
        names = [f"{added.run}/{name}" for name in added.names]
    if options.as_json:
        document = {
            "out": str(out),
            **told,
            "sprites": [
                {"candidate": name, "origin": msgspec.to_builtins(origin)}
                for name, origin in zip(names, origins, strict=True)
            ],
        }
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
        return 0
    click.echo(f"{len(sprites)} sprites in {out}")
    if options.add:
        once = list(dict.fromkeys(names))
        click.echo("\n".join(f"  {name}" for name in once))
        click.echo(f"  Next: assetgen explore publish {once[0]} --into {origins[0].type}:SLOT", err=True)
    return 0


def types_of(space: Space, asked: str | None) -> list[str]:
    """The types of a list ``a,b``, or all.

    Raises:
        UsageError: one isn't known.
    """
    from asset_gen.explore import check_type

    kinds = [kind.strip() for kind in asked.split(",")] if asked else list(space.info.types)
    for kind in kinds:
        check_type(space, kind)
    if not space.info.conditional and asked:
        raise UsageError(f"--types: {space.info.name} can't be asked for a type. Leave it out.")
    return kinds
