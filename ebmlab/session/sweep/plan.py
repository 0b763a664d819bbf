"""Every run of a sweep, checked before the first begins."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from contextlib import suppress
from itertools import pairwise

from ebmlab.session.files import Files
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Diverged, Session
from ebmlab.session.sweep.spec import Sweep, Trial
from ebmlab.spec import BadInput

SAMPLED = 4
"""Recipes whose steps are timed for a forecast."""


def checked(sweep: Sweep) -> tuple[Trial, ...]:
    """Returns the runs of a sweep in order, each of a recipe that can be built, with a target that can be made.

    Raises:
        BadInput: If one cannot, or two are the same.
    """

    trials: dict[str, Trial] = {}
    seen: set[Hashable] = set()
    for trial in sweep.trials():
        if trial.name in trials:
            raise BadInput(f"two runs are the same, with {said(trial)}; leave one out", key="over")
        trials[trial.name] = trial
        place = (trial.recipe.target, trial.recipe.window)
        if place not in seen:
            _check_target(trial.recipe)
            seen.add(place)
    return tuple(trials.values())


def said(trial: Trial) -> str:
    """Returns in words what a run is among those of its sweep."""

    return ", ".join(f"{path} = {value}" for path, value in trial.knobs) or "no knob that varies"


def forecast(trials: Sequence[Trial], device: str = "cpu") -> float:
    """Returns about how many seconds the runs take one after another, from a few steps of some of them."""

    if not trials:
        return 0.0
    kinds = {(type(t.recipe.estimator), t.recipe.energy, t.recipe.batch): t for t in trials}
    sample = list(kinds.values())[:: max(1, len(kinds) // SAMPLED)][:SAMPLED]
    sessions = [Session(trial.recipe, device) for trial in sample]
    step = sum(map(_pace, sessions)) / len(sessions)
    start = time.perf_counter()
    sessions[-1].evaluate()
    return sum(trial.steps * step for trial in trials) + len(trials) * (time.perf_counter() - start)


def _pace(session: Session, steps: int = 5) -> float:
    """Returns the seconds that a step takes where nothing else delays it: the quickest of a few after the first."""

    marks = [time.perf_counter()]
    with suppress(Diverged):
        for _ in range(1 + steps):
            session.step()
            marks.append(time.perf_counter())
    taken = [end - start for start, end in pairwise(marks)]
    return min(taken[1:] or taken or [0.0])


def _check_target(recipe: Recipe) -> None:
    try:
        dim = recipe.target.build(Files(), recipe.window).dim
    except BadInput as fault:
        raise fault.within("target") from None
    if dim != 2:
        raise BadInput(f"the target has {dim} coordinates; give two, x and y", key="target")
