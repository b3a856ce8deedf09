"""What the commands that write a bundle's further networks ask in the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def features_option(command: Decorated) -> Decorated:
    """``--features``."""
    return click.option(
        "--features",
        type=click.Choice(["own", "lite0"]),
        help="Network that compares candidates with the training sprites: the own classifier or EfficientNet-Lite0.  "
        "[default: lite0 where outside networks took part in training, otherwise own]",
    )(command)


def encoder_option(command: Decorated) -> Decorated:
    """``--encoder``."""
    return click.option(
        "--encoder",
        "minutes",
        envvar="ASSETGEN_ENCODER",
        type=click.FloatRange(min=0.01, max=1440),
        metavar="MINUTES",
        help="Also train a network, for so long, that finds a picture's place in the latent space.",
    )(command)
