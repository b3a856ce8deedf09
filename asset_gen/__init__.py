"""The batch tool: generate, score, select, lay out and publish typed sprites."""

__version__ = "0.1.0"
