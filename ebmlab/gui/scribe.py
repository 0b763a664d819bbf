from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QStandardPaths, Qt, QTimer
from PySide6.QtGui import QImage, QImageWriter

from ebmlab.session.archive import write_run
from ebmlab.session.errand import Errand, Outcome
from ebmlab.session.run import Run
from ebmlab.spec import BadInput

THUMBNAIL = 320
"""Pixels of the longer side of a session's picture."""
LOOK = 30
"""Milliseconds between two looks whether something has been written."""


class Task(NamedTuple):
    """Something to be written, and who is told of it: a sentence if it could not be."""

    deed: Callable[[], None]
    then: Callable[[str], None]


class Scribe(QObject):
    """Writes files in a thread of its own, one after the other, so that neither window nor training waits."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks: deque[Task] = deque()
        self._errand: Errand[None, None] | None = None
        self._timer = QTimer(self, interval=LOOK)
        self._timer.timeout.connect(self._look)

    @property
    def busy(self) -> bool:
        """Whether something is still to be written."""

        return self._errand is not None

    def write(self, deed: Callable[[], None], then: Callable[[str], None]) -> None:
        """Does a deed in the thread, and tells of it: with a sentence if it failed, else with nothing.

        Arguments:
            deed: Writes; raises :class:`BadInput` or :class:`OSError` where it cannot.
            then: Is called in the window's thread.
        """

        self._tasks.append(Task(deed, then))
        if self._errand is None:
            self._begin()

    def finish(self) -> None:
        """Waits until all is written, with nothing else going on."""

        while self._errand is not None:
            self._errand.wait()
            self._end(self._errand.outcome.take() or Outcome(fault="the disk does not answer; try another place"))

    def _begin(self) -> None:
        self._errand = Errand(lambda: _pieces(self._tasks[0].deed))
        self._errand.start()
        self._timer.start()

    def _look(self) -> None:
        if self._errand is not None and (outcome := self._errand.outcome.take()) is not None:
            self._end(outcome)

    def _end(self, outcome: Outcome[None]) -> None:
        task, self._errand = self._tasks.popleft(), None
        if self._tasks:
            self._begin()
        else:
            self._timer.stop()
        task.then(outcome.fault)


def save(run: Run, path: Path) -> None:
    """Writes a session file.

    Raises:
        BadInput: If it cannot be written. The message names the file and the mend.
    """

    try:
        write_run(run, path)
    except OSError as fault:
        raise BadInput(
            f"{(fault.strerror or 'cannot be written').lower()}; choose another place", source=str(path)
        ) from None


def state_folder() -> Path:
    """Returns the folder where the lab keeps what nobody has asked it to save."""

    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation))


def _pieces(deed: Callable[[], None]) -> Generator[None, None, None]:
    try:
        deed()
    except OSError as fault:
        raise BadInput((fault.strerror or "cannot be written").lower(), source=str(fault.filename or "")) from None
    yield


def png(picture: QImage) -> bytes:
    """Returns a small copy of a picture as PNG; any thread may."""

    wanted = picture.scaled(
        THUMBNAIL, THUMBNAIL, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(wanted)
    return bytes(content.data())
