"""Which models are loaded already? A watch keeps them warm between batches: to check one and load it takes a second."""

from __future__ import annotations

from pathlib import Path

from asset_gen.bundle import Bundle, load_bundle
from asset_gen.networks import Networks

Stamp = tuple[tuple[str, int, int, int], ...]
"""Name, size, time and inode of every file of a bundle."""


class Models:
    """Loads each model once, as long as none of its files changes."""

    def __init__(self) -> None:
        self._bundles: dict[Path, tuple[Stamp, Bundle]] = {}
        self._networks: dict[tuple[str, str], Networks] = {}

    def bundle(self, path: Path) -> Bundle:
        """See ``load_bundle``."""
        stamp = _stamp(path)
        kept = self._bundles.get(path)
        if kept is None or kept[0] != stamp:
            kept = stamp, load_bundle(path)
            self._bundles[path] = kept
        return kept[1]

    def networks(self, bundle: Bundle, device: str) -> Networks:
        """The bundle's networks on a device; those of models that nobody uses any more are let go."""
        key = bundle.sha256, device
        if key not in self._networks or self._networks[key].info != bundle.info:  # calibrated since, say
            used = {held.sha256 for _, held in self._bundles.values()}
            self._networks = {kept: value for kept, value in self._networks.items() if kept[0] in used}
            self._networks[key] = Networks(bundle, device)
        return self._networks[key]


def _stamp(path: Path) -> Stamp:
    try:
        files = [(file.name, file.stat()) for file in sorted(path.iterdir())]
    except OSError:
        return ()
    return tuple((name, status.st_size, status.st_mtime_ns, status.st_ino) for name, status in files)
