"""Unreal: sheets that Paper2D imports."""
