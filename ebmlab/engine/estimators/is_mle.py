from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.diagnostics import pareto_k
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.noise import GaussianNoise
from ebmlab.engine.estimators.weights import log_average, systematic, worth
from ebmlab.engine.types import Energy, Rng, Stage, Stages
from ebmlab.spec import knob, part


@ESTIMATORS.register("is-mle")
@dataclass(frozen=True, kw_only=True)
class ImportanceSampledLikelihood(Estimator):
    r"""Maximum likelihood with importance-sampled negatives.

    .. math:: L = \overline{E_\theta(x)} + \log \frac{1}{n} \sum_{i=1}^{n} w_i, \qquad
        w_i = \frac{e^{-E_\theta(y_i)}}{q(y_i)}, \qquad y_i \sim q

    .. math:: \nabla_\theta L = \mathbb{E}_{p}[\nabla_\theta E_\theta]
        - \frac{\sum_i w_i \, \nabla_\theta E_\theta(y_i)}{\sum_i w_i}

    The negatives are noise, weighted to stand for the model: no chain has to mix, and the mean weight estimates Z at
    every step. The gradient is consistent: biased by the order of :math:`1 / n`, as is :math:`\log Z`, too low on
    average. The noise must reach wherever the model does. Where it does not, a few weights rule and the energy may fall
    unseen; in many dimensions that is everywhere.

    References:
        | Quick training of probabilistic neural nets by importance sampling (Bengio & Senécal, 2003)
        | https://proceedings.mlr.press/r4/bengio03a.html
    """

    objective: ClassVar[str] = "NLL by weights"

    samples: int = knob(
        1024, "Noise points n per training step.", low=2, high=1_000_000, soft=(64, 16384), scale="log", symbol="n"
    )
    noise: GaussianNoise = part("", GaussianNoise(width=4.0), "The law q that the negatives are drawn from.")

    def warning(self, energy: Energy, batch: Batch, memory: Tensor | None) -> str:
        if memory is None or not (k := pareto_k(memory)) > 0.7:
            return ""
        return f"{len(memory)} noise points are worth {worth(memory).item():.0f}; their weights' tail has shape {k:.2f}"

    def stages(self, energy: Energy, batch: Batch, memory: Tensor | None, rng: Rng) -> Stages[tuple[Terms, Tensor]]:
        y = self.noise.sample(self.samples, rng, batch.x)
        yield Stage("noise", "Noise points are drawn, for the model to be weighed at.", y)
        at_data, at_noise = energy(torch.cat([batch.x, y])).split([len(batch.x), self.samples])
        log_w = -at_noise - self.noise.log_density(y)
        weights = log_w.detach()
        negatives = y[systematic(weights, len(batch.x), rng)]
        yield Stage("resample", "Drawn by their weights, the noise points stand for the model.", negatives)

        yield Stage("positive", "Positive phase: the energy falls at the data.", batch.x)
        yield Stage("negative", "Negative phase: the energy rises at the noise, by its weights.", y)
        log_z = log_average(log_w)
        loss = at_data.mean() + log_z
        return Terms(loss, negatives, loss.detach(), log_z=log_z.detach()), weights
