"""Tests; a package of its own, since torch-fidelity installs one of the same name."""
