from __future__ import annotations

from time import monotonic

from PySide6.QtCore import QObject, QTimer

from ebmlab.gui.actions import Actions
from ebmlab.gui.bridge import Bridge
from ebmlab.gui.document import Document
from ebmlab.gui.panels.moment import MomentEditor
from ebmlab.gui.panels.timeline import Timeline
from ebmlab.session.orders import Fork, Name, Pin, Recall
from ebmlab.session.snapshot import Snapshot
from ebmlab.session.timeline import Moment

FRAME, PATIENCE = 33, 500
"""Milliseconds between two pictures of a run that is played back; after which an order is taken for lost."""


class Travel(QObject):
    """Turns what is done to the timeline into orders: one at a time is under way, the newest wish waits.

    Arguments:
        bridge: Carries the orders.
        actions: The actions of the window.
        timeline: The row below the canvas.
        document: Takes over the recipe that a fork goes on with.
    """

    def __init__(self, bridge: Bridge, actions: Actions, timeline: Timeline, document: Document) -> None:
        super().__init__(timeline)
        self._bridge, self._actions, self._timeline, self._document = bridge, actions, timeline, document
        self._snapshot: Snapshot | None = None
        self._wishes: list[int | None] = []
        self._started = 0.0
        self._under_way = QTimer(self, singleShot=True, interval=PATIENCE)
        self._under_way.timeout.connect(self._send)
        self._film = QTimer(self, interval=FRAME)
        self._film.timeout.connect(self._advance)
        timeline.sought.connect(self._scrub)
        timeline.removed.connect(lambda step: bridge.post(Name(Moment(step, ""))))
        for name in ("run", "step", "reset"):
            actions[name].triggered.connect(lambda _: self._stop())
        actions["play-back"].toggled.connect(self.play)
        actions["now"].triggered.connect(lambda _: self._scrub(None))
        actions["compare"].triggered.connect(self.compare)
        actions["name-moment"].triggered.connect(lambda _: self.name())
        actions["fork"].triggered.connect(lambda _: self.fork())
        bridge.arrived.connect(self.observe)

    def seek(self, step: int | None) -> None:
        """Shows a step of the past; None for the present."""

        self._wishes = [step]
        self._timeline.scrubber.aim(self._timeline.rail.end if step is None else step)
        if not self._under_way.isActive():
            self._send()

    def leave(self) -> bool:
        """Goes back to the present; returns whether the past was shown."""

        past = self._snapshot is not None and self._snapshot.past
        if past or self._film.isActive():
            self._scrub(None)
        return past

    def play(self, on: bool) -> None:
        """Plays the run back from the step that is shown, or from the first if it is the last; or stops there."""

        rail = self._timeline.rail
        if not on:
            self._film.stop()
        elif len(rail.kept) > 1:
            share = rail.here / rail.end if rail.shown is not None else 0.0
            self._started = monotonic() - share * self._timeline.length
            self._film.start()
            self._advance()

    def compare(self, on: bool) -> None:
        """Compares with the step that is shown from now on, or with none."""

        snapshot = self._snapshot
        self._bridge.post(Pin(snapshot.step if on and snapshot is not None else None))

    def name(self) -> None:
        """Asks for the name of the step that is shown; it has a name for the time being, so that it is not lost."""

        rail, snapshot = self._timeline.rail, self._snapshot
        if snapshot is None:
            return
        kept = [step for step in snapshot.kept if step <= snapshot.step]
        step = kept[-1] if snapshot.status == "running" and not snapshot.past and kept else snapshot.step
        before = rail.moment(step)
        moment = before or Moment(step, self.tr("step {}").format(f"{step:,}"))
        self._bridge.post(Name(moment))
        editor = MomentEditor(moment, before is None, self._timeline.window())
        editor.named.connect(lambda named: self._bridge.post(Name(named)))
        editor.open_above(self._timeline)

    def fork(self) -> None:
        """Goes back to the step that is shown for good, and pauses there."""

        snapshot = self._snapshot
        if snapshot is not None and snapshot.past:
            self._stop()
            self._bridge.post(Fork(snapshot.step))
            self._document.set(snapshot.recipe, self.tr("Fork"))

    def observe(self, snapshot: Snapshot) -> None:
        """Follows what is shown; the next wish may go once the last has been fulfilled."""

        self._snapshot = snapshot
        if self._under_way.isActive() and snapshot.past:
            self._under_way.stop()
            self._send()
        elif not self._under_way.isActive() and not self._film.isActive():
            self._timeline.scrubber.aim(None)
        self._enable(snapshot)

    def _enable(self, snapshot: Snapshot) -> None:
        actions, some = self._actions, len(snapshot.kept) > 1
        for name, on in (
            ("play-back", some),
            ("now", snapshot.past),
            ("compare", some or snapshot.pinned is not None),
            ("name-moment", bool(snapshot.kept)),
            ("fork", snapshot.past and snapshot.step < snapshot.end),
        ):
            if actions[name].isEnabled() != on:
                actions[name].setEnabled(on)
        actions["compare"].setChecked(snapshot.pinned is not None)

    def _scrub(self, step: int | None) -> None:
        """Shows a step that a hand has asked for, so that playing back ends."""

        self._stop()
        self.seek(step)

    def _send(self) -> None:
        if self._wishes:
            step = self._wishes.pop()
            self._bridge.post(Recall(step))
            if step is not None:
                self._under_way.start()
        elif not self._film.isActive():
            self._timeline.scrubber.aim(None)

    def _advance(self) -> None:
        """Shows the step that is due, on the way through the run."""

        rail, length = self._timeline.rail, self._timeline.length
        share = (monotonic() - self._started) / length
        if share >= 1:
            if not self._timeline.loop.isChecked():
                self._scrub(None)
                return
            self._started += length * int(share)
            share %= 1
        step = rail.nearest(share * rail.end)
        if step is not None and step != rail.shown:
            self.seek(step)

    def _stop(self) -> None:
        self._film.stop()
        self._actions["play-back"].setChecked(False)
