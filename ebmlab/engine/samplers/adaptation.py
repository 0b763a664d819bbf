"""Tuning of a step size during a warm-up, by dual averaging."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from ebmlab.engine.memory import remembered
from ebmlab.engine.samplers.base import Chains, Info, Sampler
from ebmlab.engine.types import Energy, Rng, Stages
from ebmlab.spec import knob

SHRINKAGE = 0.05
DELAY = 10
DECAY = 0.75
LOG_STEPS = (math.log(1e-6), math.log(100.0))
"""Where the logarithm of a tuned step size stays, so that a flat energy does not send it to infinity."""


@remembered
class Tuning(NamedTuple):
    """How far the tuning has come; all chains share one step size."""

    seen: int  # transitions of the warm-up
    shortfall: float  # weighted mean of the acceptance aimed at less that seen
    log_step: float  # what the next transition of the warm-up tries
    log_mean: float  # what is kept after it


@dataclass(frozen=True, kw_only=True)
class Adaptive(Sampler, ABC):
    r"""Abstract kernel with a test, whose step size may be tuned while it warms up.

    .. math:: \bar{g}_m = \left(1 - \frac{1}{m + t_0}\right) \bar{g}_{m-1} + \frac{\delta - \alpha_m}{m + t_0}, \qquad
        \log \epsilon_{m+1} = \log 10 \epsilon_0 - \frac{\sqrt{m}}{\gamma} \, \bar{g}_m

    .. math:: \log \bar{\epsilon}_{m+1} = m^{-\kappa} \log \epsilon_{m+1} + (1 - m^{-\kappa}) \log \bar{\epsilon}_m

    with :math:`\gamma = 0.05`, :math:`t_0 = 10`, :math:`\kappa = 0.75`, and :math:`\alpha_m` the mean acceptance over
    all chains. Every transition of the warm-up uses :math:`\epsilon_m`; later ones use the last
    :math:`\bar{\epsilon}`, which is frozen, so that from then on the kernel is exact.

    References:
        | The No-U-Turn Sampler: adaptively setting path lengths in Hamiltonian Monte Carlo (Hoffman & Gelman, 2014)
        | https://www.jmlr.org/papers/v15/hoffman14a.html
    """

    step_size: float = knob(0.1, "Step size ε.", low=1e-6, high=10.0, soft=(1e-3, 1.0), scale="log", symbol="ε")
    adapt: int = knob(
        0, "Transitions of a warm-up that tunes the step size; 0 keeps it as it is.", low=0, high=100_000, soft=(0, 500)
    )
    acceptance: float = knob(
        0.8, "Mean acceptance δ that the warm-up aims at.", low=0.05, high=0.99, soft=(0.2, 0.95), symbol="δ"
    )

    @property
    def invariant(self) -> bool:  # type: ignore[override]
        """Whether every transition is exact: those that tune are not."""

        return self.adapt == 0

    @abstractmethod
    def moves(self, energy: Energy, chains: Chains, step: float, rng: Rng) -> Stages[tuple[Chains, Info]]:
        """Moves every chain once with a step size, pausing at each named stage."""

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        if not self.adapt:
            return (yield from self.moves(energy, chains, self.step_size, rng))
        start = math.log(self.step_size)
        tuning = chains.extra or Tuning(0, 0.0, start, start)
        warm = tuning.seen < self.adapt
        step = math.exp(tuning.log_step if warm else tuning.log_mean)
        chains, info = yield from self.moves(energy, chains, step, rng)
        return chains._replace(extra=self.tuned(tuning, info.accept) if warm else tuning), info

    def tuned(self, tuning: Tuning, accept: Tensor) -> Tuning:
        """Returns the tuning after a transition with these acceptances, with shape (n)."""

        if not len(accept):
            return tuning
        m = tuning.seen + 1
        weight = 1 / (m + DELAY)
        shortfall = (1 - weight) * tuning.shortfall + weight * (self.acceptance - accept.mean().item())
        log_step = math.log(10 * self.step_size) - math.sqrt(m) / SHRINKAGE * shortfall
        log_step = min(max(log_step, LOG_STEPS[0]), LOG_STEPS[1])
        share = m**-DECAY
        return Tuning(m, shortfall, log_step, share * log_step + (1 - share) * tuning.log_mean)

    def warm_up(self) -> int:
        return self.adapt

    def caution(self) -> str:
        return f"the first {self.adapt} transitions tune the step size and are not exact" if self.adapt else ""
