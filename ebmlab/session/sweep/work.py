"""The work of a sweep as a pure function: frozen values in and out, so that any executor can do it anywhere."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from ebmlab.engine.targets import Density, Target
from ebmlab.engine.types import Window
from ebmlab.session.checkpoint import save_run
from ebmlab.session.files import Files
from ebmlab.session.session import Diverged, Session
from ebmlab.session.sweep.lanes import Lanes
from ebmlab.session.sweep.spec import Trial
from ebmlab.session.tried import Tried, finite


@dataclass(frozen=True, kw_only=True)
class Job:
    """Runs that are trained as one piece of work.

    Arguments:
        trials: The runs.
        device: Where they are trained.
    """

    trials: tuple[Trial, ...]
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run that has ended.

    Arguments:
        tried: What it has come to.
        session: The bytes of its ``.ebmlab`` file.
    """

    tried: Tried
    session: bytes


def work(job: Job) -> tuple[Outcome, ...]:
    """Trains the runs of a job, each as it would be alone, and returns how they ended, in order."""

    torch.set_num_threads(1)
    if len(job.trials) > 1:
        return _together(job)
    return tuple(_alone(trial, job.device) for trial in job.trials)


def _together(job: Job) -> tuple[Outcome, ...]:
    """Trains runs of one shape in one batch; one that diverges in it is trained again alone, to see where and why."""

    start = time.perf_counter()
    begun = {trial.name: Session(trial.recipe, job.device) for trial in job.trials}
    for name, session in list(begun.items()):
        try:
            session.step()
        except Diverged:
            del begun[name]
    if len(begun) > 1:
        lanes = Lanes(list(begun.values()))
        for _ in range(job.trials[0].steps - 1):
            if bool(lanes.sound.any()):
                lanes.step()
        lanes.hand_back()
    seconds, steps = (time.perf_counter() - start) / len(job.trials), job.trials[0].steps
    whole = {name: session for name, session in begun.items() if session.count == steps}
    return tuple(
        ended(whole[trial.name], trial, seconds, "", len(begun)) if trial.name in whole else _alone(trial, job.device)
        for trial in job.trials
    )


def _alone(trial: Trial, device: str) -> Outcome:
    session = Session(trial.recipe, device)
    start, why = time.perf_counter(), ""
    try:
        for _ in range(trial.steps):
            session.step()
    except Diverged as fault:
        why = str(fault)
    return ended(session, trial, time.perf_counter() - start, why)


def ended(session: Session, trial: Trial, seconds: float, why: str, together: int = 1) -> Outcome:
    """Returns the outcome of a run that has ended, with its exact figures."""

    session.density = _density(trial.recipe.target, trial.recipe.window)
    figures = finite(session.evaluate().to_json())
    tried = Tried(
        name=trial.name,
        recipe=trial.recipe,
        steps=session.count,
        seconds=seconds,
        figures=figures,
        diverged=bool(why),
        why=why,
        knobs=trial.knobs,
        together=together,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.ebmlab"
        save_run(session, path, figures)
        return Outcome(tried=tried, session=path.read_bytes())


@lru_cache(maxsize=2)
def _density(target: Target, window: Window) -> Density:
    """Returns the density of a target, the same for all runs: what exact figures need of it is worked out once."""

    return target.build(Files(), window)
