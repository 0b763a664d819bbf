from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.noise import GaussianNoise
from ebmlab.engine.types import Energy, Rng, Stage, Stages
from ebmlab.spec import knob, part


@ESTIMATORS.register("ranking-nce")
@dataclass(frozen=True, kw_only=True)
class RankingNoiseContrastiveEstimation(Estimator):
    r"""Ranking noise-contrastive estimation, also known as InfoNCE.

    .. math:: L = -\mathbb{E} \log \frac{e^{h(x_0)}}{\sum_{k=0}^{K} e^{h(x_k)}}, \qquad
        h(x) = -E_\theta(x) - \log q(x), \qquad x_0 \sim p, \quad x_1, \dots, x_K \sim q

    The data point must be picked out from among K points of noise. A constant in the energy cancels, so no
    :math:`\log Z` is learnt; the same noise estimates it as :math:`\log \overline{e^{-E} / q}`. At the truth
    :math:`\log(K + 1) - L` rises to :math:`\mathrm{KL}(p \, \| \, q)` as K grows and never exceeds
    :math:`\log(K + 1)`: with noise far from the data many points are needed. As K grows the estimate tends to maximum
    likelihood. Within a step the noise points are shared: every one is among the K of several data points.

    References:
        | Exploring the limits of language modeling (Jozefowicz et al., 2016)
        | https://arxiv.org/abs/1602.02410
        | Noise contrastive estimation and negative sampling for conditional models: consistency and statistical efficiency (Ma & Collins, 2018)
        | https://arxiv.org/abs/1809.01812
    """  # noqa: E501

    objective: ClassVar[str] = "ranking loss"

    rivals: int = knob(
        100,
        "Noise points K that each data point is picked from.",
        low=1,
        high=4096,
        soft=(1, 1000),
        scale="log",
        symbol="K",
    )
    noise: GaussianNoise = part("", GaussianNoise(), "The law q that the data are told apart from.")

    def warning(self, energy: Energy, batch: Batch, memory: None) -> str:
        return self.noise.complaint(batch.x)

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        n, m = len(batch.x), max(len(batch.x), self.rivals)
        x = torch.cat([batch.x, self.noise.sample(m, rng, batch.x)])
        yield Stage("noise", "Noise points are drawn, for the data to be picked out from.", x[n:])

        h = -energy(x) - self.noise.log_density(x)
        yield Stage("positive", "The energy falls where noise outranks the data.", x[:n])
        yield Stage("negative", "The energy rises at the noise that outranks them.", x[n:])
        loss = softplus(rivalry(h[n:], self.rivals)[:n] - h[:n]).mean()
        log_z = torch.logsumexp(h[n:].detach(), 0) - math.log(m)
        return Terms(loss, value=loss.detach(), log_z=log_z), None


def rivalry(h: Tensor, k: int) -> Tensor:
    r"""Returns :math:`\log \sum e^h` over the k values from each of m on, as on a ring, with shape :math:`(m)`."""

    return torch.cat([h, h[: k - 1]]).unfold(0, k, 1).logsumexp(-1)
