"""Which pages has the studio, and what are they made of?"""

from __future__ import annotations

from pathlib import Path

from asset_gen.webpage import LOOK, WORDS

LAB = "/lab"
TRAINING = "/training"
PAGES = {"/": "wall.html", LAB: "lab.html", TRAINING: "training.html"}
"""Address → template."""
KINDS = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
FOLDER = Path(__file__).parent / "static"
STATIC = {path.name: path for path in [*sorted(FOLDER.iterdir()), LOOK, WORDS] if path.suffix in KINDS}
"""What a page may ask for by name; no path is made of a request."""
VENDOR = {
    "/lab/ort.mjs": (FOLDER.parent / "vendor" / "ort.mjs", "text/javascript; charset=utf-8", ""),
    "/lab/ort.wasm": (FOLDER.parent / "vendor" / "ort.wasm.gz", "application/wasm", "gzip"),
}
"""Address → file, media type and encoding of ONNX Runtime Web."""


def render(template: str, **told: object) -> str:
    """A page."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("asset_gen.review"), autoescape=True)
    return environment.get_template(template).render(**told)
