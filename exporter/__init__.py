"""A training run → a verified ONNX bundle."""
