"""PixiJS: spritesheets with a list of textures for each type, and the typed loader in `project/`."""
