from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn.functional import softplus

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@ESTIMATORS.register("cnce")
@dataclass(frozen=True, kw_only=True)
class ConditionalNoiseContrastiveEstimation(Estimator):
    r"""Conditional noise-contrastive estimation.

    .. math:: L = 2 \, \mathbb{E}_{x, y} \log\left(1 + e^{-G}\right), \qquad G = E_\theta(y) - E_\theta(x), \qquad
        y = x + \omega e, \quad e \sim \mathcal{N}(0, I)

    Each data point x is told from a copy y moved by a random step, as likely there as back, so that neither the law of
    the noise nor :math:`\log Z` appears. The energy learnt is right for every width :math:`\omega`. A small one is
    implicit score matching, :math:`4 (L / 2 - \log 2) / \omega^2 \to J`, at a growing variance, and shares its
    blindness: where two modes lie many widths apart, nothing says how they share the mass. A large one makes most
    copies easy to tell.

    References:
        | Conditional noise-contrastive estimation of unnormalised models (Ceylan & Gutmann, 2018)
        | https://arxiv.org/abs/1806.03664
    """

    objective: ClassVar[str] = "cNCE loss"

    width: float = knob(
        1.0,
        "Width ω of the random step from each data point.",
        low=1e-3,
        high=100.0,
        soft=(0.05, 5.0),
        scale="log",
        symbol="ω",
    )
    ratio: int = knob(1, "Noise points ν per data point.", low=1, high=1000, soft=(1, 20), scale="log", symbol="ν")

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        n = len(batch.x)
        origin = batch.x.repeat(self.ratio, 1)
        y = origin + self.width * randn(origin.shape, rng, origin)
        yield Stage("noise", "From each data point noise takes a random step.", y, origin)

        at_data, at_noise = energy(torch.cat([batch.x, y])).split([n, n * self.ratio])
        yield Stage("positive", "The energy falls where data are taken for noise.", batch.x)
        yield Stage("negative", "The energy rises where noise is taken for data.", y)
        loss = 2 * softplus(at_data - at_noise.view(self.ratio, n)).mean()
        return Terms(loss, value=loss.detach()), None
