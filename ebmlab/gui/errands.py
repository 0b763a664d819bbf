from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ebmlab.gui.widgets import Label
from ebmlab.session.errand import Errand, Outcome

P = TypeVar("P")
T = TypeVar("T")
LOOK = 100
"""Milliseconds between two looks at how far it is."""


class ErrandBar(QWidget, Generic[P, T]):
    """Runs an errand and shows how far it is, how long it still takes, and a button that calls it off.

    Signals:
        progressed: What the errand last yielded.
        ended: The outcome.
    """

    progressed = Signal(object)
    ended = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._errand: Errand[P, T] | None = None
        self._read: Callable[[P], tuple[float, str]] = lambda _: (0.0, "")
        self._started = 0.0
        self._bar = QProgressBar(textVisible=False, maximum=1000)
        self._bar.setAccessibleName(self.tr("Progress"))
        self._text = Label("", muted=True)
        self.stop = QPushButton(self.tr("Cancel"))
        self.stop.setToolTip(self.tr("Ends it; nothing is kept"))
        self.stop.clicked.connect(lambda _=False: self.close_down())
        row = QHBoxLayout()
        row.addWidget(self._bar, 1)
        row.addWidget(self.stop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self._text)
        self._timer = QTimer(self, interval=LOOK)
        self._timer.timeout.connect(self._look)
        self._show_busy(False)

    @property
    def busy(self) -> bool:
        """Whether an errand is under way."""

        return self._errand is not None

    def begin(self, work: Callable[[], Generator[P, None, T]], read: Callable[[P], tuple[float, str]]) -> None:
        """Sends an errand.

        Arguments:
            work: Makes its generator.
            read: Turns what it yields into a share in [0, 1] and a text.
        """

        self.close_down()
        self._read, self._started = read, time.monotonic()
        self._bar.setValue(0)
        self._text.show_text("")
        self._show_busy(True)
        self._errand = Errand(work)
        self._errand.start()
        self._timer.start()

    def close_down(self) -> None:
        """Calls the errand off and waits for it, if there is one."""

        if self._errand is not None:
            self._errand.call_off()
            self._end(Outcome())

    def clear(self) -> None:
        """Says no more why the last errand failed."""

        if not self.busy:
            self._show_busy(False)

    def _look(self) -> None:
        errand = self._errand
        if errand is None:
            return
        outcome, progress = errand.outcome.take(), errand.progress.take()
        if progress is not None:
            share, text = self._read(progress)
            self._bar.setValue(round(1000 * share))
            self._text.show_text(f"{self._left(share)}{text}")
            self.progressed.emit(progress)
        if outcome is not None:
            self._end(outcome)

    def _left(self, share: float) -> str:
        spent = time.monotonic() - self._started
        if share < 0.02 or spent < 2:
            return ""
        return self.tr("{} s left · ").format(round(spent * (1 - share) / share))

    def _end(self, outcome: Outcome[T]) -> None:
        self._timer.stop()
        self._errand = None
        self._show_busy(False)
        if outcome.fault:
            self._text.show_text(outcome.fault)
            self._text.setVisible(True)
            self._text.setToolTip(outcome.fault)
        self.ended.emit(outcome)

    def _show_busy(self, on: bool) -> None:
        for widget in (self._bar, self.stop, self._text):
            widget.setVisible(on)
