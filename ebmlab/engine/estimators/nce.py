from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.noise import GaussianNoise, logistic
from ebmlab.engine.types import Energy, Rng, Stage, Stages
from ebmlab.spec import knob, part

EASY = 0.02
"""The mean loss at the data, in nats, below which they are told apart too easily to learn from."""


@ESTIMATORS.register("nce")
@dataclass(frozen=True, kw_only=True)
class NoiseContrastiveEstimation(Estimator):
    r"""Noise-contrastive estimation (NCE).

    .. math:: L = -\mathbb{E}_{p} \log \sigma(h(x)) - \nu \, \mathbb{E}_{q} \log \sigma(-h(x)), \qquad
        h(x) = -E_\theta(x) - c - \log q(x) - \log \nu

    A classifier tells data from noise q, with :math:`\nu` noise points to each data point; :math:`\sigma` is the
    logistic function. At its best h is the true log-ratio, so :math:`p = e^{-E - c}` is normalised, and the parameter
    c has learnt :math:`\log Z`. It starts at the estimate by importance sampling. The noise must cover the data and
    be near them: noise far away is told apart without learning much, and where there is neither data nor noise
    anything goes.

    References:
        | Noise-contrastive estimation: a new estimation principle for unnormalized statistical models (Gutmann & Hyvärinen, 2010)
        | https://proceedings.mlr.press/v9/gutmann10a.html
    """  # noqa: E501

    objective: ClassVar[str] = "NCE loss"

    ratio: int = knob(4, "Noise points ν per data point.", low=1, high=1000, soft=(1, 20), scale="log", symbol="ν")
    noise: GaussianNoise = part("", GaussianNoise(), "The law q that the data are told apart from.")

    @torch.no_grad()
    def init(self, energy: Energy, batch: Batch, rng: Rng) -> Tensor:
        return self.noise.log_z(energy, max(1024, self.ratio * len(batch.x)), rng, batch.x).requires_grad_()

    def learnt(self, memory: Tensor) -> Iterable[Tensor]:
        return (memory,)

    def warning(self, energy: Energy, batch: Batch, memory: Tensor) -> str:
        if said := self.noise.complaint(batch.x):
            return said
        if memory is not None and softplus(-self._odds(energy, batch.x, memory)).mean() < EASY:
            return "the data are told from the noise at a glance: little is left to learn; bring the noise nearer"
        return ""

    def stages(self, energy: Energy, batch: Batch, memory: Tensor, rng: Rng) -> Stages[tuple[Terms, Tensor]]:
        n = len(batch.x)
        x = torch.cat([batch.x, self.noise.sample(self.ratio * n, rng, batch.x)])
        yield Stage("noise", "Noise points are drawn, for the data to be told apart from.", x[n:])

        h = self._odds(energy, x, memory)
        yield Stage("positive", "The energy falls where data are taken for noise.", x[:n])
        yield Stage("negative", "The energy rises where noise is taken for data.", x[n:])
        loss = logistic(h, n, self.ratio)
        return Terms(loss, value=loss.detach(), log_z=memory.detach().clone()), memory

    def _odds(self, energy: Energy, x: Tensor, c: Tensor) -> Tensor:
        return -energy(x) - c - self.noise.log_density(x) - math.log(self.ratio)
