"""The folder of a sweep.

.. code-block:: text

    plan.json               {"format", "version", "steps", "knobs", "runs": [name, ...]}: the runs in order
    lock                    held by the process at work
    runs/<name>/            one run that has ended; it comes into being whole, by a rename
        result.json         what it has come to
        session.ebmlab      the session at its end
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ebmlab.session.sweep.spec import FORMAT, VERSION, Sweep, Trial
from ebmlab.session.sweep.work import Outcome
from ebmlab.session.tried import Tried
from ebmlab.spec import BadInput

PLAN, RUNS, LOCK, RESULT, SESSION = "plan.json", "runs", "lock", "result.json", "session.ebmlab"
PART = ".part"


class Folder:
    """Where the runs of a sweep are kept. Only the process that holds its lock writes to it.

    Arguments:
        path: The folder; made if it is missing.

    Raises:
        BadInput: If it holds something else, or cannot be made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.absolute().parent.is_dir():
            raise BadInput("there is no such folder to save in; make it first", source=str(path))
        if self.path.exists() and not self.path.is_dir():
            raise BadInput("this file is in the way; name a folder", source=str(path))
        if self.path.is_dir() and not (self.path / PLAN).exists() and set(os.listdir(self.path)) - {LOCK, RUNS}:
            raise BadInput("this folder holds something else; name an empty folder or a new one", source=str(path))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes out; the lock dies with the process.

        Raises:
            BadInput: If another one is at work.
        """

        (self.path / RUNS).mkdir(parents=True, exist_ok=True)
        with open(self.path / LOCK, "ab") as file:
            if not _lock(file):
                message = "another sweep is at work in this folder; wait for its end, or name another folder"
                raise BadInput(message, source=str(self.path))
            yield

    def begin(self, sweep: Sweep, trials: Sequence[Trial]) -> None:
        """Writes down which runs there are, and clears away what a kill has left half written."""

        for rest in (self.path / RUNS).glob(f"*{PART}"):
            shutil.rmtree(rest)
        plan = {
            "format": f"{FORMAT}-plan",
            "version": VERSION,
            "steps": sweep.steps,
            "knobs": sweep.paths(),
            "runs": [trial.name for trial in trials],
        }
        beside = self.path / (PLAN + PART)
        _write(beside, json.dumps(plan, indent=1, ensure_ascii=False).encode() + b"\n")
        beside.replace(self.path / PLAN)

    def has(self, name: str) -> bool:
        """Returns whether a run has ended."""

        return (self.path / RUNS / name / RESULT).exists()

    def add(self, outcome: Outcome) -> None:
        """Keeps a run that has ended, whole or not at all; one that is there already stays as it is."""

        name = outcome.tried.name
        if self.has(name):
            return
        beside = self.path / RUNS / (name + PART)
        beside.mkdir()
        _write(beside / SESSION, outcome.session)
        result = {**outcome.tried.to_json(), "session": SESSION}
        _write(beside / RESULT, json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n")
        beside.rename(self.path / RUNS / name)

    def rows(self, names: Iterable[str]) -> list[Tried]:
        """Returns those of some runs that have ended.

        Raises:
            BadInput: If a result is broken.
        """

        return [self._row(self.path / RUNS / name) for name in names if self.has(name)]

    def _row(self, run: Path) -> Tried:
        try:
            return Tried.from_json(_json(run / RESULT), run)
        except BadInput as fault:
            message = f"{fault}; remove the folder {run.name}, and the sweep will train it again"
            raise BadInput(message, source=str(run / RESULT)) from None


def read_tried(path: str | os.PathLike[str]) -> list[Tried]:
    """Returns what a sweep has tried so far, in the order of its plan; then runs that an earlier plan had.

    Raises:
        BadInput: If this is not the folder of a sweep, or something in it is broken.
    """

    if not (Path(path) / PLAN).is_file():
        raise BadInput("this is not the folder of a sweep; give one that `ebmlab sweep` has made", source=str(path))
    folder = Folder(path)
    plan = _json(folder.path / PLAN)
    names = plan.get("runs") if isinstance(plan, dict) else None
    if not isinstance(names, list):
        raise BadInput("this is broken; run the sweep again, which keeps its runs", source=str(folder.path / PLAN))
    there = sorted(run.name for run in (folder.path / RUNS).glob("*") if run.suffix != PART)
    return folder.rows(dict.fromkeys([*(name for name in names if name in there), *there]))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise BadInput("the JSON in it is broken", source=str(path)) from None


def _write(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _lock(file: IO[bytes]) -> bool:
    """Locks a file for as long as it is open; returns whether that could be done."""

    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
