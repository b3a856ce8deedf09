"""How does TensorBoard follow a training? Event files in ``<run>/events``, beside the lines they repeat.

Written by tensorboard's own writer, one event for all figures of a line. Its thread writes to the disk, so a step
doesn't wait for it. ``tensorboard --logdir RUN`` shows them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL import Image

# tensorboard opens files through TensorFlow where that is installed, which takes seconds to import and claims the
# GPU's memory; a module of this name is its own switch for doing without (tensorboard/compat/__init__.py)
sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))

from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # noqa: E402
from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: E402
from tensorboard.summary.writer.event_file_writer import EventFileWriter  # noqa: E402

FOLDER = "events"
FLUSH_SECONDS = 30.0
QUEUE = 256  # events; a step waits only where the disk is this far behind


class Events:
    """The event file of one sitting. As a context manager it is closed, and so complete, also after an interrupt."""

    def __init__(self, run: Path, step: int) -> None:
        """``step`` is where the sitting begins: what an earlier one wrote beyond it counts no more."""
        self._writer = EventFileWriter(str(run / FOLDER), max_queue_size=QUEUE, flush_secs=FLUSH_SECONDS)
        self.rewind(step)

    def statistics(self, line: Mapping[str, Any]) -> None:
        """A line of ``stats.jsonl`` as ``training/…``.

        Raises:
            OSError: an earlier event couldn't be written, for instance because the disk is full; so in all methods.
        """
        self._scalars("training", line)

    def evaluation(self, line: Mapping[str, Any]) -> None:
        """A line of ``evaluations.jsonl`` as ``evaluation/…``."""
        self._scalars("evaluation", line)

    def sheet(self, step: int, path: Path) -> None:
        """A sample sheet, a PNG file, as it is."""
        with Image.open(path) as picture:
            width, height = picture.size
        image = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=path.read_bytes())
        self._add(Event(step=step, summary=Summary(value=[Summary.Value(tag="samples", image=image)])))

    def rewind(self, step: int) -> None:
        """Everything after ``step`` counts no more: it will come again."""
        self._add(Event(step=step + 1, session_log=SessionLog(status=SessionLog.START)))

    def flush(self) -> None:
        """Wait until the file has everything so far; called at a checkpoint, since a resumed run starts from there."""
        self._writer.flush()

    def close(self) -> None:
        """Write what is left, and end the thread."""
        self._writer.close()

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _scalars(self, group: str, line: Mapping[str, Any]) -> None:
        values = [
            Summary.Value(tag=f"{group}/{name}", simple_value=value)
            for name, value in line.items()
            if isinstance(value, int | float) and name != "step"
        ]
        self._add(Event(step=int(line["step"]), summary=Summary(value=values)))

    def _add(self, event: Event) -> None:
        event.wall_time = time.time()
        self._writer.add_event(event)
