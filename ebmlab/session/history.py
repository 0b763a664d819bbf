from __future__ import annotations

from collections import deque
from dataclasses import replace

from ebmlab.session.frame import Frame
from ebmlab.session.recipe import Recipe
from ebmlab.session.recorder import Recorder
from ebmlab.session.reel import Reel
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Lens, Pinned, Snapshot
from ebmlab.session.state import State as Whole
from ebmlab.session.timeline import Kept, Moment
from ebmlab.session.watch import State, Watch
from ebmlab.spec import BadInput


class History:
    """The past of the run under way: what is kept of it, what of it is shown, and from where it can be gone on.

    Attributes:
        shown: The step of the past that is looked at; None for the present.
    """

    def __init__(self, session: Session, watch: Watch, run: Run | None = None) -> None:
        self._session, self._watch = session, watch
        self._recorder = Recorder(session, watch.seen)
        self._reel: Reel | None = None
        self._pinned: Pinned | None = None
        self._pinned_at: tuple[int, Lens, int] | None = None
        self._pin: int | None = None
        self._kept: tuple[Kept, ...] = ()
        self._steps: tuple[int, ...] = ()
        self.shown: int | None = None
        if run is not None:
            self._recorder.resume(run)

    def note(self) -> None:
        """Keeps the session as it is now, if it is time to."""

        self._recorder.note()

    def spend(self, seconds: float) -> None:
        """Takes note of time spent training."""

        self._recorder.seconds += seconds

    def name(self, moment: Moment) -> None:
        """Names a step of the past, or the present one; an empty name takes the name away."""

        self._recorder.name(moment)

    def pin(self, step: int | None) -> None:
        """Compares with a step from now on; with none if None."""

        self._pin, self._pinned, self._pinned_at = step, None, None

    def run(self) -> Run:
        """Returns all that a session file holds, frozen."""

        return self._recorder.run()

    def amend(self, snapshot: Snapshot, resolution: int) -> Snapshot:
        """Returns a snapshot with what the timeline adds to it."""

        end = self._session.count
        if self._kept is not (kept := self._recorder.timeline.kept):
            self._kept, self._steps = kept, tuple(entry.step for entry in kept)
        pinned = self._pinned_now(snapshot.lens, resolution)
        seconds, moments = self._recorder.seconds, self._recorder.moments
        return replace(snapshot, end=end, seconds=seconds, kept=self._steps, moments=moments, pinned=pinned)

    def snapshot(self, lens: Lens, resolution: int, state: State) -> Snapshot:
        """Returns the step of the past that is looked at; the present, and why, if it cannot be shown."""

        assert self.shown is not None
        try:
            shown = self._reel_now().snapshot(self.shown, lens, resolution)
        except BadInput as fault:
            self.shown = None
            return replace(self._watch.snapshot(lens, resolution, state), refusal=str(fault))
        return replace(
            shown,
            status=state.status,
            reason=state.reason,
            refusal=state.refusal,
            steps_per_second=state.steps_per_second,
        )

    def branch(self, step: int) -> tuple[Run, deque[tuple[int, Recipe]], int]:
        """Returns the run as it was at the last whole state up to a step, the edits on the way to it, and the step.

        That is the last which was kept.

        Raises:
            BadInput: If nothing that can be gone on from was kept.
        """

        run = self.run()
        before = [kept for kept in run.kept if kept.step <= step]
        whole = next((kept for kept in reversed(before) if kept.state), None)
        if whole is None or whole.state is None:
            raise BadInput("nothing before this step can be gone on from; choose a later one")
        edits, last = _frame(whole).edits, _frame(before[-1]).edits
        start = replace(
            run,
            recipe=run.log[edits - 1][1],
            step=whole.step,
            weights=None,
            evaluation={},
            log=run.log[:edits],
            state=Whole.loads(whole.state.read()),
            series={name: series.until(whole.step) for name, series in run.series.items()},
            kept=tuple(kept for kept in run.kept if kept.step <= whole.step),
            moments=tuple(m for m in run.moments if m.step <= whole.step),
        )
        return start, deque(run.log[edits:last]), before[-1].step

    def _reel_now(self) -> Reel:
        if self._reel is None:
            self._reel = Reel(self._recorder.past(), str(self._session.device), self._session.read)
        elif self._reel.end != self._session.count or self._reel.edits != len(self._session.log):
            self._reel.take(self._recorder.past())
        return self._reel

    def _pinned_now(self, lens: Lens, resolution: int) -> Pinned | None:
        """Returns what is compared with, at the resolution of the picture that it is compared with."""

        if self._pin is None:
            return None
        if self._pinned_at != (at := (self._pin, lens, resolution)):
            self._pinned, self._pinned_at = self._reel_now().pinned(self._pin, lens, resolution), at
        return self._pinned


def _frame(kept: Kept) -> Frame:
    return Frame.loads(kept.frame.read())
