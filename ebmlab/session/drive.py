from __future__ import annotations

import math
import queue
import time
from collections import deque
from collections.abc import Callable

from ebmlab.session import budget
from ebmlab.session.checkpoint import restore
from ebmlab.session.history import History
from ebmlab.session.orders import Fork, Name, Pin, Recall, Restore
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Capture, Run
from ebmlab.session.session import Diverged, Session
from ebmlab.session.snapshot import Lens, Snapshot, Status
from ebmlab.session.stepper import Pace, Stepper
from ebmlab.session.watch import State, Watch
from ebmlab.spec import BadInput


class Drive:
    """A session under way, with its watch and its history: what is done to it between two looks.

    .. code-block:: text

        paused  --play, advance-->  running  --pause, or the advance is done-->  paused
        running --a number is not finite-->  failed  --play, advance, edit-->  running or paused
        any     --open-->  paused at step 0
        any     --fork-->  running up to the step of the past, then paused there

    A run that ends, because another takes its place, is handed out whole.

    Arguments:
        make: Makes a session.
        captures: Where runs are handed out.

    Attributes:
        credit: Steps still to take.
        pace: How fast to take them.
        drifting: Whether the particles move while training is paused.
        reason: Why the run failed; empty if it has not.
        refusal: Why the last edit was not taken; empty if it was.
        seen: Whether a picture of this session has been made.
    """

    def __init__(self, make: Callable[[Recipe], Session], captures: queue.SimpleQueue[Capture]) -> None:
        self._make, self._captures = make, captures
        self._lens = Lens()
        self._session: Session | None = None
        self._replay: deque[tuple[int, Recipe]] | None = None  # the edits on the way back to where a fork begins
        self._keeps: list[str] = []
        self._rate = budget.Rate()
        self.credit: float = 0
        self.pace = Pace()
        self.drifting = self.seen = False
        self.reason = self.refusal = ""

    @property
    def session(self) -> Session:
        """What is trained."""

        assert self._session is not None
        return self._session

    @property
    def returning(self) -> bool:
        """Whether it is on its way to where a fork begins."""

        return self._replay is not None

    @property
    def busy(self) -> bool:
        """Whether training takes all the time it can get."""

        return self.credit > 0 and (self.pace.unlimited or self.returning)

    @property
    def crawling(self) -> bool:
        """Whether slow motion shows the stages of the particles' transitions, not those of training."""

        return self.drifting and not self.credit and self.pace.beat is not None

    @property
    def next(self) -> float:
        """When the next step or stage is due."""

        return self.stepper.next if self.credit else self.mover.next if self.crawling else math.inf

    def open(self, recipe: Recipe) -> None:
        """Begins a recipe afresh.

        Raises:
            BadInput: If its session cannot be made; the one under way goes on then.
        """

        self._take(self._make(recipe))

    def end(self) -> None:
        """Hands out the run under way, if anything has been trained."""

        if self._session is not None and self._session.count:
            self._captures.put(Capture("", self.history.run()))

    def look(self, lens: Lens) -> None:
        """Takes note of what is wanted to be seen."""

        self._lens = lens
        self.watch.look(lens)

    def run_for(self, steps: float) -> None:
        """Takes so many more steps."""

        self.mover.finish()
        self.credit, self.reason, self.history.shown = self.credit + steps, "", None

    def pause(self) -> None:
        """Stops between two steps."""

        self.settle()
        self.credit, self._replay = 0, None

    def settle(self) -> None:
        """Brings a step and a transition that have begun to their ends, so that the session is between two steps."""

        self.mover.finish()
        try:
            self.credit = max(self.credit - self.stepper.finish(), 0)
        except Diverged as failure:
            self.fail(str(failure))

    def hurry(self) -> None:
        """Makes what comes next due at once."""

        for stepper in (self.stepper, self.mover):
            stepper.hurry()

    def due(self, now: float) -> bool:
        """Returns whether a step, or a piece of one, is due."""

        return self.credit > 0 and (self.returning or self.stepper.due(now))

    def train(self, now: float, until: float) -> None:
        """Goes on with a step until a time."""

        if self._replay and self._replay[0][0] <= self.session.count:
            self._change(self._replay.popleft()[1])
        done = self.stepper.advance(now, until)
        self.credit -= done
        self._rate.tick(now, self.session.count)
        self.history.spend(time.perf_counter() - now)
        if done:
            self.history.note()
        if self.returning and not self.credit:
            self._arrive()

    def crawl(self, now: float) -> None:
        """Goes on with the particles' transition by a stage."""

        if self.mover.advance(now):  # the last transition has ended: on with the next
            self.mover.advance(now)

    def edit(self, recipe: Recipe) -> None:
        """Carries on with another recipe, live where the change allows it."""

        self.settle()
        self.history.shown = None
        if recipe != self.session.recipe or self.refusal:
            self._try(lambda: self._put_in(recipe))

    def travel(self, order: Restore | Recall | Pin | Name | Fork) -> None:
        """Obeys an order about the past."""

        self._try(lambda: self._travel(order))

    def keep(self, name: str) -> None:
        """Hands the run out once it is between two steps."""

        self._keeps.append(name)

    def hand_out(self) -> None:
        """Hands the run out to whoever has asked, if it is between two steps."""

        if self._keeps and self.stepper.idle:
            run = self.history.run()
            for name in self._keeps:
                self._captures.put(Capture(name, run))
            self._keeps.clear()

    def fail(self, reason: str) -> None:
        """Stops for a reason that is to be seen."""

        self.credit, self.reason, self._replay = 0, reason, None
        self.stepper.drop()
        self.mover.drop()

    def snapshot(self, resolution: int) -> Snapshot:
        """Returns what is to be seen, of the present or of the past."""

        status: Status = "failed" if self.reason else "running" if self.credit else "paused"
        stage = self.mover.stage if self.crawling else self.stepper.stage
        state = State(status, self.reason, self.refusal, self._rate.value, stage, self.crawling)
        if self.history.shown is None:
            shown = self.watch.snapshot(self._lens, resolution, state)
        else:
            shown = self.history.snapshot(self._lens, resolution, state)
        return self.history.amend(shown, resolution)

    def _take(self, session: Session, run: Run | None = None) -> None:
        self.end()
        self._session, self.watch, self.seen = session, Watch(session), False
        if run is not None:
            self.watch.resume(run)
        self.history = History(session, self.watch, run)
        self.watch.look(self._lens)
        self.stepper = Stepper(session.stages, self.pace)
        self.mover = Stepper(lambda: self.watch.stages(self._lens.particles), self.pace)
        self.credit, self.reason, self._replay = 0, "", None
        self._rate.clear()
        self.history.note()

    def _put_in(self, recipe: Recipe) -> None:
        if self.session.edit(recipe):
            self.watch.edited()
        else:
            credit = self.credit
            self.open(recipe)
            self.credit = credit

    def _change(self, recipe: Recipe) -> None:
        self.session.edit(recipe)
        self.watch.edited()

    def _travel(self, order: Restore | Recall | Pin | Name | Fork) -> None:
        match order:
            case Restore(run):
                self._take(restore(self._make(run.recipe), run), run)
            case Recall(step):
                self.history.shown = step
            case Pin(step):
                self.history.pin(step)
            case Name(moment):
                self.settle()
                self.history.name(moment)
            case Fork(step):
                self.settle()
                self._fork(step)

    def _fork(self, step: int) -> None:
        """Goes back to the last whole state before a step, and from there on to the step by training again."""

        start, edits, step = self.history.branch(step)
        self._take(restore(self._make(start.recipe), start), start)
        self._replay, self.credit = edits, step - start.step
        if not self.credit:
            self._arrive()

    def _arrive(self) -> None:
        """Makes the last edits on the way to where a fork begins."""

        for _, recipe in self._replay or ():
            self._change(recipe)
        self._replay = None

    def _try(self, deed: Callable[[], None]) -> None:
        self.refusal = ""
        try:
            deed()
        except BadInput as fault:
            self.refusal = str(fault)
