"""Unity: import settings with stable ids, and the editor scripts in `project/`."""
