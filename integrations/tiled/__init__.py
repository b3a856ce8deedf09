"""Tiled: the sheets as tilesets, and an extension in `project/`."""
