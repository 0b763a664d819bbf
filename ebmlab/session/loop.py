from __future__ import annotations

import logging
import math
import queue
import time
from collections import deque
from collections.abc import Callable

import torch

from ebmlab.session import budget
from ebmlab.session.drive import Drive
from ebmlab.session.mailbox import Mailbox
from ebmlab.session.orders import (
    Advance,
    Beat,
    Close,
    Drift,
    Edit,
    Fork,
    Keep,
    Look,
    Name,
    Order,
    Pause,
    Pin,
    Play,
    Recall,
    Reset,
    Restore,
    SlowMotion,
    Speed,
)
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Capture
from ebmlab.session.session import Diverged, Session
from ebmlab.session.snapshot import Lens, Snapshot
from ebmlab.spec import BadInput

NEVER = math.inf
LOOK_BACK = 0.25
"""Seconds between two pictures of the past while training goes on behind it."""
log = logging.getLogger("ebmlab")


class Loop:
    """What the runner's thread does: obey, step, show, study; each when it is due.

    A failure is a state: the run stops with its reason, the last good weights stay, and the thread lives on.
    """

    def __init__(
        self,
        recipe: Recipe,
        make: Callable[[Recipe], Session],
        orders: queue.SimpleQueue[Order],
        snapshots: Mailbox[Snapshot],
        captures: queue.SimpleQueue[Capture],
    ) -> None:
        self._recipe = recipe
        self._orders, self._snapshots = orders, snapshots
        self._drive = Drive(make, captures)
        self._lens = Lens()
        self._resolution = budget.RESOLUTIONS[0]
        self._closed = False
        self._picture_due = 0.0
        self._allowance = budget.Allowance(budget.STUDIES)
        self._sharpness = budget.Sharpness()
        self._earned = time.perf_counter()
        self._waiting: deque[Order] = deque()

    def run(self) -> None:
        """Runs until closed."""

        torch.set_num_threads(1)
        try:
            self._drive.open(self._recipe)
        except BadInput as fault:
            self._drive.refusal = str(fault)
            self._drive.open(Recipe())
        while not self._closed:
            try:
                self._turn()
            except Diverged as failure:
                self._fail(str(failure))
            except Exception as failure:  # the thread must outlive any fault; it is shown and can be copied
                log.exception("the training thread met an error")
                self._fail(f"an error in the program: {type(failure).__name__}: {failure}")
        self._drive.end()

    def _turn(self) -> None:
        self._collect()
        while (order := self._next_order()) is not None:
            self._obey(order)
        drive = self._drive
        if not drive.seen:
            self._show()  # before the first step, which is slow
        now = time.perf_counter()
        self._allowance.earn(now - self._earned)
        self._earned = now
        if drive.due(now):
            drive.train(now, min(self._picture_due, now + budget.SLICE))
            slow = drive.pace.beat is not None  # every stage is to be seen
            wait = budget.PERIOD if drive.history.shown is None else LOOK_BACK
            self._picture_due = now if slow else min(self._picture_due, now + wait)
        drive.hand_out()
        if drive.crawling and drive.mover.due(now):
            drive.crawl(now)
            self._picture_due = now
        if drive.watch.pending and (self._allowance.open or drive.watch.urgent or not drive.busy):
            self._study()
        if time.perf_counter() >= self._picture_due:
            self._show()

    def _next_order(self) -> Order | None:
        """Returns the next order, if any; on the way back to where a fork begins only one that cannot wait."""

        kinds = Close | Look | Pause if self._drive.returning else Order
        order = next((order for order in self._waiting if isinstance(order, kinds)), None)
        if order is not None:
            self._waiting.remove(order)
        return order

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

        if self._drive.busy or self._drive.watch.pending or self._waiting:
            return 0.0
        due = min(self._picture_due, self._drive.next)
        return min(max(due - time.perf_counter(), 0.0), 3600.0)

    def _obey(self, order: Order) -> None:
        drive = self._drive
        self._picture_due = min(self._picture_due, time.perf_counter())
        match order:
            case Close():
                self._closed = True
            case Play():
                drive.run_for(math.inf)
            case Advance(steps):
                drive.run_for(steps)
            case Pause():
                drive.pause()
            case SlowMotion(beat):
                drive.settle()
                drive.pace.beat = beat
                drive.hurry()
            case Beat():
                drive.hurry()
            case Speed(limit):
                drive.pace.period = None if limit is None else 1 / limit
                drive.stepper.hurry()
            case Drift(on):
                drive.mover.finish()
                drive.drifting = on
            case Look(lens):
                self._lens = lens
                drive.look(lens)
            case Edit(recipe):
                if not (self._waiting and isinstance(self._waiting[0], Edit)):  # of edits in a row the last counts
                    drive.edit(recipe)
            case Reset():
                drive.open(drive.session.recipe)
            case Keep(name):
                drive.keep(name)
            case Restore() | Recall() | Pin() | Name() | Fork():
                drive.travel(order)

    def _fail(self, reason: str) -> None:
        self._drive.fail(reason)
        self._picture_due = 0.0

    def _study(self) -> None:
        start = time.perf_counter()
        if self._drive.watch.study():
            self._picture_due = min(self._picture_due, start + budget.PERIOD)
        self._allowance.spend(time.perf_counter() - start)

    def _show(self) -> None:
        start, drive = time.perf_counter(), self._drive
        present = drive.history.shown is None
        moving = not drive.crawling and (drive.drifting or (drive.credit > 0 and drive.pace.beat is None))
        if moving and drive.seen and present:
            drive.watch.drift(self._lens.particles)
        drive.seen = True
        self._resolution = self._sharpen(moving and present)
        self._snapshots.put(drive.snapshot(self._resolution))
        cost = time.perf_counter() - start
        self._sharpness.learn(cost, self._resolution)
        wait = max(budget.PERIOD, cost / budget.PICTURES) if drive.busy else budget.PERIOD
        self._picture_due = start + (wait if present else LOOK_BACK) if moving else NEVER

    def _sharpen(self, moving: bool) -> int:
        return self._sharpness.choose(self._lens.resolution, self._resolution) if moving else self._lens.resolution
