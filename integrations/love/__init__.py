"""LÖVE: the sheets as Lua tables, and the loader in `project/`."""
