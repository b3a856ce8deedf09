"""Typed sprites → a trained generator and type classifier, with curves and metrics."""
