from __future__ import annotations

import math
from dataclasses import dataclass

from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler
from ebmlab.engine.samplers.metropolis import accept_or_stay
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@SAMPLERS.register("mala")
@dataclass(frozen=True, kw_only=True)
class MetropolisLangevin(Sampler):
    r"""Metropolis-adjusted Langevin algorithm (MALA).

    .. math:: x' = x - \epsilon \, \nabla E(x) + \sqrt{2 \epsilon \tau} \, z, \qquad z \sim \mathcal{N}(0, I)

    .. math:: \log \alpha = \min\left(0, \; \frac{E(x) - E(x')}{\tau} + z \cdot b - \frac{|b|^2}{2}\right),
        \qquad b = \sqrt{\frac{\epsilon}{2 \tau}} \, (\nabla E(x) + \nabla E(x'))

    A Langevin move is a proposal, taken with probability :math:`\alpha`, and :math:`\exp(-E / \tau)` is left invariant
    whatever the step size. A step too large costs no exactness and never makes a chain fly off: chains stand still
    instead, so there is no limit of stability. In high dimension mixing is best where about 57 % are accepted.

    References:
        | Exponential convergence of Langevin distributions and their discrete approximations (Roberts & Tweedie, 1996)
        | https://doi.org/10.2307/3318418
        | Optimal scaling of discrete approximations to Langevin diffusions (Roberts & Rosenthal, 1998)
        | https://doi.org/10.1111/1467-9868.00123
    """

    step_size: float = knob(5e-2, "Step size ε.", low=1e-6, high=10.0, soft=(1e-4, 1.0), scale="log", symbol="ε")
    temperature: float = knob(1.0, "Temperature τ of the target.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ")

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        z = randn(chains.x.shape, rng, chains.x)
        x = chains.x - self.step_size * chains.grad + math.sqrt(2 * self.step_size * self.temperature) * z
        there = self.init(energy, x)
        yield Stage("proposal", "Each chain follows the force and is kicked by noise: a proposal.", x, chains.x)

        b = math.sqrt(self.step_size / (2 * self.temperature)) * (chains.grad + there.grad)
        log_ratio = (chains.energy - there.energy) / self.temperature + ((z - b / 2) * b).sum(-1)
        moved = accept_or_stay(chains, there, log_ratio, rng)
        yield Stage("accepted", "Each proposal is taken with probability α, or the chain stays.", moved[0].x, chains.x)
        return moved

    def temperature_sampled(self) -> float:
        return self.temperature
