from __future__ import annotations

from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene, biased, log_mean, weights_warning
from ebmlab.engine.logz.start import Seen, Start, Tempered, start_for
from ebmlab.engine.samplers.base import Sampler
from ebmlab.engine.samplers.mala import MetropolisLangevin
from ebmlab.engine.types import Rng
from ebmlab.spec import BadInput, knob, part


@dataclass(frozen=True, kw_only=True)
class Annealing(LogZMethod, ABC):
    r"""Abstract walk along a ladder of energies between a broad normal law and the model.

    .. math:: E_\beta = (1 - \beta) E_0 + \beta E, \qquad \beta_k = (k / K)^\gamma
    """

    particles: int = knob(128, "Particles that climb the ladder.", low=2, high=100_000, soft=(32, 4096), scale="log")
    rungs: int = knob(64, "Rungs K of the ladder.", low=1, high=100_000, soft=(5, 1000), scale="log", symbol="K")
    steps: int = knob(1, "Transitions on each rung.", low=1, high=1000, soft=(1, 20))
    width: float = knob(
        0.0,
        "Standard deviation of the broad law; 0 for the window's longer side.",
        low=0.0,
        high=1e4,
        soft=(0.0, 20.0),
        symbol="σ",
    )
    power: float = knob(
        1.5, "Power γ of the schedule: above 1 most rungs stand near the broad law.", low=0.1, high=10.0, symbol="γ"
    )
    sampler: Sampler = part("sampler", MetropolisLangevin(step_size=0.3), "What moves the particles on each rung.")

    def validate(self) -> None:
        if self.sampler.temperature_sampled() != 1.0:
            message = f"the sampler has temperature {self.sampler.temperature_sampled():g}; log Z needs temperature 1"
            raise BadInput(message, key="sampler")

    def caution(self) -> str:
        return biased(self.sampler)

    def schedule(self) -> list[float]:
        """Returns the K + 1 inverse temperatures from 0 to 1."""

        return [(k / self.rungs) ** self.power for k in range(self.rungs + 1)]

    def walk(self, scene: Scene, start: Start, x: Tensor, betas: list[float], rng: Rng) -> Iterator[tuple[Tensor, int]]:
        r"""Moves particles along the ladder; yields log weights and the energies evaluated, rung by rung.

        The weights yielded on a rung jump from it straight to the end of the ladder, so each is a valid, if noisier,
        answer: that of a ladder without the rungs to come.
        """

        log_w = torch.zeros(len(x), dtype=torch.float64)
        evaluations = 0
        for beta, following in pairwise(betas):
            value, grad = value_and_grad(scene.energy, x)
            gap = (value - start(x)).cpu().double()
            evaluations += len(x)
            yield log_w - (betas[-1] - beta) * gap, evaluations
            log_w -= (following - beta) * gap
            if following == betas[-1]:
                break
            x = self.move(Tempered(start, scene.energy, following), Seen(x, value, grad), rng)
            evaluations += self.steps * len(x)

    def move(self, energy: Tempered, seen: Seen, rng: Rng) -> Tensor:
        """Moves particles by the transitions of one rung; the first of them needs no new evaluation to begin."""

        y = seen.x / energy.scale
        energy = replace(energy, seen=seen._replace(x=y))
        chains = self.sampler.init(energy, y)
        for _ in range(self.steps):
            chains, _ = self.sampler.step(energy, chains, rng)
        return chains.x * energy.scale


@LOG_ZS.register("ais")
@dataclass(frozen=True, kw_only=True)
class AIS(Annealing):
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

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        start = start_for(scene, self.width, 1.0)
        x = start.sample(self.particles, rng)
        for k, (log_w, evaluations) in enumerate(self.walk(scene, start, x, self.schedule(), rng), 1):
            yield LogZ(*log_mean(log_w), k / self.rungs, evaluations, "lower", weights_warning(log_w))


@LOG_ZS.register("reverse-ais")
@dataclass(frozen=True, kw_only=True)
class ReverseAIS(Annealing):
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

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        if scene.exact is None:
            raise BadInput("reverse-ais needs exact samples, which only the plane affords; use ais")
        start = start_for(scene, self.width, 1.0)
        x = scene.exact(self.particles, rng).to(scene.like)
        for k, (log_w, evaluations) in enumerate(self.walk(scene, start, x, self.schedule()[::-1], rng), 1):
            value, stderr = log_mean(log_w)
            yield LogZ(-value, stderr, k / self.rungs, evaluations, "upper", weights_warning(log_w))
