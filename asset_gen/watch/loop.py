"""How does a project stay what recipe and decisions ask for, for hours, beside an artist and an open engine?

One thread works; events only make it look sooner, and it looks every minute anyway. What it must do follows from what
lies on disk (``reconcile``), so it can be killed, put to sleep or started in the middle at any moment.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from asset_gen.batch import Outcome
from asset_gen.candidates import FOLDER
from asset_gen.errors import AssetgenError, PartialError, ProjectError, SpriteError
from asset_gen.manifest import NAME as MANIFEST
from asset_gen.manifest import Manifest, read_manifest
from asset_gen.plan import Request
from asset_gen.publish import Place
from asset_gen.watch.events import Event, Kind, Say
from asset_gen.watch.observe import Ears
from asset_gen.watch.reconcile import (
    REJECTED,
    Edited,
    Memory,
    Regenerate,
    Reject,
    Retrain,
    reconcile,
    remember,
    settle,
)
from asset_gen.watch.reject import take_rejection
from asset_gen.watch.scene import (
    REJECT,
    Part,
    Role,
    Seen,
    Stamp,
    State,
    examine,
    folders_of,
    look,
    stamp_of,
)

LOOK_SECONDS = 60.0
"""A look at everything, whether anything was heard or not."""
DEAF_SECONDS = 5.0
"""The same, where the operating system doesn't tell of changes."""
ONCE_SECONDS = 60.0
"""For so long ``once`` waits for files that don't come to rest."""


