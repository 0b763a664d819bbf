from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.diagnostics import weights_ess
from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene, log_mean, weights_warning
from ebmlab.engine.logz.fit import Mixture, Scaled, begin, improve
from ebmlab.engine.logz.start import start_for
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@dataclass(frozen=True, kw_only=True)
class Variational(LogZMethod, ABC):
    """Abstract bound by a mixture of normal laws, fitted step by step and then judged by fresh draws."""

    size: ClassVar[str] = "steps"

    components: int = knob(8, "Normal laws in the mixture q.", low=1, high=64, soft=(1, 16))
    steps: int = knob(300, "Steps of the fit.", low=0, high=100_000, soft=(50, 2000))
    batch: int = knob(
        128,
        "Draws in a step of the fit, shared among the normal laws.",
        low=1,
        high=100_000,
        soft=(16, 1024),
        scale="log",
    )
    rate: float = knob(0.05, "Rate η of the fit, which falls to 0.", low=1e-5, high=1.0, scale="log", symbol="η")
    particles: int = knob(
        4096,
        "Fresh draws n that give the bound in the end.",
        low=2,
        high=10_000_000,
        soft=(256, 65536),
        scale="log",
        symbol="n",
    )

    @abstractmethod
    def bound(self, log_w: Tensor) -> LogZ:
        """Returns the bound that independent draws give, by the logarithms of their weights w, with shape (n)."""

    @abstractmethod
    def order(self, step: int) -> float:
        """Returns the order of the mean of weights that a step of the fit brings towards Z."""

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        start = start_for(scene, 0.0, 0.5)
        energy = Scaled(scene.energy, start.mean, start.width)
        fit = begin(self.components, scene.like, scene.dim, rng)
        share = max(1, self.batch // self.components)
        done, total = 0, self.steps * share * self.components + self.particles
        for step in range(self.steps):
            rate = self.rate * (1 - step / self.steps)
            fit = improve(fit, energy, share, rate, rng, self.order(step))
            done += share * self.components
            yield LogZ(math.nan, math.inf, done / total, done)
        if not fit.q.sound:
            yield LogZ(math.nan, math.inf, 1.0, done, warning="the fit went astray; lower its rate")
            return
        for log_w in self.draws(fit.q, energy, rng):
            now = done + len(log_w)
            yield self.bound(log_w)._replace(progress=now / total, evaluations=now)

    def draws(self, q: Mixture, energy: Scaled, rng: Rng) -> Iterator[Tensor]:
        """Yields the log weights of ever more fresh draws."""

        pieces: list[Tensor] = []
        for first in range(0, self.particles, 1024):
            y = q.draw(min(1024, self.particles - first), rng)
            with torch.no_grad():
                pieces.append((-energy(y) - q.look(y).log_density).cpu().double())
            yield torch.cat(pieces)


@LOG_ZS.register("elbo")
@dataclass(frozen=True, kw_only=True)
class ELBO(Variational):
    r"""Lower bound by a mixture of normal laws.

    .. math:: \log Z \ge \operatorname{E}_q[-E(x)] + H(q), \qquad
        q(x) = \sum_k \pi_k \, \mathcal{N}(x; \mu_k, \Sigma_k)

    The gap is :math:`\operatorname{KL}(q, p)`, which no figure here tells: the standard error is that of the bound,
    not of log Z. The fit climbs the bound by stochastic gradients along the paths of the draws, with covariances in
    full; it seeks modes, and one that no component has found is missing. A single normal law is exact for a normal law
    alone.

    References:
        | An introduction to variational methods for graphical models (Jordan, Ghahramani, Jaakkola & Saul, 1999)
        | https://doi.org/10.1023/A:1007665907178
        | Automatic differentiation variational inference (Kucukelbir, Tran, Ranganath, Gelman & Blei, 2017)
        | https://arxiv.org/abs/1603.00788
    """

    def bound(self, log_w: Tensor) -> LogZ:
        stderr = log_w.std().item() / math.sqrt(len(log_w)) if len(log_w) > 1 else math.inf
        value = log_w.mean().item()
        warning = "" if math.isfinite(value) else "q reaches where the energy is infinite, so the bound says nothing"
        return LogZ(value, stderr, 0.0, 0, "lower", warning)

    def order(self, step: int) -> float:
        return 0.0


@LOG_ZS.register("cubo")
@dataclass(frozen=True, kw_only=True)
class CUBO(Variational):
    r"""Upper bound by the chi-square divergence from a mixture of normal laws.

    .. math:: \log Z \le \frac{1}{2} \log \operatorname{E}_q[w^2], \qquad w(x) = \frac{\exp(-E(x))}{q(x)}, \qquad
        q(x) = \sum_k \pi_k \, \mathcal{N}(x; \mu_k, \Sigma_k)

    The gap is :math:`\frac{1}{2} \log(1 + \chi^2(p, q))`, and infinite where the tails of q are too light. The first
    half of the fit climbs the lower bound of ``elbo``, the second descends this one, which widens q. The expectation is
    an upper bound, its estimate by n draws need not be: it is low on average, the lower the fewer weights rule. Where
    the tail of :math:`w^2` shows that, there is a warning and no claim to a bound.

    References:
        | Variational inference via chi upper bound minimization (Dieng, Tran, Ranganath, Paisley & Blei, 2017)
        | https://arxiv.org/abs/1611.00328
    """

    def bound(self, log_w: Tensor) -> LogZ:
        value, stderr = log_mean(2 * log_w)
        warning = weights_warning(2 * log_w) if weights_ess(2 * log_w) < 0.99 * len(log_w) else ""
        return LogZ(value / 2, stderr / 2, 0.0, 0, None if warning else "upper", warning)

    def order(self, step: int) -> float:
        return 0.0 if step < self.steps // 2 else 2.0
