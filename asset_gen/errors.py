"""Every error a person can meet, and the exit code it ends with.

    AssetgenError           1  something failed
    ├── UsageError          2  the arguments contradict each other or can't be met
    ├── PartialError        3  finished, but some items failed
    ├── DeviceError         4  no ONNX Runtime, or not on the device asked for
    ├── ModelError          5  a bundle, checkpoint or weights file is not what it claims
    ├── QuotaError          6  too few sprites of a type passed
    ├── NotFiniteError      1  a training ran away: its losses are no numbers any more
    ├── SpriteError         1  a picture or a folder of sprites can't be used
    │   └── TooLargeError   1  a picture has more pixels than are read
    ├── DownloadError       1  something couldn't be fetched whole
    └── ProjectError        1  the game project can't be written, or needs a person's yes

A message says what was wrong, where, and what to do next.
"""

from __future__ import annotations


class AssetgenError(Exception):
    """Anything that assetgen reports instead of a traceback."""

    exit_code = 1


class UsageError(AssetgenError):
    """The arguments contradict each other, or ask for what can't be had."""

    exit_code = 2


class PartialError(AssetgenError):
    """The work is finished, and some items, which are listed, failed."""

    exit_code = 3


class DeviceError(AssetgenError):
    """ONNX Runtime is missing, or doesn't run on the device asked for."""

    exit_code = 4


class ModelError(AssetgenError):
    """A bundle, checkpoint or weights file is damaged or not what it claims to be."""

    exit_code = 5


class QuotaError(AssetgenError):
    """Drawing ended before every type had as many sprites as asked for."""

    exit_code = 6


class SpriteError(AssetgenError):
    """A picture, or a folder of sprites, can't be used."""


class TooLargeError(SpriteError):
    """A picture has more pixels than are read; it needn't be damaged."""


class DownloadError(AssetgenError):
    """A file couldn't be fetched whole from where it is published."""


class ProjectError(AssetgenError):
    """The game project can't be written, or the change needs a person's yes."""


class NotFiniteError(AssetgenError):
    """A training's loss became NaN or infinite; its last checkpoint is whole."""
