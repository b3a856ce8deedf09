"""How is a sheet written as a file? With a mark that a trained model made it, and no larger than it needs to be."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from asset_gen.errors import UsageError

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    f'Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/></rdf:RDF></x:xmpmeta>'
)
INDEXED_COLOURS = 256
OPTIMIZE_LEVEL = 2
"""Of oxipng, 0–6; level 4 takes five times as long for half a per cent less."""


def encode_sheet(picture: NDArray[np.uint8], indexed: bool = False, optimized: bool = False) -> bytes:
    """RGBA uint8 [h, w, 4] as a PNG that says in its metadata that a trained model made it.

    ``indexed``: one byte a pixel, where 256 colours (with their alpha) are enough; decoded, it is the same picture.
    ``optimized``: as small as oxipng makes it, which takes ten times as long; decoded, it is the same picture with the
    colours of transparent pixels, too.

    Raises:
        UsageError: see ``optimizer``.
    """
    marks = PngInfo()
    marks.add_itxt("XML:com.adobe.xmp", XMP)
    buffer = io.BytesIO()
    image = (_indexed(picture) if indexed else None) or Image.fromarray(picture, "RGBA")
    image.save(buffer, "PNG", compress_level=6, pnginfo=marks)
    if not optimized:
        return buffer.getvalue()
    data: bytes = optimizer().optimize_from_memory(buffer.getvalue(), level=OPTIMIZE_LEVEL)  # keeps all metadata
    return data


def optimizer() -> Any:
    """The module of oxipng.

    Raises:
        UsageError: it isn't installed.
    """
    try:
        return import_module("oxipng")
    except ImportError as error:
        raise UsageError(
            f"--optimize: oxipng is not installed ({error}). Install it with pip install 'assetgen[optimize]', or "
            f"leave --optimize out."
        ) from None


def _indexed(picture: NDArray[np.uint8]) -> Image.Image | None:
    """The picture with a palette, or None where it has too many colours."""
    packed = np.ascontiguousarray(picture).view(np.uint32)[..., 0]
    colours, places = np.unique(packed, return_inverse=True)
    if len(colours) > INDEXED_COLOURS:
        return None
    table = colours.view(np.uint8).reshape(-1, 4)
    image = Image.fromarray(places.reshape(packed.shape).astype(np.uint8), "P")
    image.putpalette(table[:, :3].tobytes())
    image.info["transparency"] = table[:, 3].tobytes()
    return image
