"""What is installed, what really runs, and what is wrong with it?"""

from __future__ import annotations

import importlib.util
import platform
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

from asset_gen import __version__
from asset_gen.bundle import BUILT_IN, load_bundle
from asset_gen.errors import AssetgenError
from asset_gen.runtime import open_session

PACKAGES = ("numpy", "pillow", "onnx", "torch", "watchdog", "msgspec")
RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")
OURS = ("asset_gen", "trainer", "exporter", "integrations")


def examine() -> dict[str, Any]:
    """``versions``, ``devices`` (asked for → what ran), ``runs_on`` (providers that ran), ``trouble`` (sentences)."""
    trouble: list[str] = []
    devices: dict[str, str] = {}
    runs_on: list[str] = []
    try:
        model = load_bundle(BUILT_IN).generator
        for device in ("cpu", "cuda"):
            try:
                provider = open_session(model, device).provider
                devices[device] = provider
                runs_on.append(provider)
            except AssetgenError as error:
                devices[device] = f"not available: {error}"
    except AssetgenError as error:
        trouble.append(str(error))
    if not runs_on:
        trouble.append(f"Nothing can be generated: {devices.get('cpu', 'the built-in model is damaged')}")
    return {
        "versions": _versions(),
        "devices": devices,
        "runs_on": runs_on,
        "trouble": [*trouble, *double_runtime(), *shadowed()],
    }


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"assetgen": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        found[name] = _version(name)
    for name in RUNTIMES:
        if name == "onnxruntime" or _version(name):
            found[name] = _version(name)
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def double_runtime() -> list[str]:
    """Two builds of ONNX Runtime write the same folder: the later one breaks the earlier, and pip doesn't notice."""
    present = [name for name in RUNTIMES if _version(name)]
    if len(present) < 2:
        return []
    keep = next(name for name in present if name != "onnxruntime")
    return [
        f"{' and '.join(present)} are installed over each other, and only one of them works. Keep {keep}: "
        f"pip uninstall -y {' '.join(present)} && pip install --force-reinstall {keep}"
    ]


def shadowed() -> list[str]:
    """Our packages that Python finds elsewhere than beside this one, or that another distribution also installs."""
    trouble = []
    home = Path(__file__).parent.parent.resolve()
    for name in OURS:
        spec = importlib.util.find_spec(name)
        places = [Path(p).resolve().parent for p in (spec.submodule_search_locations or [])] if spec else []
        if places and home not in places:
            trouble.append(
                f"The package {name!r} is taken from {places[0]}, not from assetgen. "
                f"Start in another folder, or remove it."
            )
    for distribution in distributions():
        tops = (distribution.read_text("top_level.txt") or "").split()
        owner = distribution.metadata["Name"]
        if owner != "assetgen" and (clash := sorted(set(tops) & set(OURS))):
            trouble.append(
                f"{owner} also installs {', '.join(clash)}, which are assetgen's. "
                f"Install assetgen in an environment of its own: pipx install 'assetgen[cpu]'."
            )
    return trouble
