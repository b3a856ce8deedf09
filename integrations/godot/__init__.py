"""Godot 4: native resources, a TileSet, and the add-on in `project/`."""
