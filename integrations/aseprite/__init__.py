"""Aseprite: its own JSON, which many engines read, and a script that opens a sheet in it, in `project/`."""
