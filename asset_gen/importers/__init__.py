"""How does somebody's art become a folder per type? One file a source."""
