"""libGDX: the sheets as one texture atlas."""
