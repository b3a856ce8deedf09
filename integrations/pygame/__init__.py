"""pygame: the sheets as one JSON document, and the typed loader in `project/`."""
