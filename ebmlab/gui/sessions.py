from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from PySide6.QtCore import QEventLoop, QObject, QTimer, Signal
from PySide6.QtGui import QImage

from ebmlab.gui.arrangement import arrange, arrangement
from ebmlab.gui.bridge import FRAME
from ebmlab.gui.keeper import Keeper
from ebmlab.gui.recovery import Recovery
from ebmlab.gui.scribe import Scribe, png, save
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Capture, Run
from ebmlab.session.snapshot import Snapshot
from ebmlab.session.timeline import Moment
from ebmlab.spec import BadInput

if TYPE_CHECKING:
    from ebmlab.gui.lab import Lab
    from ebmlab.gui.views.canvas import Canvas


T = TypeVar("T")
TELLING = ("energy", "surface", "model", "difference")
"""What tells runs from each other, the best first."""
NOTE = 8000
"""Milliseconds that a note stands."""


class Mark(NamedTuple):
    """How far a run has come; two that are equal hold the same."""

    run: int = 0
    step: int = 0
    moments: tuple[Moment, ...] = ()


class Sessions(QObject):
    """Saves the run under way with all that belongs to it, and takes runs over where they stood.

    Arguments:
        lab: Has the run, the document and the views.

    Attributes:
        scribe: Writes the files.
        keeper: Keeps the runs that have ended.
        recovery: Keeps the run under way from a crash.

    Signals:
        saved: The file that a session has just been saved to.
        changed: Whether anything is unsaved may be another.
    """

    saved = Signal(str)
    changed = Signal()

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self._lab = lab
        self._mark = self._saved = Mark()
        self._restored: Run | None = None
        self._refusal = ""  # what was refused before
        self._saving = 0
        self._announce = False
        self._fault = ""
        self.scribe = Scribe(self)
        self.keeper = Keeper(self.scribe, lab.window.settings is not None, self)
        self.recovery = Recovery(lab, self)
        for name in ("new", "reset", "fork"):
            lab.window.actions_[name].triggered.connect(self._expect)
        lab.bridge.captured.connect(self._take)
        self.keeper.failed.connect(lab.window.tell)

    @property
    def mark(self) -> Mark:
        """How far the run has come."""

        return self._mark

    @property
    def trained(self) -> bool:
        """Whether the run has gone on since it was saved, or begun; False for a document that is a recipe only."""

        path = self._lab.document.path
        if path is None:
            return self._mark.step > 0 or bool(self._mark.moments)
        return is_session(path) and self._mark != self._saved

    @property
    def worth_asking(self) -> bool:
        """Whether to leave now would leave a file behind the run; a run without one is kept when it ends."""

        return self._lab.document.path is not None and self.trained

    def begin(self, recipe: Recipe, path: Path | None = None) -> None:
        """Begins a recipe as a document of its own; the run under way ends."""

        self.adopt(Run(recipe=recipe), path)

    def adopt(self, run: Run, path: Path | None = None, *, kept: bool = True) -> None:
        """Goes on with a saved run, as a document of its own; the run under way ends.

        Arguments:
            run: The run.
            path: The file that it will be saved to again.
            kept: Whether it is kept elsewhere, so that it need not be kept again as it is.
        """

        snapshot = self._lab.snapshot
        self._restored, self._refusal = run, snapshot.refusal if snapshot else ""
        if kept:
            self.keeper.know(run)
        self._lab.take_over(run, path)

    def package(self, then: Callable[[Run, QImage], None]) -> None:
        """Asks for the run under way, with the arrangement of the window and a picture of the canvas."""

        picture, view = portrait(self._lab.canvas), arrangement(self._lab)
        self._lab.bridge.ask(lambda run: then(replace(run, view=view), picture))

    def save(self, path: Path) -> None:
        """Saves the run under way to a file; the window says so when it is done, or why it could not be."""

        self._saving, self._fault = self._saving + 1, ""
        self._lab.window.status.showMessage(self.tr("Saving {}…").format(path.name))
        self.package(lambda run, picture: self._write(run, picture, path))

    def wait(self) -> bool:
        """Waits until what was asked to be saved has been, painting meanwhile; returns whether it could be."""

        _paint_while(lambda: bool(self._saving))
        return not self._fault

    def away(self, deed: Callable[[], T]) -> T:
        """Returns what comes of a deed that takes long, which is done in the writer's thread, painting meanwhile.

        Raises:
            BadInput: If it fails. The message is a sentence.
        """

        found: list[T] = []
        faults: list[str] = []
        self.scribe.write(lambda: found.append(deed()), faults.append)
        _paint_while(lambda: not faults)
        if faults[0]:
            raise BadInput(faults[0])
        return found[0]

    def observe(self, snapshot: Snapshot) -> None:
        """Follows the run."""

        if self._restored is not None:
            self._settle(self._restored, snapshot)
            return
        before, began = self.trained, snapshot.end < self._mark.step
        self._mark = Mark(self._mark.run + began, snapshot.end, snapshot.moments)
        if self.trained != before:
            self.changed.emit()

    def close(self) -> None:
        """Writes what is still to be written, once the run has ended."""

        self.recovery.hand_over()
        self.scribe.finish()
        self.recovery.clear()

    def _write(self, run: Run, picture: QImage, path: Path) -> None:
        mark = Mark(self._mark.run, run.step, run.moments)
        self.scribe.write(
            lambda: save(replace(run, thumbnail=png(picture)), path),
            lambda fault: self._written(run, path, mark, fault),
        )

    def _written(self, run: Run, path: Path, mark: Mark, fault: str) -> None:
        window, self._fault = self._lab.window, fault
        self._saving -= 1
        if fault:
            window.status.clearMessage()
            window.say(fault)
            return
        self._saved = mark
        self.keeper.know(run, path)
        self._lab.document.saved_to(path, run.recipe)
        window.status.showMessage(self.tr("Saved {}").format(path.name), 3000)
        self.saved.emit(str(path))

    def _take(self, capture: Capture) -> None:
        lab, announce = self._lab, self._announce
        if capture.name:
            return
        self._announce = False
        kept = self.keeper.keep(capture.run, lambda: portrait(lab.canvas), lab.snapshot)
        if kept and announce and not lab.window.error_bar.text:
            note = self.tr("The run before is kept: Tools > What was tried")
            lab.window.tell(note)
            QTimer.singleShot(NOTE, lab.window, lambda: lab.window.unsay(note))

    def _expect(self) -> None:
        self._announce = True

    def _settle(self, run: Run, snapshot: Snapshot) -> None:
        """Takes note of a saved run once it is there, and arranges the window as it was."""

        if snapshot.refusal not in ("", self._refusal):
            self._restored = None
            if run.weights is not None:
                self._lab.window.say(self.tr("{}; its recipe begins afresh").format(snapshot.refusal))
                self.begin(run.recipe)
        elif snapshot.end == run.step and snapshot.recipe == run.recipe:
            self._restored = None
            self._mark = self._saved = Mark(self._mark.run + 1, run.step, run.moments)
            arrange(self._lab, run.view)
            self.changed.emit()


def _paint_while(condition: Callable[[], bool]) -> None:
    """Paints the window, and takes no input, for as long as a condition holds."""

    loop, timer = QEventLoop(), QTimer(interval=FRAME)
    timer.timeout.connect(lambda: None if condition() else loop.quit())
    timer.start()
    if condition():
        loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)


def portrait(canvas: Canvas) -> QImage:
    """Returns a picture of the pane that tells a run from others best: of what is learnt, where that is seen."""

    told = [pane for kind in TELLING for pane in canvas.visible_panes if pane.kind == kind]
    return (told or [canvas.active_pane])[0].plane.grab().toImage()


def is_session(path: Path) -> bool:
    """Returns whether a document is saved to a file with all of its session, not only with its recipe."""

    return path.suffix.lower() != ".json"
