from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.logz.base import LOG_ZS, LogZ, Scene
from ebmlab.engine.logz.ladder import Counted, Ladder
from ebmlab.engine.logz.population import Population, Tempering
from ebmlab.engine.logz.start import start_for
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


class Mean(NamedTuple):
    r"""What a rung contributes: the mean of :math:`U = E_0 - E` there, and what it rests on."""

    beta: float
    mean: Tensor  # ()
    variance: Tensor  # (), of U
    share: Tensor  # (n,), of each particle in the mean, times n
    excess: Tensor  # (n,), U less its mean
    ancestor: Tensor  # (n,), which of the first particles each descends from


@LOG_ZS.register("thermodynamic")
@dataclass(frozen=True, kw_only=True)
class ThermodynamicIntegration(Ladder):
    r"""Thermodynamic integration, also called path sampling.

    .. math:: \log Z = \int_0^1 \mathbb{E}_\beta[U(x)] \, d\beta, \qquad U = E_0 - E

    .. math:: \log \hat{Z} = \sum_{k=0}^{K-1} \frac{\Delta_k}{2} (\bar{U}_k + \bar{U}_{k+1})
        - \frac{\Delta_k^2}{12} (V_{k+1} - V_k), \qquad \Delta_k = \beta_{k+1} - \beta_k

    The mean of U on each rung is that of a population of particles which is moved, weighted and resampled as it climbs;
    the slope of the integrand is the variance V of U, which corrects the trapezoid rule. Near the broad law the
    integrand is steep: on an even schedule the integral is far off while the particles' spread tells nothing of it,
    and a power of 4 or so puts most rungs there. The error shown is that between the families of the first particles,
    together with what the change from half the rungs says of the rule. The energy must have
    a finite mean under the broad law, which one with hard walls has not.

    References:
        | Simulating normalizing constants: from importance sampling to bridge sampling to path sampling (Gelman & Meng, 1998)
        | https://doi.org/10.1214/ss/1028905934
        | Marginal likelihood estimation via power posteriors (Friel & Pettitt, 2008)
        | https://doi.org/10.1111/j.1467-9868.2007.00650.x
        | Improving power posterior estimation of statistical evidence (Friel, Hurn & Wyse, 2014)
        | https://doi.org/10.1007/s11222-013-9397-1
    """  # noqa: E501

    particles: int = knob(512, "Particles that climb the ladder.", low=2, high=100_000, soft=(32, 4096), scale="log")
    rungs: int = knob(32, "Rungs K of the ladder.", low=1, high=10_000, soft=(5, 200), scale="log", symbol="K")
    steps: int = knob(3, "Transitions on each rung.", low=1, high=1000, soft=(1, 20))
    power: float = knob(
        4.0, "Power γ of the schedule: above 1 most rungs stand near the broad law.", low=0.1, high=10.0, symbol="γ"
    )
    corrected: bool = knob(True, "Whether the trapezoid rule is corrected by the slope of the integrand.")

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        start, energy = start_for(scene, self.width, 1.0), Counted(scene.energy)
        tempering = Tempering(self.sampler, self.steps, 0.5, tuple(self.schedule()))
        means: list[Mean] = []
        for here in tempering.climb(energy, start, start.sample(self.particles, rng), rng):
            found = LogZ(math.nan, math.inf, here.beta ** (1 / self.power), energy.evaluations)
            if here.settled:
                means.append(mean_of(here))
            yield self._estimate(means, found) if here.settled and here.beta == 1 else found

    def _estimate(self, means: list[Mean], last: LogZ) -> LogZ:
        value, stderr = integral(means, self.corrected), spread(means, self.corrected)
        if not math.isfinite(value):
            why = "the energy has no finite mean under the broad law; use smc"
            return last._replace(warning=why)
        change = value - integral([*means[:-1:2], means[-1]], self.corrected)
        # Only where half the rungs nearly do is the order of the rule of any use.
        off = change / (15 if self.corrected else 3) if abs(change) < 1 else change
        return last._replace(value=value, stderr=math.hypot(stderr, off), warning=coarse(off))


def mean_of(here: Population) -> Mean:
    """Returns the mean and variance of U over a population."""

    share = here.log_w.softmax(0)
    mean = -(share * here.gap).sum()
    excess = -here.gap - mean
    return Mean(here.beta, mean, (share * excess.square()).sum(), share * len(share), excess, here.ancestor)


def integral(means: list[Mean], corrected: bool) -> float:
    """Returns the integral of the mean of U from the first rung to the last."""

    return sum((a * m.mean + b * m.variance).item() for m, (a, b) in zip(means, factors(means, corrected)))


def spread(means: list[Mean], corrected: bool) -> float:
    """Returns the standard error of the integral: that between the families of the first particles."""

    total = torch.zeros_like(means[0].excess)
    for m, (a, b) in zip(means, factors(means, corrected)):
        pull = m.share * (a * m.excess + b * (m.excess.square() - m.variance))
        total.index_add_(0, m.ancestor, pull)
    n = len(total)
    return math.sqrt(total.square().sum().item() / (n * (n - 1)))


def factors(means: list[Mean], corrected: bool) -> list[tuple[float, float]]:
    """Returns by what each rung's mean and variance enter the integral."""

    steps = [0.0, *(b.beta - a.beta for a, b in pairwise(means)), 0.0]
    slope = 1 / 12 if corrected else 0.0
    return [((a + b) / 2, slope * (b * b - a * a)) for a, b in pairwise(steps)]


def coarse(off: float) -> str:
    """Says that the rungs stand too far apart, empty where they do not."""

    if abs(off) < 0.1:
        return ""
    return f"the rungs stand too far apart, so the integral is off by about {abs(off):.2g}; take more or a power near 4"
