"""`ebmlab gui`: the application around the window."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, QSettings, QTimer, Signal
from PySide6.QtWidgets import QApplication

from ebmlab.gui.sweeper import Sweeper
from ebmlab.gui.window import LabWindow
from ebmlab.spec import BadInput

NO_DISPLAY = (
    "there is no display to open a window on; train, evaluate, log-z, sample, render, export, list and bench need none"
)


def run(
    path: str | None = None,
    *,
    seconds: float | None = None,
    screenshot: str | None = None,
    stats: str | None = None,
    device: str = "auto",
) -> int:
    """Opens the lab and returns the exit code once it is closed.

    Arguments:
        path: A recipe, points or a picture to begin with.
        seconds: Train and show for so long, then leave; nothing is remembered of such a visit.
        screenshot: Where to save a picture of the window on leaving.
        stats: Where to save the figures of the contract on leaving, as JSON.
        device: One of ``auto``, ``cpu``, ``cuda``, ``mps``.
    """

    if fault := _obstacle(path):
        _tell(str(fault))
        return 2
    app = QApplication.instance() or QApplication(["ebmlab"])
    assert isinstance(app, QApplication)
    app.setApplicationName("ebmlab")
    app.setOrganizationName("ebmlab")
    # Training takes the interpreter's lock for each of its many short operations: let it wait a tenth of a millisecond
    # for it while the window paints, not five. The training thread gains a quarter of its speed.
    sys.setswitchinterval(1e-4)
    visit = Visit(app, path, device)
    if seconds is not None:
        visit.limit(seconds)
    visit.window.show()
    visit.begin()
    app.exec()
    return visit.end(screenshot, stats)


def has_display() -> bool:
    """Returns whether a window can be opened, as far as the environment says."""

    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def _tell(line: str) -> None:
    """Writes to standard error, which may be missing under a desktop."""

    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(line + "\n")


def _obstacle(path: str | None) -> str:
    if not has_display():
        return NO_DISPLAY
    if path is not None and not Path(path).exists():
        return f"{path}: there is no such file; give a recipe, a saved run, points or a picture"
    return ""


class Faults(QObject):
    """Shows exceptions that nobody caught in the error bar, and counts them.

    Signals:
        met: One line, and the whole traceback.
    """

    met = Signal(str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.count = 0
        self._before = sys.excepthook, threading.excepthook
        sys.excepthook = self._meet
        threading.excepthook = lambda args: self._meet(
            args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        )

    def restore(self) -> None:
        """Hands exceptions back to whoever had them before."""

        sys.excepthook, threading.excepthook = self._before

    def _meet(self, kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        self.count += 1
        detail = "".join(traceback.format_exception(kind, fault, trace))
        _tell(detail)
        self.met.emit(f"{kind.__name__}: {fault}", detail)


class Warmup(QObject):
    """Imports torch, and what of ours needs it, in the background, so that the window answers meanwhile.

    Signals:
        done: Everything slow has been imported.
    """

    done = Signal()

    def begin(self) -> None:
        """Starts; to be called once the window is shown."""

        threading.Thread(target=self._run, name="ebmlab-warmup", daemon=True).start()

    def _run(self) -> None:
        import ebmlab.gui.lab  # noqa: F401

        self.done.emit()


class Visit(QObject):
    """One opening of the lab, from the empty frame to the last figure.

    Arguments:
        app: The application.
        path: What to open, if anything.
        device: What to train on.
    """

    def __init__(self, app: QApplication, path: str | None, device: str) -> None:
        super().__init__()
        self._app, self._path, self._device = app, path, device
        self._seconds: float | None = None
        self._code = 0
        self._sweeper = Sweeper(self)
        self._faults = Faults(self)
        self._warmup = Warmup(self)
        self._warmup.done.connect(self._furnish)
        self.window = LabWindow(QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "ebmlab", "ebmlab"))
        self._faults.met.connect(self._met)

    def limit(self, seconds: float) -> None:
        """Trains and shows for so long, then leaves."""

        self._seconds = seconds
        self.window.settings = None

    def begin(self) -> None:
        """Imports torch behind the shown window, then furnishes it."""

        # Only once the event loop has painted the empty frame: the import would hold the interpreter.
        QTimer.singleShot(20, self._warmup.begin)

    def end(self, screenshot: str | None, stats: str | None) -> int:
        """Writes what was asked for; returns the exit code."""

        self._faults.restore()
        self._sweeper.close()
        frames = self.window.frames
        frames.exceptions = self._faults.count
        if stats:
            frames.write(stats)
        if screenshot and not self._picture.save(screenshot):
            _tell(f"{screenshot}: the picture cannot be written; choose another place")
            return 2
        return self._code or int(self._seconds is not None and self._faults.count > 0)

    def _furnish(self) -> None:
        lab = self.window.furnish(device=self._device)
        lab.completed.connect(self._sweeper.settle)
        lab.filing.quiet = self._seconds is not None
        if self._path is not None:
            try:
                lab.filing.open_or_raise(self._path)
            except BadInput as fault:
                self._refuse(fault)
                return
        if self._seconds is not None:
            lab.steering.run(True)
            lab.when_complete(self._count_down)

    def _count_down(self) -> None:
        assert self._seconds is not None
        QTimer.singleShot(round(1000 * self._seconds), self._leave)

    def _met(self, line: str, detail: str) -> None:
        self.window.say(line, detail)
        if self._seconds is not None and self.window.lab is None:
            self._leave()  # there will be nothing to wait for

    def _refuse(self, fault: BadInput) -> None:
        self.window.say(str(fault))
        if self._seconds is not None:
            _tell(str(fault))
            self._code = 2
            self._leave()

    def _leave(self) -> None:
        self._picture = self.window.grab()
        self.window.close()
        self._app.quit()