class Retrainer(Protocol):
    """Makes a model of the training sprites as they are."""

    def due(self) -> bool:
        """Whether the sprites are others than those that it was last made of."""

    def __call__(self, stopping: Callable[[], bool]) -> str:
        """Train, and replace the model; asks again and again whether it shall stop. Returns a sentence.

        Raises:
            AssetgenError: it failed, or was stopped; what was learnt is kept.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """What a watch works with."""

    parts: Callable[[], list[tuple[Request, Place]]]
    """The sets of the project by its recipe, as it is now."""
    batch: Callable[[Request, Callable[[str], bool]], Outcome]
    """Makes one set what is asked for; asks before pictures are replaced."""
    say: Say
    retrain: Retrainer | None = None
    clock: Callable[[], float] = time.monotonic


class Watch:
    """A project that is kept as it should be."""

    def __init__(self, project: Path, tools: Tools, sprites: Path | None = None) -> None:
        self.project = project.resolve()
        self.sprites = sprites.resolve() if sprites else None
        self.tools = tools
        self.memory = Memory()
        self.bell: queue.SimpleQueue[str] = queue.SimpleQueue()
        """What may happen at any moment, from other threads and signals: ``hint``, ``stop``, ``trained``."""
        self.failures: dict[str, AssetgenError] = {}
        """What couldn't be done, by what it was."""
        self.waiting: set[str] = set()
        """Those of them that only a person can end; the others are tried again every minute."""
        self.looks = 0
        self._begun = False
        self._parts: list[Part] = []
        self._manifests: dict[Path, tuple[Stamp | None, Manifest | None]] = {}
        self._told: dict[str, str] = {}
        self._training: threading.Thread | None = None
        self._stale = False
        """The sprites changed while a training ran."""
        self._stopping = False
        self._trained: tuple[Kind, str] | None = None

    # The two ways to run it

    def run(self, ears: Ears) -> None:
        """Watch until ``stop`` is rung.

        Raises:
            ProjectError: the project has gone.
        """
        try:
            ears.listen(self.folders())  # before the first look, so that nothing falls in between
            heard, last = self.tools.clock(), (time.monotonic(), time.time())
            full = True
            while not self._stopping:
                wait = self.tick(full)
                if ears.listen(self.folders()):
                    wait = 0.0 if wait is None else wait
                if ears.deaf:
                    cure = "Raise the system's limit (fs.inotify.max_user_watches), or use --poll"
                    slow = f"looks every {DEAF_SECONDS:g} seconds. {cure}."
                    self._tell("error", f"The system tells of no changes ({ears.deaf}): {slow}", key="deaf")
                pause = (DEAF_SECONDS if ears.deaf else LOOK_SECONDS) if wait is None else wait
                rung = self._hear(pause)
                now, clock = time.monotonic(), time.time()
                slept = abs((clock - last[1]) - (now - last[0])) > LOOK_SECONDS  # the machine did, or its clock jumped
                full = slept or self.tools.clock() - heard > LOOK_SECONDS or "trained" in rung
                if full:
                    heard = self.tools.clock()
                last = now, clock
        finally:
            self._stopping = True
            ears.close()
            if self._training is not None:
                self._training.join()

    def once(self) -> None:
        """Put everything right, and return.

        Raises:
            AssetgenError: the first thing that couldn't be done.
        """
        begun = self.tools.clock()
        full = True
        while (wait := self.tick(full)) is not None or self._training is not None:
            full = False
            if self.tools.clock() - begun > ONCE_SECONDS and self._training is None:
                raise PartialError(
                    f"{self.project}: files were written to all the time. Run it again when it is quiet."
                )
            self._hear(1.0 if wait is None else wait)
        for error in self.failures.values():
            raise error

    # One look and what follows from it

    def tick(self, full: bool = False) -> float | None:
        """Look, and do what must be done; returns the seconds until it is worth looking again, or None.

        ``full``: also try again what failed.

        Raises:
            ProjectError: the project has gone.
        """
        self.looks += 1
        if not self.project.is_dir():
            raise ProjectError(f"{self.project}: the project has gone, and so there is nothing left to watch.")
        if self._trained is not None:
            self._finish_training()
        failed = self.failures.keys() - self.waiting - {"training"}
        if full:
            self._refresh()
            for path, seen in list(self.memory.known.items()):
                if seen.role is Role.REJECTED and str(path) in failed:
                    del self.memory.known[path]
        self._parts = [self._part(part.request, part.place) for part in self._parts]
        settled = settle(self.memory, look(self.project, self._parts, self.sprites), self.tools.clock())
        if any(seen.role is Role.RECIPE for seen in settled.changes.values()):
            self._refresh()
        found: dict[Path, tuple[Seen, State]] = {}
        for path, seen in settled.changes.items():
            state, digest = examine(path, seen, self._should_be(path, seen))
            before = self.memory.known.get(path)
            if state is State.MISSING and seen.role not in (Role.OUTPUT, Role.MANIFEST) and before is None:
                state = State.SAME  # it wasn't there, and it isn't
            if state is State.MISSING and seen.role is Role.REJECTED:
                self._mend(str(path))
            remember(self.memory, path, seen, digest)
            found[path] = seen, state
        actions = reconcile(found)
        if not self._begun and any(isinstance(action, Regenerate) for action in actions):
            self._begun = True  # whatever may have happened before
            actions = [action for action in actions if not isinstance(action, Regenerate)]
            actions.append(Regenerate(None, ("looked at for the first time",)))
        making = any(isinstance(action, Regenerate) for action in actions)
        if full and failed and not making:
            actions.append(Regenerate(None, ("trying again",)))
        self._act(actions)
        if actions:
            return 0.0  # what was made is to be looked at
        if settled.wait is None and not self.failures and self._training is None:
            self._tell("watching", f"{self.project.name}: all is as it should be.", key="state")
        return settled.wait

    def folders(self) -> dict[Path, bool]:
        """What to listen to."""
        return folders_of(self.memory.known, self._parts, self.project, self.sprites)

    def stop(self) -> None:
        """End after what is being done; may be called from a signal handler."""
        self.bell.put("stop")

    def _hear(self, seconds: float) -> set[str]:
        """What rings within so many seconds."""
        rung: set[str] = set()
        try:
            rung.add(self.bell.get(timeout=max(seconds, 0.0)) if seconds > 0 else self.bell.get_nowait())
            while True:
                rung.add(self.bell.get_nowait())
        except queue.Empty:
            pass
        self._stopping |= "stop" in rung
        return rung

    def _should_be(self, path: Path, seen: Seen) -> str | None:
        if seen.role is not Role.OUTPUT:
            return self.memory.hashes.get(path)
        for part in self._parts:
            if part.place == seen.place:
                return part.hashes.get(path.relative_to(part.place.out).as_posix())
        return None

    def _refresh(self) -> None:
        """Read the recipe and the manifests again; where they can't be read, what was known of them stays."""
        try:
            found = self.tools.parts()
        except AssetgenError as error:
            self._fail("recipe", error)
            return
        self._mend("recipe")
        self._parts = [self._part(request, place) for request, place in found]
        for part in self._parts:
            folder = part.place.out / FOLDER / REJECT
            if not folder.is_dir() and self.project.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                (folder.parent / ".gdignore").touch()

    def _part(self, request: Request, place: Place) -> Part:
        path = place.out / MANIFEST
        stamp = stamp_of(path)
        if path not in self._manifests or self._manifests[path][0] != stamp:
            try:
                self._manifests[path] = stamp, read_manifest(place.out)
                self._mend(str(path))
            except AssetgenError as error:
                self._manifests[path] = stamp, None
                self._fail(str(path), error)
        manifest = self._manifests[path][1]
        hashes = {entry.path: entry.sha256 for entry in manifest.files} if manifest else {}
        return Part(request, place, manifest, hashes)

    # Doing

    def _act(self, actions: Iterable[Reject | Regenerate | Retrain | Edited]) -> None:
        taken = False
        for action in actions:
            match action:
                case Reject(path, place):
                    taken |= self._reject(path, place)
                case Regenerate(_, reasons) if reasons == (REJECTED,) and not taken:
                    pass
                case Regenerate():
                    self._regenerate(action)
                case Edited(path):
                    self._tell("edited", f"{path} was changed by hand, and is left alone.", path=str(path))
                case Retrain():
                    self._start_training()

    def _reject(self, path: Path, place: Place) -> bool:
        """Whether the decision was written down."""
        part = next((part for part in self._parts if part.place == place), None)
        try:
            name = take_rejection(path, place, part.manifest if part else None)
        except AssetgenError as error:
            self._fail(str(path), error)
            if isinstance(error, SpriteError):
                self.waiting.add(str(path))
        except OSError as error:
            self._fail(str(path), ProjectError(f"{path}: {error.strerror or error}. Check its permissions."))
        else:
            self._mend(str(path))
            self._tell("rejected", f"{name} was rejected.", path=str(path))
            return True
        return False

    def _regenerate(self, action: Regenerate) -> None:
        self._refresh()
        if "recipe" in self.failures:
            return
        for path, seen in self.memory.known.items():  # what comes later than this is a change of its own
            if seen.role in (Role.RECIPE, Role.DECISIONS, Role.MODEL, Role.SETTING):
                digest = examine(path, seen, None)[1]
                if digest is not None:
                    self.memory.hashes[path] = digest
        for part in self._parts:
            if action.places is None or part.place in action.places or str(part.place.out) in self.failures:
                self._publish(part, action.reasons)
        self._parts = [self._part(part.request, part.place) for part in self._parts]

    def _publish(self, part: Part, reasons: tuple[str, ...]) -> None:
        out = part.place.out.relative_to(part.place.project).as_posix()
        key = str(part.place.out)
        questions: list[str] = []

        def ask(question: str) -> bool:
            questions.append(question)
            return False

        self._tell("working", f"{out}: {'; '.join(reasons)} …", out=out)
        begun = self.tools.clock()
        try:
            done = self.tools.batch(part.request, ask)
        except AssetgenError as error:
            self._fail(key, error, out, "waiting" if questions else "error")
            return
        except OSError as error:
            reason = f"{error.filename or part.place.out}: {error.strerror or error}"
            self._fail(key, ProjectError(f"{reason}. Check its permissions and the disk."), out)
            return
        self._mend(key)
        for file, seen in list(self.memory.known.items()):
            if seen.place == part.place and seen.stamp is None:  # it is back, and may go again before the next look
                del self.memory.known[file]
        manifest = part.place.out / MANIFEST
        digest = examine(manifest, Seen(Role.MANIFEST, None), None)[1]
        if digest is not None:
            self.memory.hashes[manifest] = digest  # our own, unless somebody changes it again
        if done.files.written or done.files.removed:
            self._tell(
                "published",
                f"{out}: files written {len(done.files.written)}, removed {len(done.files.removed)}.",
                out=out,
                written=done.files.written,
                removed=done.files.removed,
                seconds=round(self.tools.clock() - begun, 3),
            )
        for path, reason in done.files.kept.items():
            self._tell("edited", f"{part.place.out / path} {reason} is left as it is.", key=f"{key}/{path}")

    # Training

    def _start_training(self) -> None:
        if self.tools.retrain is None:
            return
        if self._training is None and not self.tools.retrain.due():
            return
        if self._training is not None:
            self._stale = True
            return
        self._tell("retraining", f"The sprites in {self.sprites} are others: training goes on …")
        retrain = self.tools.retrain

        def work() -> None:
            try:
                self._trained = "retrained", retrain(lambda: self._stopping)
            except AssetgenError as error:
                self._trained = "error", str(error)
            self.bell.put("trained")

        self._training = threading.Thread(target=work, name="retrain")
        self._training.start()

    def _finish_training(self) -> None:
        """Tell of a training that has ended; the new model is found as any other change is."""
        assert self._trained is not None
        (kind, message), self._trained = self._trained, None
        if self._training is not None:
            self._training.join()
            self._training = None
        if kind == "error":
            self.failures["training"] = AssetgenError(message)
        else:
            self.failures.pop("training", None)
        self._tell(kind, message)
        if self._stale:
            self._stale = False
            self._start_training()

    # Telling

    def _fail(self, key: str, error: AssetgenError, out: str = "", kind: Kind = "error") -> None:
        self.failures[key] = error
        if kind == "waiting":
            self.waiting.add(key)
        else:
            self.waiting.discard(key)
        self._tell(kind, str(error), key=key, out=out)

    def _mend(self, key: str) -> None:
        self.failures.pop(key, None)
        self.waiting.discard(key)
        self._told.pop(key, None)

    def _tell(self, kind: Kind, message: str, key: str = "", **more: object) -> None:
        """Say it; the same of the same thing only once."""
        if key and self._told.get(key) == message:
            return
        if key:
            self._told[key] = message
        if kind != "watching":
            self._told.pop("state", None)
        self.tools.say(Event(event=kind, time=datetime.now(UTC), message=message, **more))  # type: ignore[arg-type]
