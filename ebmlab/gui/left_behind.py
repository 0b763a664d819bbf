"""Folders that labs save to while they live: how they are claimed, and what was left in those of dead ones."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QLockFile

from ebmlab.session.archive import load_run
from ebmlab.session.run import Run
from ebmlab.session.zipped import SUFFIX
from ebmlab.spec import BadInput

FILE, UNREADABLE = f"session{SUFFIX}", "unreadable"
ABANDONED = 600
"""Seconds after which a folder in which nothing was saved is no lab's that is just beginning."""


class Offer(NamedTuple):
    """A run that a lab has left behind when it ended without being closed."""

    folder: Path
    lock: QLockFile  # held, so that no other lab offers it too
    run: Run  # without its timeline
    when: float  # seconds since 1970

    @property
    def file(self) -> Path:
        """The session file."""

        return self.folder / FILE

    def remove(self) -> None:
        """Deletes it."""

        clear(self.folder, self.lock)


def claimed(folder: Path) -> QLockFile:
    """Makes a folder and returns the lock that keeps others from it for as long as this process lives.

    Raises:
        BadInput: If it cannot be made.
    """

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        reason = (fault.strerror or "cannot be made").lower()
        raise BadInput(f"{reason}; see that it can be written to", source=str(folder)) from None
    lock = _lock(folder)
    if not lock.tryLock(0):
        raise BadInput("cannot be locked; see that it can be written to", source=str(folder))
    return lock


def left_behind(own: Path) -> list[Offer]:
    """Returns what dead labs have left in the folders beside one's own, the latest first.

    What cannot be read is moved out of the way; folders without anything in them are removed.
    """

    found = []
    for folder in own.parent.iterdir() if own.parent.is_dir() else ():
        if folder.name == UNREADABLE or folder == own or not folder.is_dir():
            continue
        lock, abandoned, file = _lock(folder), time.time() - folder.stat().st_mtime > ABANDONED, folder / FILE
        if not lock.tryLock(0):
            continue
        try:
            if file.exists():
                found.append(Offer(folder, lock, load_run(file, timeline=False), file.stat().st_mtime))
            elif abandoned:
                clear(folder, lock)
            else:
                lock.unlock()
        except BadInput:
            lock.unlock()
            _put_aside(folder)
    return sorted(found, key=lambda offer: offer.when, reverse=True)


def clear(folder: Path, lock: QLockFile) -> None:
    """Deletes a folder that is locked."""

    (folder / FILE).unlink(missing_ok=True)  # the lock goes last: with it nothing is left to be offered
    lock.unlock()
    shutil.rmtree(folder, ignore_errors=True)


def copy(file: Path, place: Path) -> None:
    """Copies a file, beside and renamed.

    Raises:
        OSError: If it cannot be written.
    """

    beside = place.with_name(place.name + ".part")
    shutil.copyfile(file, beside)
    beside.replace(place)


def _lock(folder: Path) -> QLockFile:
    lock = QLockFile(str(folder / "lock"))
    lock.setStaleLockTime(0)  # only a dead process's is stale, however long ago it was locked
    return lock


def _put_aside(folder: Path) -> None:
    aside = folder.parent / UNREADABLE
    aside.mkdir(exist_ok=True)
    shutil.rmtree(aside / folder.name, ignore_errors=True)
    folder.rename(aside / folder.name)
