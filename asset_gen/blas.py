"""On how many cores does NumPy multiply matrices? On one, where networks need the others.

Threads of a BLAS wait for each other in a loop: many small products on two cores take ten times the processor's time of
the same on one, and what waits takes it from ONNX Runtime. Measured with NumPy's own OpenBLAS 0.3.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import cast

import numpy as np  # noqa: F401 # before its BLAS is looked for
from threadpoolctl import ThreadpoolController


def on_one_core() -> AbstractContextManager[object]:
    """While it is open, every product of this process is on one core; afterwards it is as it was."""
    return cast(AbstractContextManager[object], _libraries().limit(limits=1, user_api="blas"))


@cache
def _libraries() -> ThreadpoolController:
    """Found once, since that takes milliseconds."""
    return ThreadpoolController()
