from __future__ import annotations

from dataclasses import dataclass

from ebmlab.engine.samplers.adaptation import Adaptive
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info
from ebmlab.engine.samplers.langevin import langevin, log_ratio
from ebmlab.engine.samplers.metropolis import accept_or_stay
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@SAMPLERS.register("mala")
@dataclass(frozen=True, kw_only=True)
class MetropolisLangevin(Adaptive):
    r"""Metropolis-adjusted Langevin algorithm (MALA).

    .. math:: x' = x - \epsilon \, \nabla E(x) + \sqrt{2 \epsilon \tau} \, z, \qquad z \sim \mathcal{N}(0, I)

    .. math:: \log \alpha = \min\left(0, \; \frac{E(x) - E(x')}{\tau} + z \cdot b - \frac{|b|^2}{2}\right),
        \qquad b = \sqrt{\frac{\epsilon}{2 \tau}} \, (\nabla E(x) + \nabla E(x'))

    A Langevin move is a proposal, taken with probability :math:`\alpha`, and :math:`\exp(-E / \tau)` is left invariant
    whatever the step size. A step too large costs no exactness and never makes a chain fly off: chains stand still
    instead, so there is no limit of stability. In high dimension mixing is best where about 57 % are accepted, and a
    warm-up may tune the step to that by dual averaging; it is not exact, and what follows it is.

    References:
        | Exponential convergence of Langevin distributions and their discrete approximations (Roberts & Tweedie, 1996)
        | https://doi.org/10.2307/3318418
        | Optimal scaling of discrete approximations to Langevin diffusions (Roberts & Rosenthal, 1998)
        | https://doi.org/10.1111/1467-9868.00123
    """

    step_size: float = knob(5e-2, "Step size ε.", low=1e-6, high=10.0, soft=(1e-4, 1.0), scale="log", symbol="ε")
    acceptance: float = knob(
        0.57, "Mean acceptance δ that the warm-up aims at.", low=0.05, high=0.99, soft=(0.2, 0.95), symbol="δ"
    )
    temperature: float = knob(1.0, "Temperature τ of the target.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ")

    def moves(self, energy: Energy, chains: Chains, step: float, rng: Rng) -> Stages[tuple[Chains, Info]]:
        z = randn(chains.x.shape, rng, chains.x)
        there = self.init(energy, langevin(chains, z, step, self.temperature))
        yield Stage("proposal", "Each chain follows the force and is kicked by noise: a proposal.", there.x, chains.x)

        moved = accept_or_stay(chains, there, log_ratio(chains, there, z, step, self.temperature), rng)
        yield Stage("accepted", "Each proposal is taken with probability α, or the chain stays.", moved[0].x, chains.x)
        return moved

    def temperature_sampled(self) -> float:
        return self.temperature
