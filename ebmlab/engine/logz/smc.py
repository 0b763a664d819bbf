from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ebmlab.engine.logz.base import LOG_ZS, LogZ, Scene, log_mean, weights_warning
from ebmlab.engine.logz.ladder import Counted, Ladder
from ebmlab.engine.logz.population import Tempering, lineages
from ebmlab.engine.logz.start import start_for
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@LOG_ZS.register("smc")
@dataclass(frozen=True, kw_only=True)
class SequentialMonteCarlo(Ladder):
    r"""Sequential Monte Carlo sampler (SMC).

    .. math:: \hat{Z} = \prod_{k=1}^{K} \sum_i W_{k-1}^i
        \exp\bigl(-(\beta_k - \beta_{k-1}) \, (E - E_0)(x_{k-1}^i)\bigr)

    Annealed importance sampling in which particles of little weight die and those of much have offspring: whenever the
    weights W are worth less than a share of the particles, all are drawn anew in proportion to them, by systematic
    resampling. On a fixed schedule :math:`\hat{Z}` is unbiased, so that :math:`\log \hat{Z}` lies below :math:`\log Z`
    on average. With 0 rungs each :math:`\beta_k` is the farthest at which the weights are worth that share, and strides
    of which few are taken are shortened: far cheaper, and consistent, but since the particles choose their own rungs it
    is neither quite unbiased nor a bound. The error is that between the families of the first particles, and it can
    only see what at least some family has seen.

    References:
        | Sequential Monte Carlo samplers (Del Moral, Doucet & Jasra, 2006)
        | https://doi.org/10.1111/j.1467-9868.2006.00553.x
        | On the convergence of adaptive sequential Monte Carlo methods (Beskos, Jasra, Kantas & Thiery, 2016)
        | https://arxiv.org/abs/1306.6462
        | Variance estimation in the particle filter (Lee & Whiteley, 2018)
        | https://arxiv.org/abs/1509.00394
    """

    particles: int = knob(1024, "Particles that climb the ladder.", low=2, high=100_000, soft=(32, 4096), scale="log")
    rungs: int = knob(
        0,
        "Rungs K of a fixed ladder; 0 for one that follows the weights.",
        low=0,
        high=100_000,
        soft=(0, 200),
        symbol="K",
    )
    steps: int = knob(5, "Transitions on each rung.", low=1, high=1000, soft=(1, 20))
    power: float = knob(
        4.0, "Power γ of a fixed schedule: above 1 most rungs stand near the broad law.", low=0.1, high=10.0, symbol="γ"
    )
    share: float = knob(
        0.5, "Share of the particles that the weights must be worth, lest they be resampled.", low=0.01, high=0.99
    )

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        start, energy = start_for(scene, self.width, 1.0), Counted(scene.energy)
        betas = tuple(self.schedule()) if self.rungs else ()
        tempering = Tempering(self.sampler, self.steps, self.share, betas, adapt=not betas)
        found, reached = LogZ(math.nan, math.inf, 0.0, 0, self.bound("lower") if betas else None), 0.0
        for here in tempering.climb(energy, start, start.sample(self.particles, rng), rng):
            if here.beta > reached:
                reached = here.beta
                ahead = (1 - reached) * here.gap if reached < 1 else 0.0
                families = lineages(here.log_w - ahead, here.ancestor)
                value, stderr = log_mean(families)
                found = found._replace(value=value, stderr=stderr, warning=weights_warning(families))
            yield found._replace(progress=reached ** (1 / self.power), evaluations=energy.evaluations)
            if reached == 1:
                return
