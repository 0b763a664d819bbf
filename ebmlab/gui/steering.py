from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QWidget

from ebmlab.gui.actions import Actions
from ebmlab.gui.bridge import Bridge
from ebmlab.gui.panels.transport import Transport
from ebmlab.session.orders import Advance, Beat, Drift, Pause, Play, Reset, SlowMotion, Speed
from ebmlab.session.snapshot import Snapshot, Status


class Steering(QObject):
    """Turns the actions of the Run menu into orders, and the run's state into what they say."""

    def __init__(self, bridge: Bridge, actions: Actions, transport: Transport, window: QWidget) -> None:
        super().__init__(window)
        self._bridge, self._actions, self._transport = bridge, actions, transport
        self._status: Status = "paused"
        self._running = self._staged = False
        connect = {
            "run": lambda _: self.run(not self._running),
            "step": lambda _: self.step(),
            "slow-motion": self.slow,
            "slower": lambda _: transport.shift(-1),
            "faster": lambda _: transport.shift(1),
            "drift": lambda on: bridge.post(Drift(on)),
            "reset": lambda _: bridge.post(Reset()),
        }
        for name, slot in connect.items():
            actions[name].triggered.connect(slot)
        transport.speed_chosen.connect(lambda speed: bridge.post(Speed(speed)))
        transport.beat_chosen.connect(lambda beat: bridge.post(SlowMotion(beat)))
        space = QShortcut(Qt.Key.Key_Space, window)
        space.activated.connect(self._space)
        bridge.arrived.connect(self.observe)

    @property
    def running(self) -> bool:
        """Whether the run goes on, as far as the window knows."""

        return self._running

    def run(self, on: bool) -> None:
        """Trains, or pauses."""

        self._bridge.post(Play() if on else Pause())
        self._settle(on)

    def step(self) -> None:
        """Trains for one step; in slow motion goes on to the next stage."""

        slow, drifting = (self._actions[name].isChecked() for name in ("slow-motion", "drift"))
        self._bridge.post(Beat() if slow and (self._running or self._staged or drifting) else Advance(1))

    def slow(self, on: bool) -> None:
        """Shows the stages of every step one by one, or no longer; those of the sampler while particles move alone."""

        self._transport.set_slow(on)
        self._bridge.post(SlowMotion(self._transport.beat if on else None))

    def observe(self, snapshot: Snapshot) -> None:
        """Follows the run: it may have stopped by itself."""

        self._staged = snapshot.stage is not None
        if snapshot.status != self._status:
            self._status = snapshot.status
            self._settle(snapshot.status == "running")

    def _settle(self, running: bool) -> None:
        self._running = running
        self._transport.set_running(running)

    def _space(self) -> None:
        """Runs or pauses, unless the key means a control that somebody has reached by keyboard."""

        focus = QApplication.focusWidget()
        if isinstance(focus, QAbstractButton):
            focus.animateClick()
        elif isinstance(focus, QComboBox):
            focus.showPopup()
        else:
            self._actions["run"].trigger()
