"""Godot 3: native resources."""
