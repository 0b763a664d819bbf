from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QLockFile, QObject, Signal
from PySide6.QtGui import QImage

from ebmlab.gui.scribe import Scribe, png, save, state_folder
from ebmlab.session.archive import load_run
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.snapshot import Snapshot
from ebmlab.session.timeline import Moment
from ebmlab.session.tried import Tried, append_tried, read_log, write_log
from ebmlab.session.zipped import SUFFIX

Print = tuple[int, int, Recipe, tuple[Moment, ...]]
LEAST = 20
"""Steps of a run that is worth keeping."""
MOST_FILES, MOST_BYTES = 60, 600 << 20
"""Runs, and bytes of them, that are kept whole; of older ones only the row stays."""


class Keeper(QObject):
    """Keeps the runs that have ended: a row of each in a log, and the latest whole, so that they can be gone on with.

    Arguments:
        scribe: Writes.
        on: Whether anything is kept.

    Signals:
        changed: There is another row, or one less.
        failed: Why a run could not be kept, as a sentence.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, scribe: Scribe, on: bool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scribe, self._on = scribe, on
        self._known: deque[tuple[Print, Path | None]] = deque(maxlen=16)
        self._count = 0

    @property
    def folder(self) -> Path:
        """Where the runs are kept."""

        return state_folder() / "tried"

    def rows(self) -> list[Tried]:
        """Returns the runs, the oldest first; any thread may ask."""

        return read_log(self._log) if self._on else []

    def forget(self, rows: Sequence[Tried]) -> None:
        """Deletes some of the runs, with the files that are kept of them."""

        gone = tuple(rows)
        self._scribe.write(lambda: self._forget(gone), self._told)

    def know(self, run: Run, path: Path | None = None) -> None:
        """Takes note of a run that is kept elsewhere, so that it is not kept again as it is.

        Arguments:
            run: The run.
            path: The file that it has just been saved to, which its row shall name; None if it was opened.
        """

        self._known.appendleft((_print(run), path))

    def keep(self, run: Run, picture: Callable[[], QImage], last: Snapshot | None) -> bool:
        """Keeps a run that has ended; returns whether there is anything of it to keep.

        Arguments:
            run: The run.
            picture: Makes a picture of it.
            last: What was last seen of it.
        """

        if not self._on or run.step < LEAST:
            return False
        row, known = self._row(run, last), [path for known, path in self._known if known == _print(run)]
        if not known:
            image = picture()
            self._scribe.write(lambda: self._write(replace(run, thumbnail=png(image)), row), self._told)
        elif known[0] is not None:
            saved = replace(row, session=str(known[0]))
            self._scribe.write(lambda: self._append(saved), self._told)
        self.know(run)
        return True

    def absorb(self, file: Path) -> None:
        """Keeps a run that another lab has left behind; to be called in the writer's thread.

        Raises:
            BadInput: If it cannot be read or kept.
        """

        run = load_run(file)
        self._write(run, self._row(run, None))

    @property
    def _log(self) -> Path:
        return self.folder / "log.jsonl"

    def _row(self, run: Run, last: Snapshot | None) -> Tried:
        now, failed = time.time(), last is not None and last.status == "failed" and last.end == run.step
        self._count += 1
        name = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{os.getpid()}-{self._count}"
        return Tried(
            name=name,
            recipe=run.recipe,
            steps=run.step,
            seconds=run.seconds,
            figures=run.evaluation,
            diverged=failed,
            why=last.reason if failed and last else "",
            session=str(self.folder / f"{name}{SUFFIX}"),
            when=now,
        )

    def _write(self, run: Run, row: Tried) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        save(run, Path(row.session))
        self._append(row)
        thin(self.folder)

    def _append(self, row: Tried) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with _locked(self._log):
            append_tried(self._log, row)

    def _forget(self, rows: Sequence[Tried]) -> None:
        names = {row.name for row in rows}
        for row in rows:
            if Path(row.session).parent == self.folder:
                Path(row.session).unlink(missing_ok=True)
        with _locked(self._log):
            write_log(self._log, [row for row in read_log(self._log) if row.name not in names])

    def _told(self, fault: str) -> None:
        if fault:
            self.failed.emit(fault)
        else:
            self.changed.emit()


def thin(folder: Path) -> None:
    """Deletes the oldest files of a folder until there are neither too many nor too large ones."""

    files = [(path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob(f"*{SUFFIX}")]
    total = 0
    for place, (_, size, path) in enumerate(sorted(files, reverse=True)):
        total += size
        if place and (place >= MOST_FILES or total > MOST_BYTES):
            path.unlink(missing_ok=True)


def _print(run: Run) -> Print:
    """Returns what tells a run from others; of two that are equal the one holds what the other does."""

    return run.step, max(len(run.log), 1), run.recipe, run.moments


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keeps other labs from writing to a file meanwhile."""

    lock = QLockFile(f"{path}.lock")
    lock.tryLock(5000)
    try:
        yield
    finally:
        lock.unlock()
