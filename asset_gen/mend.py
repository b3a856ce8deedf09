"""How are missing and broken files put back unchanged? Edited ones are never touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256

from asset_gen.batch import preview, run_batch
from asset_gen.deliver import merge_held
from asset_gen.errors import AssetgenError
from asset_gen.manifest import Manifest, read_manifest
from asset_gen.plan import Request
from asset_gen.publish import Change, Place, opened
from asset_gen.restore import history_of
from asset_gen.select import FILTERS
from asset_gen.verify import regenerated, restorable, verify


def mend(place: Place, request: Callable[[], Request | None]) -> tuple[list[str], str | None]:
    """Put back what ``verify`` finds missing or broken, byte by byte.

    Args:
        place: the output folder.
        request: gives what the recipe asks for there, where pictures must be drawn again; None: it asks for nothing.

    Returns:
        The paths that were restored, and why others weren't, or None.

    Raises:
        ProjectError: see ``verify``; the project can't be written.
    """
    before = restorable(verify(place))
    manifest = read_manifest(place.out)
    if not before or manifest is None:
        return [], None
    ours = {entry.path: entry.sha256 for entry in manifest.files}
    with opened(place):
        change = Change(place, ours)
        for path, data in _copies(place, manifest, before).items():
            change.damaged.add(path)
            change.put(path, data)
        change.commit()
    reason = None
    if restorable(verify(place)):
        reason = _draw_again(manifest, request())
    left = restorable(verify(place))
    return sorted(set(before) - set(left)), reason if left else None


def _copies(place: Place, manifest: Manifest, wanted: Mapping[str, str]) -> dict[str, bytes]:
    """What can be had without drawing: kept in the history, or made of the manifest's sheets."""
    listed = {entry.path: entry.sha256 for entry in manifest.files}
    history = history_of(place)
    engine_files, _ = regenerated(place, manifest)
    found: dict[str, bytes] = {}
    for path in wanted:
        data = history.content(listed[path])
        if data is None and path in engine_files:
            data, target = engine_files[path]
            data = merge_held(target, path, place, data)[0] or data
        if data is not None and sha256(data).hexdigest() == listed[path]:
            found[path] = data
    return found


def _draw_again(manifest: Manifest, request: Request | None) -> str | None:
    """Let a batch restore the pictures, where it would change nothing else; why it doesn't, or None."""
    cure = "Run assetgen batch, which says what it would change."
    if request is None:
        return f"assetgen.toml asks for nothing in this folder. {cure}"
    try:
        same = as_published(request, manifest)
        _, plan = preview(same)
        stays = sum(map(len, plan.kept.values())) == sum(len(sheet.sprites) for sheet in manifest.sheets)
        if plan.question or plan.freed or plan.added or not stays:
            return plan.question or f"More would change than what is missing. {cure}"
        run_batch(same)
    except AssetgenError as error:
        return str(error)
    return None


def as_published(request: Request, manifest: Manifest) -> Request:
    """A request for what the manifest lists, with the model, the device and the ratings of ``request``."""
    choice, finish = manifest.choice, manifest.finish
    by_name = choice.filter in FILTERS
    return replace(
        request,
        count=None,
        quotas=dict(manifest.quotas),
        seed=choice.seed,
        oversample=choice.oversample,
        scorer=choice.scorer,
        filter=choice.filter if by_name else request.filter,
        ratings=None if by_name else request.ratings,
        min_score=choice.min_score,
        targets=tuple(manifest.targets),
        scale=finish.scale,
        size=None,
        alpha=finish.alpha,
        optimize=finish.optimize,
        palette=finish.palette_asked or None,
        layout=request.layout if manifest.layout.variants else manifest.layout,
        yes=False,
    )
