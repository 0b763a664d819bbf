from __future__ import annotations

from typing import NamedTuple

import torch

from ebmlab.engine.types import Stage, Stages, finish
from ebmlab.session.cloud import Cloud, examine
from ebmlab.session.course import Course
from ebmlab.session.frame import Frame
from ebmlab.session.picture import Picture
from ebmlab.session.recorder import Seen
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.session.snapshot import Health, Lens, Snapshot, StageShown, Status, frozen
from ebmlab.session.streams import Streams
from ebmlab.session.studies import Studies

EVERY = 15
"""Drifts between two looks at the chains' health."""


class State(NamedTuple):
    """What the runner knows and the session does not."""

    status: Status = "paused"
    reason: str = ""
    refusal: str = ""
    steps_per_second: float = 0.0
    stage: tuple[int, Stage] | None = None
    moving: bool = False  # whether the stage is one of the particles' transition


class Watch:
    """Looks at a session without touching it: particles, pictures, studies, and the snapshots made of them.

    Nothing here writes to the session or draws from its streams, so a run is the same whether or not it is watched.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rng = Streams(session.recipe.seed, session.device)["view"]
        self._studies = Studies(session)
        self._recipe = session.recipe
        self._cloud = Cloud(session.recipe.window, torch.empty(0, device=session.device))
        self._health, self._drifts = Health(), 0
        self._course: Course | None = None  # of a transition that is shown stage by stage
        self._renew()

    def _renew(self) -> None:
        self._picture = Picture(self._session.net, self._session.density, self._session.device)

    def edited(self) -> None:
        """Takes note that the session's recipe has changed."""

        old, self._recipe = self._recipe, self._session.recipe
        target, window = old.target != self._recipe.target, old.window != self._recipe.window
        self._studies.edited(target, window)
        changed = target or window
        if changed:
            self._renew()
        if changed or old.sampler != self._recipe.sampler:
            self._cloud.forget()
            self._health = Health()

    def look(self, lens: Lens) -> None:
        """Takes note of what the lens asks for that takes long to find out."""

        self._studies.want_sandwich(lens.sandwich)

    def drift(self, particles: int) -> None:
        """Moves the particles once."""

        finish(self._moves(particles))

    def stages(self, particles: int) -> Stages[None]:
        """Moves the particles once, pausing at each stage of the transition, and keeps their ways in mind meanwhile."""

        moves, self._course = self._moves(particles), None
        for stage in moves:
            self._course = self._course or Course(self._cloud.x)
            self._course.follow(stage)
            yield stage
        self._course = None

    def _moves(self, particles: int) -> Stages[None]:
        if not particles:
            return
        yield from self._cloud.stages(self._recipe.sampler, self._session.net, particles, self._rng)
        self._drifts += 1
        if self._drifts % EVERY == 0:
            self._health = examine(self._cloud, self._recipe.sampler, self._studies.target, self._studies.figures)

    @property
    def pending(self) -> bool:
        """Whether any study has something left to find out."""

        return self._studies.pending

    @property
    def urgent(self) -> bool:
        """Whether there are no exact figures at all yet, so that they are worth more than their share of the time."""

        return self._studies.target is None or self._studies.figures is None

    def study(self) -> bool:
        """Does a piece of a study, of some milliseconds; returns whether there is anything new to show."""

        return self._studies.advance()

    def seen(self) -> Seen:
        """Returns what is known of the session as it is now, for its timeline."""

        studies = self._studies
        exact, meter, log_z = studies.series()
        series = {"exact": exact, "meter": meter, **{f"log_z/{i}": found for i, found in enumerate(log_z)}}
        return Seen(self._cloud.x, studies.figures, studies.log_z_now(), tuple(series.items()))

    def resume(self, run: Run) -> None:
        """Takes over the particles and the histories of a run that the session goes on from."""

        self._studies.resume(run.series)
        if run.kept:
            particles = Frame.loads(run.kept[-1].frame.read()).particles
            self._cloud.x = particles.to(self._session.device)

    def snapshot(self, lens: Lens, resolution: int, state: State) -> Snapshot:
        """Returns what the lens asks for, its fields at the given resolution."""

        session, studies = self._session, self._studies
        fields = self._picture.take(lens, resolution)
        exact, meter, log_z = studies.series()
        reading = studies.reading
        return Snapshot(
            step=session.count,
            recipe=self._recipe,
            lens=lens,
            status=state.status,
            reason=state.reason,
            refusal=state.refusal,
            device=str(session.device),
            parameters=session.parameters,
            steps_per_second=state.steps_per_second,
            **fields._asdict(),
            log_z=studies.log_z_now(),
            data=frozen(session.data),
            negatives=frozen(session.negatives),
            particles=frozen(self._cloud.x),
            stage=_shown(state.stage, self._course if state.moving else None),
            figures=studies.figures,
            gradient=reading[1] if reading else None,
            gradient_step=reading[0] if reading else 0,
            warning=studies.warning,
            estimates=tuple(studies.estimates[i] for i in sorted(studies.estimates)),
            sandwich=studies.sandwich,
            health=self._health,
            training=session.trace.view(),
            exact=exact,
            meter=meter,
            log_z_history=log_z,
        )


def _shown(stage: tuple[int, Stage] | None, course: Course | None) -> StageShown | None:
    if stage is None:
        return None
    index, (name, text, points, origin) = stage
    shown, before = (None if x is None else frozen(x) for x in (points, origin))
    return StageShown(
        name=name, text=text, index=index, points=shown, origin=before, ways=course.ways() if course else None
    )
