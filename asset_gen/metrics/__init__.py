"""Features and probabilities → figures: one NumPy file a metric, pure functions."""
