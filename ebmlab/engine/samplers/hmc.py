from __future__ import annotations

import math
from dataclasses import dataclass

from ebmlab.engine.samplers.adaptation import Adaptive
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info
from ebmlab.engine.samplers.leapfrog import hamiltonian, leap
from ebmlab.engine.samplers.metropolis import accept_or_stay
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@SAMPLERS.register("hmc")
@dataclass(frozen=True, kw_only=True)
class HamiltonianMonteCarlo(Adaptive):
    r"""Hamiltonian Monte Carlo (HMC).

    .. math:: H(x, v) = E(x) + \frac{|v|^2}{2}, \qquad v \sim \mathcal{N}(0, \tau I)

    .. math:: v \leftarrow v - \frac{\epsilon}{2} \nabla E(x), \quad x \leftarrow x + \epsilon v, \quad
        v \leftarrow v - \frac{\epsilon}{2} \nabla E(x) \quad (L \text{ times})

    .. math:: \alpha = \min\left(1, \; e^{-\Delta H / \tau}\right)

    Each transition kicks the chain with a fresh velocity and lets it roll L leaps of the leapfrog scheme, which is
    reversible and keeps volumes; accepting the end with probability :math:`\alpha` leaves :math:`\exp(-E / \tau)`
    invariant. Beyond :math:`\epsilon \sqrt{\lambda} = 2`, with :math:`\lambda` the largest curvature, the leaps are
    unstable and all is rejected. On a Gaussian a path of half a period, :math:`\epsilon L \sqrt{\lambda} = \pi`, ends
    opposite to its start and explores nothing. A warm-up of some transitions may tune :math:`\epsilon` by dual
    averaging until a share :math:`\delta` is accepted; it is not exact, and what follows it is. With many leaps
    acceptance goes up and down with :math:`\epsilon` on a Gaussian, so that a short warm-up may miss its aim.

    References:
        | Hybrid Monte Carlo (Duane et al., 1987)
        | https://doi.org/10.1016/0370-2693(87)91197-X
        | MCMC using Hamiltonian dynamics (Neal, 2011)
        | https://arxiv.org/abs/1206.1901
        | The No-U-Turn Sampler: adaptively setting path lengths in Hamiltonian Monte Carlo (Hoffman & Gelman, 2014)
        | https://www.jmlr.org/papers/v15/hoffman14a.html
    """

    step_size: float = knob(
        0.1, "Step size ε of a leap.", low=1e-6, high=10.0, soft=(1e-3, 1.0), scale="log", symbol="ε"
    )
    leaps: int = knob(10, "Leaps L of a transition.", low=1, high=10_000, soft=(1, 100), scale="log", symbol="L")
    temperature: float = knob(1.0, "Temperature τ of the target.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ")

    def moves(self, energy: Energy, chains: Chains, step: float, rng: Rng) -> Stages[tuple[Chains, Info]]:
        v = math.sqrt(self.temperature) * randn(chains.x.shape, rng, chains.x)
        there, w = chains, v
        for i in range(self.leaps):
            before = there.x
            there, w = leap(energy, there, w, step)
            yield Stage("proposal", f"Each chain rolls on: leap {i + 1} of {self.leaps}.", there.x, before)

        log_ratio = (hamiltonian(chains, v) - hamiltonian(there, w)) / self.temperature
        moved = accept_or_stay(chains, there, log_ratio, rng)
        yield Stage("accepted", "The end is taken with probability α, or the chain stays.", moved[0].x, chains.x)
        return moved

    def temperature_sampled(self) -> float:
        return self.temperature

    def stability(self, curvature: float) -> float | None:
        return None if self.adapt else self.step_size * math.sqrt(max(curvature, 0.0)) / 2
