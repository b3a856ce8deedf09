"""``assetgen batch``"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from json import dumps
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from asset_gen.batch import Outcome, preview, run_batches
from asset_gen.candidates import FOLDER
from asset_gen.cli.progress import bar
from asset_gen.engines import ENGINES
from asset_gen.errors import UsageError
from asset_gen.fitness import listed
from asset_gen.plan import Plan, Request
from asset_gen.publish import Place
from asset_gen.request import parse_slots, requests_of
from asset_gen.select import FILTERS

RENAMED = {"target": "targets", "variant": "variants"}
"""Flags, which are repeated, whose key in a recipe has another name."""


@click.command("batch", context_settings={"auto_envvar_prefix": "ASSETGEN"})
@click.option("--count", type=click.IntRange(min=1), help="Sprites in all, spread over the types.  [default: 500]")
@click.option("--types", metavar="LIST", help="Only these types: a,b or with numbers a=40,b=10.")
@click.option("--project", type=click.Path(path_type=Path), default=".", show_default=True, help="The game's folder.")
@click.option(
    "--out", metavar="REL", help="Folder for generated assets inside it.  [default: where its engine keeps them]"
)
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="BUNDLE", help="A model bundle.  [default: the built-in one]"
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Another seed gives other sprites."
)
@click.option(
    "--oversample",
    type=click.IntRange(1, 256),
    default=4,
    show_default=True,
    help="Candidates drawn for each sprite kept; 1 keeps all.",
)
@click.option(
    "--scorer", type=click.Choice(["types"]), default="types", show_default=True, help="Network that judges candidates."
)
@click.option(
    "--filter",
    metavar=f"[{'|'.join(FILTERS)}|FILE]",
    help="How the set is chosen: most like the training set, greatest Inception Score, most probable types, as drawn, "
    "or by the ratings of a poll.  [default: set, or what the project has]",
)
@click.option("--min-is", type=click.FloatRange(min=1), metavar="IS", help="Least Inception Score of the set.")
@click.option("--target", multiple=True, metavar="NAME", help="Engine files to write; repeatable.  [default: generic]")
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    default=0,
    show_default=True,
    metavar="P",
    help="Leave out what the type classifier gives less.",
)
@click.option("--scale", type=click.IntRange(1, 16), default=1, show_default=True, help="Enlarge every pixel by this.")
@click.option(
    "--size", type=click.IntRange(1, 16384), metavar="N", help="Side of a sprite in pixels, in place of --scale."
)
@click.option(
    "--palette", metavar="N|FILE", help="Reduce to N colours, or to those of a file (.gpl, .hex, .pal, .png)."
)
@click.option(
    "--alpha",
    type=click.Choice(["hard", "soft"]),
    default="hard",
    show_default=True,
    help="Pixel-art edges or soft ones.",
)
@click.option(
    "--optimize", is_flag=True, help="Make sheets as small as oxipng can, which takes longer: assetgen[optimize]."
)
@click.option("--combined", is_flag=True, help="Put all types on shared sheets, packed as they fit.")
@click.option("--trim", is_flag=True, help="Leave transparent borders out, and pack what is left.")
@click.option("--padding", type=click.IntRange(0, 64), default=2, show_default=True, help="Pixels between sprites.")
@click.option(
    "--extrude",
    type=click.IntRange(0, 16),
    default=0,
    show_default=True,
    help="Repeat borders outwards by so many pixels, for engines that filter.",
)
@click.option("--power-of-two", is_flag=True, help="Sheets with sides of 2, 4, 8 … pixels.")
@click.option(
    "--max-side",
    type=click.IntRange(64, 16384),
    default=4096,
    show_default=True,
    help="Largest side of a sheet in pixels; what doesn't fit goes on to the next.",
)
@click.option(
    "--variant",
    type=click.IntRange(2, 8),
    multiple=True,
    metavar="N",
    help="Also write every sheet N times larger, as <type>@Nx.png; repeatable.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where networks run.",
)
@click.option(
    "--engine",
    type=click.Choice(list(ENGINES)),
    default="local",
    show_default=True,
    help="Where candidates are drawn: in this process, or by Ray in one process a core of this machine, which listen "
    "on 127.0.0.1 alone.",
)
@click.option(
    "--ray-address",
    metavar="HOST:PORT",
    help="With --engine ray: draw on the machines of this cluster, to which it opens connections. This machine "
    "must be one of them.",
)
@click.option(
    "--ray-workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --engine ray: processes that draw.  [default: one a core, or one a graphics card]",
)
@click.option("--set", "part", envvar="ASSETGEN_SET", metavar="NAME", help="Only this one of the recipe's sets.")
@click.option("--only", multiple=True, metavar="TYPE:SLOT", help="Make only this slot again; repeatable.")
@click.option(
    "--reject", multiple=True, metavar="TYPE:SLOT", help="Reject what is in this slot, and replace it; repeatable."
)
@click.option("--yes", is_flag=True, help="Agree to replacing published sprites.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
@click.pass_context
def command(
    context: click.Context, /, project: Path, part: str | None, dry_run: bool, json: bool, quiet: bool, **options: Any
) -> int:
    """Generate sprites into a game project.

    Draws candidates with the model, keeps the best set of the wanted size, and writes one sprite sheet a type with its
    data into the project, beside the candidate set it was chosen from (candidates~/…/index.html).

    Running it again with the same arguments changes nothing. A larger count adds sprites, a smaller one frees the
    last; sprites that stay keep their names, places and pictures. A rejected sprite (--reject, assetgen catalogue
    reject) is replaced in its slot by the next best one, and never comes back. Files you edited are left alone.

    What assetgen.toml in the project says takes the place of the defaults below; assetgen init writes one. Where it
    names several [[sets]], each is made in its own folder, one after another.

    \b
    Examples:
      assetgen batch --count 500 --project mygame
      assetgen batch --types dragon=40,potion=10 --scale 2
      assetgen batch --reject dragon:17
      assetgen batch --model models/mine --palette 16 --dry-run
    """
    further = {name: options.pop(name) for name in ("device", "engine", "yes")}
    further["engine_options"] = _engine_options(context, further["engine"], further["device"], options)
    further |= {name: parse_slots(options.pop(name), f"--{name}") for name in ("only", "reject")}
    given = {
        RENAMED.get(name, name): value
        for name, value in options.items()
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    requests = requests_of(project, given, part, **further)
    if dry_run:
        plans = [preview(request) for request in requests]
        _say([(request, place, plan, None) for request, (place, plan) in zip(requests, plans, strict=True)], json)
        return 0
    with bar(show=not (quiet or json)) as progress:
        outcomes = run_batches(requests, _ask, progress)
    if json or not quiet:
        _say([(r, done.place, done.plan, done) for r, done in zip(requests, outcomes, strict=True)], json)
    for outcome in outcomes:
        if outcome.plan.notice and not quiet:
            click.echo(f"assetgen: {outcome.plan.notice}", err=True)
        for path, reason in outcome.files.kept.items():
            click.echo(f"assetgen: {outcome.place.out / path} {reason} is left as it is.", err=True)
    return 0


def _engine_options(context: click.Context, engine: str, device: str, options: dict[str, Any]) -> dict[str, Any]:
    """What the engine's class takes; taken out of ``options``.

    Raises:
        UsageError: a flag that this engine doesn't know; in the environment it may stay.
    """
    of_ray = {name: options.pop(f"ray_{name}") for name in ("address", "workers")}
    if engine == "ray":
        return of_ray | {"device": device}
    for name in of_ray:
        if context.get_parameter_source(f"ray_{name}") is ParameterSource.COMMANDLINE:
            raise UsageError(f"--ray-{name}: is for --engine ray. Add that, or leave it out.")
    return {}


def _ask(question: str) -> bool:
    """A person's yes, where there is a person."""
    return sys.stdin.isatty() and sys.stderr.isatty() and click.confirm(f"{question} Go on?", err=True)


