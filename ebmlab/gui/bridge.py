from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal

if TYPE_CHECKING:
    from ebmlab.session.orders import Order
    from ebmlab.session.runner import Runner

FRAME = 16
"""Milliseconds between two looks into the mailbox."""


class Bridge(QObject):
    """Looks into the mailbox of a runner once per frame, and carries orders the other way.

    Signals:
        arrived: A snapshot newer than the last.
        stopped: The run failed; the reason.
        mended: That reason holds no more.
    """

    arrived = Signal(object)
    stopped = Signal(str)
    mended = Signal(str)

    def __init__(self, runner: Runner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._reason = ""
        self._timer = QTimer(self, interval=FRAME)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.poll)

    def start(self) -> None:
        """Starts the runner and the looking."""

        self._runner.start()
        self._timer.start()

    def poll(self) -> None:
        """Takes the newest snapshot, if there is one."""

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

    def close(self) -> None:
        """Ends the runner's thread and waits for it."""

        self._timer.stop()
        self._runner.close()
