"""Which worker draws which block, and who draws it when that one dies?

Workers take blocks as soon as they have said what they are; those that a busy cluster starts late join in. One that
dies is replaced, and all that it had goes to the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from asset_gen.engines.worker import Versions, Worker, refuse_others
from asset_gen.errors import AssetgenError, DeviceError
from asset_gen.generate import Wanted
from asset_gen.staged import Part

AHEAD = 2
"""Blocks that a worker may have at once: one that it draws, one that waits."""
RETRIES = 3
"""Times that a block is drawn again whose worker died, and that a worker is started again which never came."""
START = 60
"""Seconds in which the first worker must come."""
FURTHER = 15
"""Seconds in which each further one must come for drawing to wait for it."""


@dataclass(eq=False, slots=True)
class Job:
    """A block that somebody is to draw."""

    block: Wanted
    outcome: Part | Exception | None = None
    """None: it isn't finished."""
    tries: int = 0
    answer: Any = None
    """Ray's reference to what its worker draws."""


@dataclass(eq=False, slots=True)
class _Member:
    """A worker."""

    actor: Any
    jobs: list[Job] = field(default_factory=list)
    """What it has to draw, in this order."""


class Crew:
    """Workers of a cluster."""

    def __init__(self, ray: Any, count: int, resources: dict[str, int], wanted: Versions, *arguments: Any) -> None:
        """
        Args:
            ray: its module, connected.
            count: how many workers are asked for.
            resources: what each takes of the cluster, ``num_cpus`` and ``num_gpus``.
            wanted: versions that they must have.
            arguments: for ``Worker``.

        Raises:
            DeviceError: no worker comes, or one has other versions.
        """
        self._ray, self._wanted, self._arguments = ray, wanted, arguments
        self._class = ray.remote(max_restarts=0, **resources)(Worker)
        self._here: list[_Member] = []
        self._coming: dict[Any, _Member] = {}  # by Ray's reference to what they will say
        self._waiting: list[Job] = []  # for somebody to draw them
        self._lost = 0  # workers in a row that died before they came
        for _ in range(count):
            self._start()
        self._need_somebody()
        while self._coming and self._wait(FURTHER, drawing=False):
            pass

    @property
    def room(self) -> bool:
        """Whether somebody has too little to draw."""
        return len(self._waiting) + sum(len(member.jobs) for member in self._here) < AHEAD * len(self._here)

    @property
    def size(self) -> int:
        """Workers that are here."""
        return len(self._here)

    def hand_out(self, block: Wanted) -> Job:
        """Have a block drawn by whoever has the fewest."""
        job = Job(block)
        self._give(job)
        return job

    def wait(self) -> None:
        """Until something has happened: a block is drawn, a worker came or went.

        Raises:
            DeviceError: nobody is left to draw, or one who came has other versions.
        """
        self._need_somebody()
        self._wait(None)

    def forget(self) -> None:
        """Nobody wants what was handed out any more."""
        self._waiting.clear()
        for member in self._here:
            member.jobs.clear()

    def _start(self) -> None:
        actor = self._class.remote(*self._arguments)
        self._coming[actor.versions.remote()] = _Member(actor)

    def _need_somebody(self) -> None:
        while not self._here:
            if not self._wait(START):
                raise DeviceError(
                    f"--engine ray: no worker started within {START} s; other work may hold the cluster's processors "
                    f"or graphics cards. Run the same command again when they are free, or use --engine local."
                )
        while self._waiting:
            self._give(self._waiting.pop(0))

    def _give(self, job: Job) -> None:
        member = min(self._here, key=lambda member: len(member.jobs))
        job.answer = member.actor.draw.remote(job.block)
        member.jobs.append(job)

    def _wait(self, seconds: float | None, drawing: bool = True) -> bool:
        """Until one of those that were asked has answered; whether it has in time."""
        drawn = {job.answer: (member, job) for member in self._here for job in member.jobs if drawing}
        ready, _ = self._ray.wait([*self._coming, *drawn], num_returns=1, timeout=seconds)
        for answer in ready:
            if answer in self._coming:
                self._welcome(answer, self._coming.pop(answer))
            else:
                self._collect(*drawn[answer])
        return bool(ready)

    def _welcome(self, answer: Any, member: _Member) -> None:
        """Somebody who came, or died on the way."""
        exceptions = self._ray.exceptions
        try:
            theirs = self._ray.get(answer)
        except exceptions.RayTaskError as error:
            raise _cause(error) from None
        except exceptions.RayError as error:
            self._lost += 1
            if getattr(error, "actor_init_failed", False) or self._lost > RETRIES:
                raise DeviceError(
                    f"--engine ray: a worker doesn't start ({_reason(error)}). Install assetgen with the same extras "
                    f"on every machine of the cluster, see whether there is memory, or use --engine local."
                ) from None
            self._start()
            return
        refuse_others(self._wanted, theirs)
        self._lost = 0
        self._here.append(member)

    def _collect(self, member: _Member, job: Job) -> None:
        """What a worker drew, if it is alive."""
        exceptions = self._ray.exceptions
        try:
            job.outcome = self._ray.get(job.answer)
        except exceptions.RayTaskError as error:
            job.outcome = _cause(error)
        except exceptions.ObjectLostError as error:  # its machine is gone with what it drew
            self._again(job, error)
        except exceptions.RayError as error:
            self._here.remove(member)
            drawing, *others = member.jobs
            self._again(drawing, error)
            self._waiting += others
            self._start()
            return
        member.jobs.remove(job)

    def _again(self, job: Job, error: Exception) -> None:
        """Have a block drawn once more, unless that was tried often enough."""
        job.tries += 1
        if job.tries <= RETRIES:
            self._waiting.append(job)
            return
        job.outcome = AssetgenError(
            f"--engine ray: {RETRIES + 1} workers died one after another while they drew the same block "
            f"({_reason(error)}). There may be too little memory; use --engine local. What was drawn is kept."
        )


def _cause(error: Any) -> Exception:
    """What was raised in a worker."""
    return error.cause if isinstance(error.cause, Exception) else Exception(str(error))


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".:") if lines else type(error).__name__
