from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

import ebmlab
from ebmlab.engine.oracle import Evaluation
from ebmlab.session.frame import Frame
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.session.timeline import Moment, Timeline
from ebmlab.session.trace import Series
from ebmlab.session.tree import copied


class Seen(NamedTuple):
    """What whoever watches a session knows of it as it is now; nothing where nobody does."""

    particles: Tensor | None = None  # (n, 2), those on the screen
    figures: Evaluation | None = None  # the latest exact ones
    log_z: float | None = None  # of these very weights
    series: tuple[tuple[str, Series], ...] = ()  # the histories besides the training's own, by name


class Recorder:
    """Keeps the timeline of a session, and makes of both what a session file holds.

    It is told after each step and misses none. It reads the session and never writes to it.

    Arguments:
        session: What is trained.
        see: Asks whoever watches it.

    Attributes:
        session: The same.
        timeline: What is kept.
        moments: The steps that somebody has named, rising.
        seconds: Time spent training.
    """

    def __init__(self, session: Session, see: Callable[[], Seen] = Seen) -> None:
        self.session, self._see = session, see
        self.timeline = Timeline()
        self.moments: tuple[Moment, ...] = ()
        self.seconds = 0.0

    def note(self) -> None:
        """Keeps the session as it is now, if it is time to."""

        if self.timeline.wants(self.session.count):
            self._keep(self._see())

    def name(self, moment: Moment) -> None:
        """Names a step that is kept, or the present one; an empty name takes the name away."""

        if moment.step == self.session.count and moment.name:
            self._keep(self._see(), pin=True)
        others = tuple(m for m in self.moments if m.step != moment.step)
        named = (moment,) if moment.name else ()
        self.moments = tuple(sorted((*others, *named), key=lambda m: m.step))
        self.timeline.pin(moment.step, bool(named))

    def resume(self, run: Run) -> None:
        """Goes on from the past of a run."""

        self.moments, self.seconds = run.moments, run.seconds
        self.timeline.take(run.kept, {m.step for m in run.moments})

    def run(self) -> Run:
        """Returns all that a session file holds of the session as it is now, frozen."""

        session, seen = self.session, self._see()
        if not self.timeline.kept or self.timeline.kept[-1].step != session.count:
            self._keep(seen)
        state = session.capture()
        evaluation = {} if seen.figures is None else seen.figures.to_json()
        facts = versions(session.device)
        return replace(self.past(), weights=state.weights, state=state, evaluation=evaluation, versions=facts)

    def past(self) -> Run:
        """Returns what the timeline shows of the session, without what it would go on from."""

        session = self.session
        return Run(
            recipe=session.recipe,
            step=session.count,
            device=str(session.device),
            log=tuple(session.log),
            series={"training": session.trace.view(), **dict(self._see().series)},
            kept=self.timeline.kept,
            moments=self.moments,
            seconds=self.seconds,
        )

    def _keep(self, seen: Seen, *, pin: bool = False) -> None:
        session = self.session
        state = session.capture() if pin or self.timeline.wants_state(session.count) else None
        weights = session.net.state_dict() if state is None else state.weights
        frame = Frame(
            step=session.count,
            edits=len(session.log),
            weights=copied(weights) if state is None else weights,
            particles=session.data.new_empty(0, 2) if seen.particles is None else seen.particles,
            data=session.data,
            negatives=session.negatives,
            figures=seen.figures,
            log_z=seen.log_z,
        )
        self.timeline.add(frame, state, pin=pin)


def versions(device: torch.device) -> dict[str, str]:
    """Returns what the bits of a run depend on besides its recipe."""

    return {
        "ebmlab": ebmlab.__version__,
        "torch": torch.__version__,
        "device": device.type,
        "processor": torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
    }
