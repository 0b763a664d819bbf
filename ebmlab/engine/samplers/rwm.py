from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ebmlab.engine.samplers.adaptation import Adaptive
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, value
from ebmlab.engine.samplers.metropolis import accept_or_stay
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@SAMPLERS.register("rwm")
@dataclass(frozen=True, kw_only=True)
class RandomWalkMetropolis(Adaptive):
    r"""Random-walk Metropolis (RWM).

    .. math:: x' = x + \epsilon z, \quad z \sim \mathcal{N}(0, I), \qquad
        \alpha = \min\left(1, \; e^{-(E(x') - E(x)) / \tau}\right)

    A blind step, taken with probability :math:`\alpha`: exact whatever the step size, and without any gradient. It
    explores by diffusion, so it is slow where a step small enough to be taken is short beside the way to go; the best
    step shrinks as :math:`1 / \sqrt{d}`. Mixing is best where about 35 % are accepted in the plane, and 23 % in high
    dimension. On a normal law of variance :math:`\tau` on the line the mean acceptance is
    :math:`(2 / \pi) \arctan(2 \sqrt{\tau} / \epsilon)`.

    References:
        | Equation of state calculations by fast computing machines (Metropolis et al., 1953)
        | https://doi.org/10.1063/1.1699114
        | Weak convergence and optimal scaling of random walk Metropolis algorithms (Roberts, Gelman & Gilks, 1997)
        | https://doi.org/10.1214/aoap/1034625254
    """

    step_size: float = knob(
        0.5,
        "Step size ε, the standard deviation of a step.",
        low=1e-6,
        high=100.0,
        soft=(0.01, 5.0),
        scale="log",
        symbol="ε",
    )
    acceptance: float = knob(
        0.35, "Mean acceptance δ that the warm-up aims at.", low=0.05, high=0.99, soft=(0.2, 0.95), symbol="δ"
    )
    temperature: float = knob(1.0, "Temperature τ of the target.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ")

    def init(self, energy: Energy, x: Tensor) -> Chains:
        return Chains(x, value(energy, x))

    def moves(self, energy: Energy, chains: Chains, step: float, rng: Rng) -> Stages[tuple[Chains, Info]]:
        there = self.init(energy, chains.x + step * randn(chains.x.shape, rng, chains.x))
        yield Stage("proposal", "Each chain looks at a point nearby, drawn blindly: a proposal.", there.x, chains.x)

        moved = accept_or_stay(chains, there, (chains.energy - there.energy) / self.temperature, rng)
        yield Stage("accepted", "Each proposal is taken with probability α, or the chain stays.", moved[0].x, chains.x)
        return moved

    def temperature_sampled(self) -> float:
        return self.temperature
