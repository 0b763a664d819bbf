"""What the estimators that follow the likelihood's gradient in two phases share."""

from __future__ import annotations

import torch
from torch import Tensor

from ebmlab.engine.estimators.base import Terms
from ebmlab.engine.samplers.base import Chains, Info, Sampler
from ebmlab.engine.types import Energy, Rng, Stage, Stages

GAP = "energy gap"
"""What the surrogate is called on the chart: about 0 where data and negatives agree, swinging where training does."""


def move(sampler: Sampler, steps: int, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
    """Moves chains by a number of transitions; returns them and what happened in the last."""

    yield Stage("negatives", f"{len(chains.x)} chains are about to move {steps} times.", chains.x)
    for i in range(steps):
        before = chains.x
        chains, info = yield from sampler.stages(energy, chains, rng)
        yield Stage("negatives", f"The negatives moved: {i + 1} of {steps}.", chains.x, before)
    return chains, info


def fleeting(sampler: Sampler, steps: int) -> str:
    """Says that chains that are set up at each training step do not outlive the warm-up; empty where they do."""

    if (warm_up := sampler.warm_up()) < steps:
        return ""
    return f"chains begin anew at each training step, and their {steps} moves end within {sampler.kind}'s {warm_up}"


def contrast(energy: Energy, positives: Tensor, negatives: Tensor) -> Stages[Terms]:
    r"""Returns the surrogate :math:`\overline{E(x^+)} - \overline{E(x^-)}`, whose gradient is the two phases'."""

    yield Stage("positive", "Positive phase: the energy falls at the data.", positives)
    yield Stage("negative", "Negative phase: the energy rises at the negatives.", negatives)
    at_data, at_model = energy(torch.cat([positives, negatives])).split([len(positives), len(negatives)])
    loss = at_data.mean() - at_model.mean()
    return Terms(loss, negatives, loss.detach())
