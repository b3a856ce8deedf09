"""What else can a model draw? Variations, mixtures and ways between sprites, each with an origin to make it again."""

from asset_gen.explore.directions import Direction, direction_named, load_directions, moved
from asset_gen.explore.mixing import Mixture, mix
from asset_gen.explore.operations import OPERATIONS
from asset_gen.explore.origins import (
    between,
    check_type,
    class_sheet,
    codes_of,
    draw,
    drawn,
    on_the_way,
    retyped,
    truncated,
    variations,
)
from asset_gen.explore.picture import Found, find_picture
from asset_gen.explore.show import check_out, encoded
from asset_gen.explore.source import Project, find_sprite
from asset_gen.explore.space import Space
from asset_gen.manifest import Origin, Parameters

__all__ = [
    "OPERATIONS",
    "Direction",
    "Found",
    "Mixture",
    "Origin",
    "Parameters",
    "Project",
    "Space",
    "between",
    "check_out",
    "check_type",
    "class_sheet",
    "codes_of",
    "direction_named",
    "draw",
    "drawn",
    "encoded",
    "find_picture",
    "find_sprite",
    "load_directions",
    "mix",
    "moved",
    "on_the_way",
    "retyped",
    "truncated",
    "variations",
]
