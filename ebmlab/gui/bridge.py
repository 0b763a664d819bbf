from __future__ import annotations

import queue
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from ebmlab.session.orders import Keep

if TYPE_CHECKING:
    from ebmlab.session.orders import Order
    from ebmlab.session.run import Run
    from ebmlab.session.runner import Runner

FRAME = 16
"""Milliseconds between two looks into the mailbox."""


class Bridge(QObject):
    """Looks into the mailbox of a runner once per frame, and carries orders the other way.

    Signals:
        arrived: A snapshot newer than the last.
        stopped: The run failed; the reason.
        mended: That reason holds no more.
        captured: A run that was handed out: asked for by its name, or ended.
    """

    arrived = Signal(object)
    stopped = Signal(str)
    mended = Signal(str)
    captured = Signal(object)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._reason = ""
        self._numbers = count()
        self._asked: dict[str, Callable[[Run], None]] = {}
        self._timer = QTimer(self, interval=FRAME)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.poll)

    def start(self) -> None:
        """Starts the runner and the looking."""

        self._runner.start()
        self._timer.start()

    def poll(self) -> None:
        """Takes the runs that were handed out, and the newest snapshot, if there are any."""

        self._take_captures()
        snapshot = self._runner.snapshots.take()
        if snapshot is None:
            return
        self.arrived.emit(snapshot)
        before, self._reason = self._reason, snapshot.reason
        if before and before != self._reason:
            self.mended.emit(before)
        if self._reason and before != self._reason:
            self.stopped.emit(self._reason)

    def post(self, order: Order) -> None:
        """Leaves an order for the runner."""

        self._runner.orders.put(order)

    def ask(self, then: Callable[[Run], None]) -> None:
        """Asks for the run as it is between two steps, and hands it to a function once it is there."""

        name = f"asked {next(self._numbers)}"
        self._asked[name] = then
        self.post(Keep(name))

    def close(self) -> None:
        """Ends the runner's thread and waits for it."""

        self._timer.stop()
        self._runner.close()
        self._take_captures()

    def _take_captures(self) -> None:
        while True:
            try:
                capture = self._runner.captures.get_nowait()
            except queue.Empty:
                return
            if (then := self._asked.pop(capture.name, None)) is not None:
                then(capture.run)
            else:
                self.captured.emit(capture)
