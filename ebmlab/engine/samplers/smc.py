from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine import tent
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler, accept_all
from ebmlab.engine.samplers.langevin import langevin, log_ratio
from ebmlab.engine.samplers.metropolis import accept_or_stay
from ebmlab.engine.types import Energy, Rng, Stage, Stages, rand, randn
from ebmlab.spec import BadInput, knob

HALVINGS = 40


@SAMPLERS.register("smc")
@dataclass(frozen=True, kw_only=True)
class SequentialMonteCarlo(Sampler):
    r"""Tempered sequential Monte Carlo (SMC).

    .. math:: E_\beta(x) = (1 - \beta) \, \frac{|x|^2}{2 \sigma^2} + \beta \, \frac{E(x)}{\tau}, \qquad
        w_i \propto e^{E_\beta(x_i) - E_{\beta'}(x_i)}, \qquad
        \frac{\left( \sum_i w_i \right)^2}{n \sum_i w_i^2} = \rho

    A population rather than chains. The first transition draws every particle from a broad normal law, whatever the
    start; each one after that raises :math:`\beta` as far as the effective sample size allows, to a share
    :math:`\rho` of the particles, resamples them by their weights and moves them by MALA on the new rung. Since the
    heavy multiply and the light die, the weights of modes are right however high the barriers between them, as long
    as the broad law covers every mode and the particles are many. Once :math:`\beta = 1` they go on by MALA alone. A
    particle that has been copied is told from its twin only by later moves, so the points are not quite independent.

    References:
        | Sequential Monte Carlo samplers (Del Moral, Doucet & Jasra, 2006)
        | https://doi.org/10.1111/j.1467-9868.2006.00553.x
        | Towards automatic model comparison: an adaptive sequential Monte Carlo approach (Zhou, Johansen & Aston, 2016)
        | https://arxiv.org/abs/1303.3123
    """

    invariant: ClassVar[bool] = False
    apart: ClassVar[bool] = False

    step_size: float = knob(
        0.1, "Step size ε on the last rung.", low=1e-6, high=10.0, soft=(1e-4, 1.0), scale="log", symbol="ε"
    )
    steps: int = knob(5, "Moves of every particle per transition.", low=1, high=1000, soft=(1, 20))
    width: float = knob(
        4.0,
        "Standard deviation σ of the broad law about the origin.",
        low=1e-3,
        high=1e4,
        soft=(0.5, 20.0),
        scale="log",
        symbol="σ",
    )
    share: float = knob(0.5, "Share ρ of the particles that a rung leaves effective.", low=0.01, high=0.99, symbol="ρ")
    temperature: float = knob(1.0, "Temperature τ of the target.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ")

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        if chains.extra is None:
            x = self.width * randn(chains.x.shape, rng, chains.x)
            yield Stage("proposal", "Every particle is drawn afresh, from a broad normal law.", x)
            return self.init(energy, x)._replace(extra=0.0), accept_all(x)
        beta = chains.extra
        if beta < 1:
            beta, survivors = self.climb(chains, rng)
            chains = Chains(chains.x[survivors], chains.energy[survivors], chains.grad[survivors])
            yield Stage("resample", f"On to β = {beta:.3g}: the heavy multiply, the light die.", chains.x)
        for i in range(self.steps):
            before = chains.x
            chains, info = yield from self.move(energy, chains, beta, rng)
            yield Stage("accepted", f"MALA moves them at β = {beta:.3g}: {i + 1} of {self.steps}.", chains.x, before)
        return chains._replace(extra=beta), info

    def climb(self, chains: Chains, rng: Rng) -> tuple[float, Tensor]:
        """Returns the next inverse temperature, and the number of the particle that each is a copy of."""

        beta = chains.extra
        gap = chains.energy / self.temperature - self.start(chains.x)
        stride = next_stride(gap, self.share, 1 - beta)
        survivors = systematic(log_weights(gap, stride), rng)
        beta += stride.item()
        return (beta if beta < 1 - 1e-6 else 1.0), survivors

    def move(self, energy: Energy, chains: Chains, beta: float, rng: Rng) -> Stages[tuple[Chains, Info]]:
        """Moves the particles on a rung by MALA, with a step as wide as the rung's features."""

        step_size = self.step_size / ((1 - beta) / self.width**2 + beta / self.temperature)
        here, z = self.between(chains, beta), randn(chains.x.shape, rng, chains.x)
        proposal = self.init(energy, langevin(here, z, step_size, 1.0))
        yield Stage("proposal", "Each particle follows the force and is kicked by noise.", proposal.x, chains.x)
        ratio = log_ratio(here, self.between(proposal, beta), z, step_size, 1.0)
        return accept_or_stay(chains, proposal, ratio, rng)

    def start(self, x: Tensor) -> Tensor:
        """Returns the energy of the broad law, with shape (n)."""

        return x.square().sum(-1) / (2 * self.width**2)

    def between(self, chains: Chains, beta: float) -> Chains:
        r"""Returns the chains as :math:`E_\beta` sees them."""

        share, rest = beta / self.temperature, 1 - beta
        energy = rest * self.start(chains.x) + share * chains.energy
        return Chains(chains.x, energy, rest / self.width**2 * chains.x + share * chains.grad)

    def temperature_sampled(self) -> float:
        return self.temperature


def log_weights(gap: Tensor, stride: Tensor) -> Tensor:
    """Returns the log weights of a stride in inverse temperature; a particle without a finite energy has none."""

    return torch.where(gap.isfinite(), -stride * gap, -torch.inf)


def next_stride(gap: Tensor, share: float, most: float) -> Tensor:
    """Returns the longest stride in inverse temperature that leaves a share of the particles effective."""

    def bearable(stride: Tensor) -> Tensor:
        log_w = log_weights(gap, stride)
        return 2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0) >= least

    least = gap.new_tensor(share * len(gap)).log()
    low, high = gap.new_zeros(()), gap.new_tensor(most)
    low = torch.where(bearable(high), high, low)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        good = bearable(middle)
        low, high = torch.where(good, middle, low), torch.where(good, high, middle)
    return high


def systematic(log_w: Tensor, rng: Rng) -> Tensor:
    """Draws as many indices as there are weights, evenly spaced along their cumulative sum.

    Raises:
        BadInput: If no weight is positive.
    """

    sums = tent.cumulative(log_w)
    if len(sums) and sums[-1].isnan():
        raise BadInput("the energy is finite at no particle, so none can be chosen; change sampler.width")
    places = (torch.arange(len(sums), dtype=sums.dtype, device=sums.device) + rand((1,), rng, sums)) / max(len(sums), 1)
    return torch.searchsorted(sums, places * sums[-1:], right=True).clamp(max=len(sums) - 1)
