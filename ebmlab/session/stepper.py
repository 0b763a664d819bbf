from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from ebmlab.engine.types import Stage, Stages, finish


@dataclass(slots=True)
class Pace:
    """How fast to go; outlives the session.

    Arguments:
        beat: Seconds that slow motion shows each stage; None for whole steps.
        period: Seconds between whole steps; None for as fast as may be.
    """

    beat: float | None = None
    period: float | None = None

    @property
    def unlimited(self) -> bool:
        """Whether steps follow each other without a wait."""

        return self.beat is None and self.period is None


class Stepper:
    """Takes steps, of training or of a sampler: as fast as may be, at a limited speed, or stage by stage.

    At full speed a step that takes long is left between two of its stages when a picture is due, and gone on with
    after it. The weights change only in the last stage, so what is seen meanwhile is the state before the step.

    Arguments:
        begin: Begins a step.
        pace: How fast to go.

    Attributes:
        next: The time at which the next step, or stage, is due.
        stage: The stage that slow motion has stopped at, and how many came before it in this step.
    """

    def __init__(self, begin: Callable[[], Stages[None]], pace: Pace) -> None:
        self._begin, self._pace = begin, pace
        self._stages: Stages[None] | None = None
        self.next = 0.0
        self.stage: tuple[int, Stage] | None = None

    @property
    def idle(self) -> bool:
        """Whether no step has begun, so that all is as it is between two steps."""

        return self._stages is None

    def due(self, now: float) -> bool:
        """Returns whether a step or stage is due."""

        return self._pace.unlimited or now >= self.next

    def advance(self, now: float, until: float = math.inf) -> int:
        """Goes on with a step until a time, in slow motion to its next stage; returns how many steps were completed."""

        if self._pace.beat is not None:
            self.next = now + self._pace.beat
            return self._stage_on()
        if self._pace.period is not None:
            self.next, until = max(self.next, now - self._pace.period) + self._pace.period, math.inf
        self._stages = self._stages or self._begin()
        for _ in self._stages:
            if time.perf_counter() >= until:
                return 0
        self._stages = None
        return 1

    def hurry(self) -> None:
        """Makes the next stage due at once."""

        self.next = 0.0

    def finish(self) -> int:
        """Runs a step that has begun to its end; returns how many were completed, 0 or 1."""

        stages, self._stages, self.stage = self._stages, None, None
        if stages is not None:
            finish(stages)
        return int(stages is not None)

    def drop(self) -> None:
        """Forgets a step that has failed."""

        self._stages = self.stage = None

    def _stage_on(self) -> int:
        if self._stages is None:
            self._stages, self.stage = self._begin(), None
        try:
            stage = next(self._stages)
        except StopIteration:
            self._stages = self.stage = None
            return 1
        self.stage = (0 if self.stage is None else self.stage[0] + 1, stage)
        return 0
