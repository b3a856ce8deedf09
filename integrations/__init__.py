"""One folder an engine: a writer (sheets → files) and what lives inside the engine."""
