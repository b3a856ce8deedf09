"""GameMaker: strips that its editor cuts into frames, and a script that finds them by type."""
