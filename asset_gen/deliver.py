"""Chosen sprites → sheets, engine files and manifest, published together."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from hashlib import sha256
from itertools import groupby
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np
from numpy.typing import NDArray

from asset_gen import __version__, layout, pixels, sheet
from asset_gen.bundle import Bundle, training_sets
from asset_gen.candidates import FOLDER, read_rows
from asset_gen.draw import Progress
from asset_gen.errors import ProjectError, SpriteError, TooLargeError, UsageError
from asset_gen.files import file_sha256
from asset_gen.finish import resolve_finish
from asset_gen.images import read_whole
from asset_gen.manifest import (
    FORMAT,
    NAME,
    FileEntry,
    Finish,
    Layout,
    Manifest,
    Model,
    Origin,
    Provenance,
    ScorerRecord,
    SheetRecord,
    SpriteRecord,
    encode,
)
from asset_gen.networks import Networks
from asset_gen.pictures import Pictures
from asset_gen.plan import Plan, Request
from asset_gen.png import SOURCE_TYPE, encode_sheet
from asset_gen.publish import Change, Place, Published
from asset_gen.sheet import Delivery, Sheet, Target
from asset_gen.spares import origin_of

TOOL = f"assetgen {__version__}"
PALETTE_SAMPLE = 2000
"""Sprites from which a palette is learnt."""

Slots = dict[str, list[tuple[int, Origin, float]]]
"""Type → (slot, origin, score), in slot order."""


def deliver(
    request: Request,
    bundle: Bundle,
    networks: Networks,
    plan: Plan,
    place: Place,
    targets: Sequence[Target],
    arrangement: Layout,
    progress: Progress,
) -> tuple[Published, ScorerRecord, list[str]]:
    """Publish what the plan says: sheets, then engine files, the manifest last; also names the sprites of which nothing
    can be seen."""
    slots, scorer = _fill_slots(plan, place)
    pictures = Pictures(networks, plan, place, arrangement)

    def sample() -> NDArray[np.uint8]:
        share = max(1, PALETTE_SAMPLE // len(slots))
        return np.concatenate([pictures.native(kind, [row[1] for row in rows[:share]]) for kind, rows in slots.items()])

    finish = plan.old.finish if plan.old and plan.only else resolve_finish(request, plan.old, sample)
    ours = {entry.path: entry.sha256 for entry in plan.old.files} if plan.old else {}
    change = Change(place, ours)
    sheets = _lay_out(slots, bundle, pictures, plan, finish, arrangement)
    records: list[SheetRecord] = []
    blank: list[str] = []
    variants: list[Sheet] = []
    for number, laid in enumerate(sheets):
        progress("writing sheets", number, len(sheets))
        sprites = _sprites_on(laid, slots, pictures, finish)
        blank += [region.name for region, sprite in zip(laid.regions, sprites, strict=True) if not sprite[..., 3].any()]
        picture = sheet.paint(laid, sprites, arrangement.extrude)
        change.damaged |= _broken(laid.image, place, ours)
        patch = partial(_patched, laid, picture, place, plan, arrangement.extrude)
        same = _same(laid.image, picture, plan, finish)
        change.put(laid.image, _encoded(picture, laid.image, place, ours, finish, same), patched=patch)
        records.append(_record(laid, picture, slots))
        for factor in arrangement.variants:
            variant = layout.enlarged(laid, factor)
            large = pixels.enlarge(picture[None], factor)[0]
            change.damaged |= _broken(variant.image, place, ours)
            patch = partial(_patched, variant, large, place, plan, arrangement.extrude * factor)
            change.put(variant.image, _encoded(large, variant.image, place, ours, finish, same), patched=patch)
            variants.append(variant)
    base = place.out.relative_to(place.project).as_posix()
    for path, (data, target) in target_files(sheets, targets, place.project, base, variants).items():
        together, unclear = merge_held(target, path, place, data)
        change.put(path, data if together is None else together, merged=together is not None, unclear=unclear)
    model = Model(name=bundle.info.name, sha256=bundle.sha256, licence=bundle.info.licence)
    change.put("provenance.json", encode(_provenance(bundle, model, plan, finish)))
    for path in sorted(set(ours) - set(change.hashes)):
        change.remove(path)
    manifest = Manifest(
        format=FORMAT,
        tool=TOOL,
        models=[model],
        seed=plan.choice.seed,
        run=plan.run,
        choice=plan.choice,
        finish=finish,
        layout=arrangement,
        quotas=plan.quotas,
        labels={kind: bundle.info.labels[kind] for kind in plan.quotas},
        targets=[target.name for target in targets],
        scorer=scorer,
        sheets=records,
        files=[FileEntry(path=path, sha256=digest) for path, digest in change.hashes.items()],
    )
    change.put_own(NAME, encode(manifest))
    progress("writing sheets", len(sheets), len(sheets))
    return change.commit(), scorer, blank


def _fill_slots(plan: Plan, place: Place) -> tuple[Slots, ScorerRecord]:
    """Published sprites stay in their slots; spares and what the candidate set has kept fill the others in order."""
    filled = {kind: {one.slot: (one.origin, one.score) for one in plan.kept[kind]} for kind in plan.quotas}
    news = {
        kind: [(origin_of(row, plan.choice), row.p_type) for row in rows] for kind, rows in plan.spares.rows.items()
    }
    scorer = plan.old.scorer if plan.old is not None else None  # of the set as it was chosen
    folder = place.out / FOLDER / plan.run
    drawn = plan.drawing().quotas if plan.draws else {}
    try:
        if drawn:
            taken = {(kind, origin.index) for kind, own in filled.items() for origin, _ in own.values()}
            for row in read_rows(folder):
                if row.kept and row.type in drawn and (row.type, row.index) not in taken:
                    news.setdefault(row.type, []).append((origin_of(row, plan.choice), row.p_type))
        if scorer is None or (drawn and not plan.short):
            run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            scorer = msgspec.convert(run["scorer"], ScorerRecord)
        for kind, quota in plan.quotas.items():
            free = [slot for slot in range(quota) if slot not in filled[kind]]
            filled[kind] |= dict(zip(free, news.get(kind, []), strict=False))
            if len(filled[kind]) < quota:
                raise ValueError(f"sprites of {kind} are missing")
    except (OSError, ValueError, LookupError, TypeError, csv.Error, msgspec.MsgspecError, RecursionError) as error:
        raise ProjectError(
            f"{folder}: this candidate set is damaged ({error!r}). Remove the folder, and it is drawn again."
        ) from None
    return {kind: [(slot, *own[slot]) for slot in sorted(own)] for kind, own in filled.items()}, scorer


def _lay_out(
    slots: Slots, bundle: Bundle, pictures: Pictures, plan: Plan, finish: Finish, arrangement: Layout
) -> list[Sheet]:
    """All sheets, those of the types in name order."""
    labels = bundle.info.labels
    cell = bundle.info.size * finish.scale
    scored = {kind: [(slot, score) for slot, _, score in rows] for kind, rows in slots.items()}
    stays = plan.old is not None and plan.old.layout == arrangement and plan.old.finish.scale == finish.scale
    sheets: list[Sheet] = []
    if arrangement.packed:
        items = {kind: _items(kind, rows, pictures, finish, arrangement.trim) for kind, rows in slots.items()}
        if arrangement.sheets == "all":
            items = {"": [item for own in items.values() for item in own]}
        for kind, own in items.items():
            held = plan.old_sheets(kind) if stays else []
            sheets += layout.pack(kind, labels.get(kind, ""), own, cell, arrangement, held)
    elif arrangement.sheets == "strip":
        for kind, own_slots in scored.items():
            sheets += layout.strips(kind, labels[kind], own_slots, cell, arrangement)
    else:
        for kind, own_slots in scored.items():
            columns = plan.columns(kind) or layout.columns_for(len(own_slots), cell, arrangement)
            sheets += layout.lay_out(kind, labels[kind], own_slots, cell, columns, arrangement)
    return sheets


def _items(
    kind: str, rows: Sequence[tuple[int, Origin, float]], pictures: Pictures, finish: Finish, trim: bool
) -> list[layout.Item]:
    """What is to be packed of a type; its pictures are looked at and let go again."""
    finished = pictures.finished(kind, [(slot, origin) for slot, origin, _ in rows], finish)
    items = []
    for (slot, _, score), sprite in zip(rows, finished, strict=True):
        box = pixels.opaque_box(sprite) if trim else (0, 0, sprite.shape[1], sprite.shape[0])
        piece = sheet.cut(sprite, *box)
        digest = sha256(repr(piece.shape).encode() + piece.tobytes()).digest()
        items.append(layout.Item(kind, slot, score, box, digest))
    return items


def _sprites_on(laid: Sheet, slots: Slots, pictures: Pictures, finish: Finish) -> list[NDArray[np.uint8]]:
    """What fills each region of a sheet, in their order."""
    sprites: list[NDArray[np.uint8]] = []
    for kind, regions in groupby(laid.regions, key=lambda region: region.type):
        own = list(regions)
        finished = pictures.finished(kind, [(region.slot, slots[kind][region.slot][1]) for region in own], finish)
        sprites += [
            sheet.cut(sprite, *region.offset, region.width, region.height)
            for region, sprite in zip(own, finished, strict=True)
        ]
    return sprites


def _same(image: str, picture: NDArray[np.uint8], plan: Plan, finish: Finish) -> bool:
    """Whether this sheet was published with the same pixels and the same finish."""
    if plan.old is None or plan.old.finish != finish:
        return False
    published = {record.image: record.pixels_sha256 for record in plan.old.sheets}
    return published.get(image) == sha256(picture.tobytes()).hexdigest()


def _encoded(
    picture: NDArray[np.uint8], image: str, place: Place, ours: Mapping[str, str], finish: Finish, same: bool
) -> bytes:
    """A sheet's file; one that took long to make, and would be the ``same``, isn't made again while it is ours."""
    if finish.optimize and same:
        with suppress(OSError):
            held = (place.out / image).read_bytes()
            if sha256(held).hexdigest() == ours.get(image):
                return held
    return encode_sheet(picture, indexed=bool(finish.palette), optimized=finish.optimize)


def _broken(image: str, place: Place, ours: Mapping[str, str]) -> set[str]:
    """This sheet, if its file is neither what assetgen wrote nor a picture any more: damaged, not edited."""
    if file_sha256(place.out / image) in (None, ours.get(image)):
        return set()
    try:
        read_whole(place.out / image)
    except TooLargeError:  # somebody's
        return set()
    except SpriteError:
        return {image}
    return set()


def _patched(laid: Sheet, picture: NDArray[np.uint8], place: Place, plan: Plan, extrude: int) -> bytes | None:
    """The sheet that somebody edited, with the slots that the plan names made again; None where it holds none of them.

    ``extrude``: how many pixels a sprite's border is repeated outwards on this sheet.
    """
    named = [region for region in laid.regions if (region.type, region.slot) in plan.only]
    try:
        held = read_whole(place.out / laid.image) if named else picture
    except SpriteError:
        return None
    if not named or held.shape != picture.shape:
        return None
    for region in named:
        rows = slice(region.y - extrude, region.y + region.height + extrude)
        columns = slice(region.x - extrude, region.x + region.width + extrude)
        held[rows, columns] = picture[rows, columns]
    return encode_sheet(held)


def merge_held(target: Target, path: str, place: Place, data: bytes) -> tuple[bytes | None, str | None]:
    """(what shall stand in a file that the engine edits too, or None; why it wasn't understood, or None)."""
    if target.merge is None or not path.endswith(target.merged):
        return None, None
    try:
        return target.merge(path, (place.out / path).read_bytes(), data), None
    except (FileNotFoundError, NotADirectoryError):
        return None, None
    except ValueError as error:
        return None, str(error)


def target_files(
    sheets: Sequence[Sheet], targets: Sequence[Target], project: Path, base: str, variants: Sequence[Sheet] = ()
) -> dict[str, tuple[bytes, Target]]:
    """What all targets write, and which of them. ``base``: the output folder, relative to ``project``.

    Raises:
        UsageError: two targets claim one path, or a path lies outside the output folder.
    """
    files: dict[str, tuple[bytes, Target]] = {}
    owner = {laid.image: "the sheets" for laid in (*sheets, *variants)} | dict.fromkeys(
        (NAME, "provenance.json"), "assetgen"
    )
    for target in targets:
        delivery = Delivery(tuple(sheets), base, target.identity(project), tuple(variants))
        for path, data in target.write(delivery).items():
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
                raise UsageError(f"--target {target.name}: writes {path!r}, which is outside. Use another target.")
            if path in owner:
                raise UsageError(f"--target {target.name}: writes {path}, and so does {owner[path]}. Use one of them.")
            owner[path] = target.name
            files[path] = data, target
    return files


def _record(laid: Sheet, picture: NDArray[np.uint8], slots: Slots) -> SheetRecord:
    sprites = [
        SpriteRecord(
            name=region.name,
            type=region.type,
            slot=region.slot,
            rect=(region.x, region.y, region.width, region.height),
            origin=slots[region.type][region.slot][1],
            score=region.score,
            offset=region.offset,
            source=region.source,
        )
        for region in laid.regions
    ]
    return SheetRecord(
        type=laid.type,
        image=laid.image,
        size=(laid.width, laid.height),
        cell=laid.cell,
        columns=laid.columns,
        pixels_sha256=sha256(picture.tobytes()).hexdigest(),
        sprites=sprites,
    )


def _provenance(bundle: Bundle, model: Model, plan: Plan, finish: Finish) -> Provenance:
    info = bundle.info
    outside = ", ".join(info.outside_networks) or "no network trained by others"
    return Provenance(
        format=FORMAT,
        tool=TOOL,
        models=[model],
        training_data=training_sets(info),
        outside_networks=info.outside_networks,
        seed=plan.choice.seed,
        choice=plan.choice,
        finish=finish,
        digital_source_type=SOURCE_TYPE,
        disclosure=(
            f"These sprites were generated by assetgen with the model {info.name} ({info.licence}), "
            f"which was trained on {info.data.sprites} sprites of {info.data.name} "
            f"({info.data.licence}) with the help of {outside}."
        ),
    )
