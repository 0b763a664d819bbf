"""An exhibit performed: every run trained, measured, and held against the claims."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple

from ebmlab.engine.oracle import Evaluation
from ebmlab.engine.types import T, Work
from ebmlab.session.gallery.claim import Finding
from ebmlab.session.gallery.course import Course, complete
from ebmlab.session.gallery.exhibit import Exhibit
from ebmlab.session.session import Session
from ebmlab.session.streams import Streams


class Progress(NamedTuple):
    """How far a performance is."""

    run: str  # the name of the run, empty for the main one
    text: str
    share: float  # of the whole, in [0, 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What came of an exhibit.

    Arguments:
        name: The exhibit's name.
        figures: Every figure by its name, those of a rival with the rival's name and a dot before theirs.
        findings: The claims, each beside what was found.
    """

    name: str
    figures: dict[str, float]
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Whether every claim does."""

        return all(finding.holds for finding in self.findings)


def perform(exhibit: Exhibit, device: str = "auto", most: int | None = None) -> Generator[Progress, None, Performance]:
    """Trains every run of an exhibit and measures it, in pieces of a training step or less.

    Arguments:
        exhibit: The exhibit.
        device: What to train on.
        most: How many steps a run is trained at most; None for as many as it takes. The claims may then fail.
    """

    sessions = {name: Session(course.recipe, device) for name, course in exhibit.courses.items()}
    total = 2 * len(sessions)
    for i, (name, course) in enumerate(exhibit.courses.items()):
        for share in complete(_cut(course, most), sessions[name]):
            yield Progress(name, f"step {sessions[name].count}", (i + share) / total)
    figures: dict[str, float] = {}
    for i, (name, course) in enumerate(exhibit.courses.items(), len(sessions)):
        found = yield from _measured(course, name, sessions, i / total)
        figures |= {f"{name}.{key}" if name else key: value for key, value in found.items()}
    findings = tuple(claim.judge(figures) for claim in exhibit.claims)
    return Performance(name=exhibit.name, figures=figures, findings=findings)


def _cut(course: Course, most: int | None) -> Course:
    if most is None or course.steps <= most:
        return course
    edits = tuple((min(step, most - 1), recipe) for step, recipe in course.edits)
    return Course(recipe=course.recipe, steps=most, edits=edits, measures=course.measures)


def _measured(
    course: Course, name: str, sessions: dict[str, Session], begun: float
) -> Generator[Progress, None, dict[str, float]]:
    session = sessions[name]
    rivals = {other: s for other, s in sessions.items() if other != name}
    yield Progress(name, "exact figures", begun)
    found = figures_of(session, course)
    streams = Streams(session.recipe.seed, session.device)
    for k, measure in enumerate(course.measures):
        work = measure.take(session, rivals, streams[f"measure/{k}"])
        span = 1 / (len(course.measures) * 2 * len(sessions))
        taken = yield from _told(work, Progress(name, measure.kind, begun + k * span), span)
        found |= measure.named(taken)
    return found


def _told(work: Work[T], begun: Progress, span: float) -> Generator[Progress, None, T]:
    """Runs a piece of work, turning its progress into that of the performance, of which it is a part so long."""

    while True:
        try:
            share = next(work)
        except StopIteration as end:
            return end.value
        yield begun._replace(share=begun.share + span * share)


def figures_of(session: Session, course: Course) -> dict[str, float]:
    """Returns the exact figures of a session, and what its training says of itself, by name; NaN where withheld."""

    exact = session.evaluate()
    found = {name: _number(getattr(exact, name)) for name in _EXACT} | dict(exact.parameters)
    found |= {"step": float(session.count), "parameters": float(session.parameters)}
    found["diverged"] = float(session.count < course.steps)
    series = session.trace.view()
    found |= {f"trained_{key}": float(series[key][-1]) for key in ("value", "log_z", "accept") if len(series)}
    found |= _sides(exact)
    if exact.log_z is not None and session.pool.train is not None and session.pool.held_out is not None:
        for name, x in (("train_nll", session.pool.train), ("held_out_nll", session.pool.held_out)):
            found[name] = session.energy(x).double().mean().item() + exact.log_z
    return found


def _sides(exact: Evaluation) -> dict[str, float]:
    """Returns the mass of the leftmost mode, the model's and the target's."""

    if not exact.modes:
        return {}
    leftmost = min(exact.modes, key=lambda mode: mode.x)
    return {"left": _number(leftmost.model_mass), "left_target": leftmost.target_mass}


def _number(value: float | bool | None) -> float:
    return math.nan if value is None else float(value)


_EXACT = (
    "log_z",
    "nll",
    "entropy",
    "kl",
    "reverse_kl",
    "fisher",
    "border_mass",
    "spurious_mass",
    "normalisable",
    "curvature",
)
