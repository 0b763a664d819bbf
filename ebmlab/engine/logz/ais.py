from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.logz.base import LOG_ZS, LogZ, Scene, log_mean, weights_warning
from ebmlab.engine.logz.ladder import Counted, Ladder
from ebmlab.engine.logz.start import Start, start_for
from ebmlab.engine.types import Energy, Rng
from ebmlab.spec import BadInput


@LOG_ZS.register("ais")
@dataclass(frozen=True, kw_only=True)
class AIS(Ladder):
    r"""Annealed importance sampling.

    .. math:: \log \hat{Z} = \log \frac{1}{n} \sum_i w_i, \qquad
        \log w = - \sum_{k=1}^{K} (\beta_k - \beta_{k-1}) \, (E - E_0)(x_{k-1}), \qquad x_k \sim T_k(x_{k-1}, \cdot)

    Particles start from a broad normal law and are moved on each rung by a kernel :math:`T_k` that leaves
    :math:`\exp(-E_{\beta_k})` invariant. Then :math:`\hat{Z}` is unbiased, so that :math:`\log \hat{Z}` lies below
    :math:`\log Z` on average; a kernel that is not quite invariant, such as ULA, breaks both.

    References:
        | Annealed importance sampling (Neal, 2001)
        | https://doi.org/10.1023/A:1008923215028
    """

    size: ClassVar[str] = "rungs"

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        start, energy = start_for(scene, self.width, 1.0), Counted(scene.energy)
        x = start.sample(self.particles, rng)
        for k, log_w in enumerate(weights(self, energy, start, x, self.schedule(), rng), 1):
            done, bound = k / self.rungs, self.bound("lower")
            yield LogZ(*log_mean(log_w), done, energy.evaluations, bound, weights_warning(log_w))


@LOG_ZS.register("reverse-ais")
@dataclass(frozen=True, kw_only=True)
class ReverseAIS(Ladder):
    r"""Reverse annealed importance sampling.

    .. math:: \log \hat{Z} = - \log \frac{1}{n} \sum_i w_i, \qquad
        \log w = - \sum_{k=1}^{K} (\beta_{k-1} - \beta_k) \, (E - E_0)(x_k)

    Exact samples of the model walk the ladder down to the broad law. The mean weight is unbiased for
    :math:`1 / Z`, so that the estimate lies above :math:`\log Z` on average: with AIS it closes a sandwich. Exact
    samples exist where quadrature does, in the plane.

    References:
        | Sandwiching the marginal likelihood using bidirectional Monte Carlo (Grosse, Ghahramani & Adams, 2015)
        | https://arxiv.org/abs/1511.02543
    """

    from_exact: ClassVar[bool] = True
    size: ClassVar[str] = "rungs"

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        if scene.exact is None:
            raise BadInput("reverse-ais needs exact samples, which only the plane affords; use ais")
        start, energy = start_for(scene, self.width, 1.0), Counted(scene.energy)
        x = scene.exact(self.particles, rng).to(scene.like)
        for k, log_w in enumerate(weights(self, energy, start, x, self.schedule()[::-1], rng), 1):
            value, stderr = log_mean(log_w)
            done, bound = k / self.rungs, self.bound("upper")
            yield LogZ(-value, stderr, done, energy.evaluations, bound, weights_warning(log_w))


def weights(ladder: Ladder, energy: Energy, start: Start, x: Tensor, betas: list[float], rng: Rng) -> Iterator[Tensor]:
    r"""Yields the log weights of particles that walk a ladder, rung by rung, with shape (n).

    The weights yielded on a rung jump from it straight to the end of the ladder, so each is a valid, if noisier,
    answer: that of a ladder without the rungs to come.
    """

    log_w = torch.zeros(len(x), dtype=torch.float64)
    for (beta, following), rung in zip(pairwise(betas), ladder.climb(energy, start, x, betas, rng)):
        yield log_w - (betas[-1] - beta) * rung.gap
        log_w -= (following - beta) * rung.gap
