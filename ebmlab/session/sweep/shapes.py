"""Which runs are trained together: those of one shape, where that was measured to be faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import torch

from ebmlab.engine.energies import EnergySpec, count
from ebmlab.session.recipe import Recipe
from ebmlab.session.sweep.spec import Trial
from ebmlab.session.sweep.work import Job

LANES = 16
"""The most runs in one batch; more gain little, and would leave other cores idle."""

LARGEST = {"dsm": 5e6, "nce": 5e6, "recovery": 1.5e6, "cd": 1.5e6, "pcd": 1.5e6, "short-run": 1.5e6}
"""Parameters times points of a step above which nothing is gained, for estimators that gain below it.

Of those left out, some do what a batch cannot (``mle``, ``lsd``, ``adversarial``), some are faster alone by derivatives
in closed form (``ism``, ``ssm``), and some leave the energy's constant to rounding (``ed``, ``cnce``), so that a run
would not be the same in a batch.
"""

ENERGIES = {"mlp", "residual", "convex", "quadratic", "rbf"}
SAMPLERS = {"ula", "leimkuhler-matthews", "baoab", "mala", "rwm"}
"""Those that were tried in a batch, and found to come to the same."""


def jobs(trials: Sequence[Trial], device: str, has: Callable[[str], bool]) -> list[Job]:
    """Returns the runs that are still to be trained as pieces of work.

    Batches are cut from the whole sweep, so that what is left of one after a kill is trained as it would have been.
    """

    shapes: dict[Recipe | str, list[Trial]] = {}
    for trial in trials:
        shape = shape_of(trial.recipe) if device == "cpu" and trial.steps > 1 else None
        shapes.setdefault(shape or trial.name, []).append(trial)
    batches = [alike[i : i + LANES] for alike in shapes.values() for i in range(0, len(alike), LANES)]
    left = [tuple(trial for trial in batch if not has(trial.name)) for batch in batches]
    return [Job(trials=batch, device=device) for batch in left if batch]


def shape_of(recipe: Recipe) -> Recipe | None:
    """Returns what a recipe has in common with all that it can be trained together with; None if it is faster alone."""

    estimator, energy = recipe.estimator, recipe.energy
    sampler = getattr(estimator, "sampler", None)
    fits = energy.kind in ENERGIES and (sampler is None or sampler.kind in SAMPLERS)
    if not fits or parameters(energy) * recipe.batch > LARGEST.get(estimator.kind, 0):
        return None
    default = Recipe()
    return replace(
        recipe,
        seed=default.seed,
        target=default.target,
        data=default.data,
        optimizer=default.optimizer,
        sampler=default.sampler,
        log_z=default.log_z,
    )


@cache
def parameters(energy: EnergySpec) -> int:
    """Returns the number of parameters of an energy."""

    return count(energy.build(torch.Generator().manual_seed(0)))
