from __future__ import annotations

import logging
import math
import queue
import time
from collections import deque
from collections.abc import Callable

import torch

from ebmlab.session import budget
from ebmlab.session.checkpoint import Run, restore
from ebmlab.session.mailbox import Mailbox
from ebmlab.session.orders import (
    Advance,
    Beat,
    Close,
    Drift,
    Edit,
    Look,
    Order,
    Pause,
    Play,
    Reset,
    Restore,
    SlowMotion,
    Speed,
)
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Diverged, Session
from ebmlab.session.snapshot import Lens, Snapshot, Status
from ebmlab.session.stepper import Pace, Stepper
from ebmlab.session.watch import State, Watch
from ebmlab.spec import BadInput

NEVER = math.inf
log = logging.getLogger("ebmlab")


class Loop:
    """What the runner's thread does: obey, step, show, study; each when it is due.

    .. code-block:: text

        paused  --Play, Advance-->  running  --Pause, or the advance is done-->  paused
        running --a number is not finite-->  failed  --Play, Advance, Edit-->  running or paused
        any     --Reset-->  paused at step 0         any  --Close-->  the thread ends

    A failure is a state: the run stops with its reason, the last good weights stay, and the thread lives on.
    """

    def __init__(
        self,
        recipe: Recipe,
        make: Callable[[Recipe], Session],
        orders: queue.SimpleQueue[Order],
        snapshots: Mailbox[Snapshot],
    ) -> None:
        self._recipe, self._make = recipe, make
        self._orders, self._snapshots = orders, snapshots
        self._lens = Lens()
        self._resolution = budget.RESOLUTIONS[0]
        self._reason = self._refusal = ""
        self._closed = self._drifting = False
        self._credit: float = 0  # steps still to take
        self._picture_due = 0.0
        self._pace = Pace()
        self._allowance = budget.Allowance(budget.STUDIES)
        self._sharpness = budget.Sharpness()
        self._rate = budget.Rate()
        self._earned = time.perf_counter()
        self._waiting: deque[Order] = deque()

    def run(self) -> None:
        """Runs until closed."""

        torch.set_num_threads(1)
        try:
            self._open(self._recipe)
        except BadInput as fault:
            self._refusal = str(fault)
            self._open(Recipe())
        while not self._closed:
            try:
                self._turn()
            except Diverged as failure:
                self._fail(str(failure))
            except Exception as failure:  # the thread must outlive any fault; it is shown and can be copied
                log.exception("the training thread met an error")
                self._fail(f"an error in the program: {type(failure).__name__}: {failure}")

    def _turn(self) -> None:
        self._collect()
        while self._waiting:
            self._obey(self._waiting.popleft())
        if not self._seen:
            self._show()  # before the first step, which is slow
        now = time.perf_counter()
        self._allowance.earn(now - self._earned)
        self._earned = now
        if self._credit and self._stepper.due(now):
            self._credit -= self._stepper.advance(now, min(self._picture_due, now + budget.SLICE))
            self._rate.tick(now, self._session.count)
            slow = self._pace.beat is not None  # every stage is to be seen
            self._picture_due = now if slow else min(self._picture_due, now + budget.PERIOD)
        if self._crawling and self._mover.due(now):
            if self._mover.advance(now):  # the last transition has ended: on with the next
                self._mover.advance(now)
            self._picture_due = now
        if self._watch.pending and (self._allowance.open or self._watch.urgent or not self._busy):
            self._study()
        if time.perf_counter() >= self._picture_due:
            self._show()

    @property
    def _busy(self) -> bool:
        """Whether training takes all the time it can get."""

        return self._credit > 0 and self._pace.unlimited

    @property
    def _crawling(self) -> bool:
        """Whether slow motion shows the stages of the particles' transitions, not those of training."""

        return self._drifting and not self._credit and self._pace.beat is not None

    def _collect(self) -> None:
        """Takes in the orders that have come; waits for one if nothing else is due."""

        try:
            wait = self._idle_time()
            self._waiting.append(self._orders.get(timeout=wait) if wait else self._orders.get_nowait())
            while True:
                self._waiting.append(self._orders.get_nowait())
        except queue.Empty:
            pass

    def _idle_time(self) -> float:
        """Returns the seconds until something is due, 0 if it is, at most an hour."""

        if self._busy or self._watch.pending:
            return 0.0
        next_ = self._stepper.next if self._credit else self._mover.next if self._crawling else NEVER
        due = min(self._picture_due, next_)
        return min(max(due - time.perf_counter(), 0.0), 3600.0)

    def _obey(self, order: Order) -> None:
        self._picture_due = min(self._picture_due, time.perf_counter())
        match order:
            case Close():
                self._closed = True
            case Play():
                self._mover.finish()
                self._credit, self._reason = math.inf, ""
            case Advance(steps):
                self._mover.finish()
                self._credit, self._reason = self._credit + steps, ""
            case Pause():
                self._settle()
                self._credit = 0
            case SlowMotion(beat):
                self._settle()
                self._pace.beat = beat
                self._hurry()
            case Beat():
                self._hurry()
            case Speed(limit):
                self._pace.period = None if limit is None else 1 / limit
                self._stepper.hurry()
            case Drift(on):
                self._mover.finish()
                self._drifting = on
            case Look(lens):
                self._lens = lens
                self._watch.look(lens)
            case Edit(recipe):
                self._edit(recipe)
            case Reset():
                self._credit = 0
                self._open(self._session.recipe)
            case Restore(run):
                self._credit = 0
                self._restore(run)

    def _edit(self, recipe: Recipe) -> None:
        if self._waiting and isinstance(self._waiting[0], Edit):
            return  # of edits in a row the last counts
        self._settle()
        self._refusal = ""
        try:
            if self._session.edit(recipe):
                self._watch.edited()
            else:
                self._open(recipe)
        except BadInput as fault:
            self._refusal = str(fault)

    def _restore(self, run: Run) -> None:
        self._refusal = ""
        try:
            self._take(restore(self._make(run.recipe), run))
        except BadInput as fault:
            self._refusal = str(fault)

    def _settle(self) -> None:
        """Brings a step and a transition that have begun to their ends, so that the session is between two steps."""

        self._mover.finish()
        try:
            self._credit = max(self._credit - self._stepper.finish(), 0)
        except Diverged as failure:
            self._fail(str(failure))

    def _hurry(self) -> None:
        for stepper in (self._stepper, self._mover):
            stepper.hurry()

    def _open(self, recipe: Recipe) -> None:
        self._take(self._make(recipe))

    def _take(self, session: Session) -> None:
        self._session, self._watch, self._seen = session, Watch(session), False
        self._watch.look(self._lens)
        self._stepper = Stepper(session.stages, self._pace)
        self._mover = Stepper(lambda: self._watch.stages(self._lens.particles), self._pace)
        self._reason = ""
        self._rate.clear()

    def _fail(self, reason: str) -> None:
        self._credit, self._reason = 0, reason
        self._stepper.drop()
        self._mover.drop()
        self._picture_due = 0.0

    def _state(self) -> State:
        status: Status = "failed" if self._reason else "running" if self._credit else "paused"
        stage = self._mover.stage if self._crawling else self._stepper.stage
        return State(status, self._reason, self._refusal, self._rate.value, stage, self._crawling)

    def _study(self) -> None:
        start = time.perf_counter()
        if self._watch.study():
            self._picture_due = min(self._picture_due, start + budget.PERIOD)
        self._allowance.spend(time.perf_counter() - start)

    def _show(self) -> None:
        start = time.perf_counter()
        moving = not self._crawling and (self._drifting or (self._credit > 0 and self._pace.beat is None))
        if moving and self._seen:
            self._watch.drift(self._lens.particles)
        self._seen = True
        self._resolution = self._sharpen(moving)
        self._snapshots.put(self._watch.snapshot(self._lens, self._resolution, self._state()))
        cost = time.perf_counter() - start
        self._sharpness.learn(cost, self._resolution)
        wait = max(budget.PERIOD, cost / budget.PICTURES) if self._busy else budget.PERIOD
        self._picture_due = start + wait if moving else NEVER

    def _sharpen(self, moving: bool) -> int:
        return self._sharpness.choose(self._lens.resolution, self._resolution) if moving else self._lens.resolution