def _say(parts: Sequence[tuple[Request, Place, Plan, Outcome | None]], as_json: bool) -> None:
    """Tell what was done, or would be: of every set, or of all where the recipe has none."""
    if as_json:
        documents = [{"set": r.name} | _json_of(place, plan, outcome) for r, place, plan, outcome in parts]
        alone = not parts[0][0].name
        click.echo(dumps(documents[0] if alone else {"sets": documents}, indent=1, ensure_ascii=False))
        return
    for request, place, plan, outcome in parts:
        text = _summary(outcome) if outcome else _preview_text(place, plan)
        click.echo(f"{request.name}: {text}" if request.name else text)


def _preview_text(place: Place, plan: Plan) -> str:
    lines = [
        f"{sum(plan.quotas.values())} sprites of {len(plan.quotas)} types for {place.out}",
        f"  stay {sum(map(len, plan.kept.values()))}, add {plan.added}, replace {plan.replaced}, free {plan.freed}",
        f"  candidates: {'drawn as ' + plan.run if plan.draws else 'none needed'}",
    ]
    if plan.redrawn and not plan.question:
        lines.append(f"  all sheets are written anew: {', '.join(plan.redrawn)}")
    return "\n".join([*lines, f"  {plan.question} Pass --yes to agree."] if plan.question else lines)


