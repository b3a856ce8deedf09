"""Phaser 3 and 4: one multiatlas over all sheets, and the typed loader in `project/`."""
