"""TexturePacker JSON for engines without a target of their own."""