def _summary(outcome: Outcome) -> str:
    plan, files, place = outcome.plan, outcome.files, outcome.place
    if not (files.written or files.removed or plan.draws):
        return f"Nothing to change: {sum(plan.quotas.values())} sprites of {len(plan.quotas)} types are in {place.out}."
    lines = [
        f"{sum(plan.quotas.values())} sprites of {len(plan.quotas)} types in {place.out}",
        f"  for: {outcome.targets}",
        f"  sheets: {outcome.sheets}; {len(files.written)} files written, {len(files.unchanged)} as they were, "
        f"{len(files.removed)} removed",
    ]
    if plan.draws:
        lines.append(f"  candidates: {place.out / FOLDER / plan.run / 'index.html'}")
    if outcome.dropped:
        lines.append(f"  left out of {outcome.drawn} drawn: {listed(outcome.dropped)}")
    if outcome.blank:
        lines.append(
            f"  nothing can be seen of {len(outcome.blank)} sprites ({outcome.blank[0]} …): train the model longer, or "
            f"reject them"
        )
    kept, random, best = outcome.scorer.kept, outcome.scorer.all, outcome.scorer.best
    if kept.mean is None or random.mean is None:
        lines.append("  Inception Score over types: not defined for one type, or for fewer sprites than splits")
    else:
        lines.append(
            f"  Inception Score over types ({outcome.scorer.splits} splits, n = {kept.n}): "
            f"kept {kept.mean:.2f} ± {kept.std:.2f}, random {random.mean:.2f} ± {random.std:.2f}"
            + (f", --filter is would reach {best.mean:.2f}" if best and best.mean is not None else "")
        )
    return "\n".join(lines)


def _json_of(place: Place, plan: Plan, outcome: Outcome | None) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = {
        "project": str(place.project),
        "out": place.out.relative_to(place.project).as_posix(),
        "run": plan.run,
        "quotas": plan.quotas,
        "stay": sum(map(len, plan.kept.values())),
        "added": plan.added,
        "replaced": plan.replaced,
        "freed": plan.freed,
        "needs_yes": plan.question,
    }
    if outcome is not None:
        document |= {
            "needs_yes": None,
            "provider": outcome.provider,
            "filter": plan.choice.filter,
            "scorer": msgspec.to_builtins(outcome.scorer),
            "dropped": outcome.dropped,
            "blank": outcome.blank,
            "written": outcome.files.written,
            "unchanged": outcome.files.unchanged,
            "removed": outcome.files.removed,
            "edited": list(outcome.files.kept),
        }
    return document
