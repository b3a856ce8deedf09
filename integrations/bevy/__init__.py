"""Bevy: a TextureAtlasLayout for each sheet, in RON."""
