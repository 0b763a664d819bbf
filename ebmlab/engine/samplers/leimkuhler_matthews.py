from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler, accept_all
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@SAMPLERS.register("leimkuhler-matthews")
@dataclass(frozen=True, kw_only=True)
class LeimkuhlerMatthews(Sampler):
    r"""Leimkuhler-Matthews Langevin sampler.

    .. math:: x_{n+1} = x_n - \epsilon \, \nabla E(x_n) + \sqrt{2 \epsilon \tau} \, \frac{z_n + z_{n+1}}{2},
        \qquad z_n \sim \mathcal{N}(0, I)

    ULA with the noise of two transitions averaged, at the same cost: each z is used twice, and the chain remembers
    the last. It is the limit of BAOAB at high friction. The bias of the law of x is of order :math:`\epsilon^2` rather
    than :math:`\epsilon`, and on a Gaussian there is none, up to the limit of stability :math:`\epsilon a = 2` at
    precision a. Still nothing is rejected, so on other energies a bias stays.

    References:
        | Rational construction of stochastic numerical methods for molecular sampling (Leimkuhler & Matthews, 2013)
        | https://arxiv.org/abs/1203.5428
    """

    invariant: ClassVar[bool] = False

    step_size: float = knob(1e-2, "Step size ε.", low=1e-6, high=10.0, soft=(1e-4, 1.0), scale="log", symbol="ε")
    temperature: float = knob(1.0, "Temperature τ of the noise.", low=0.0, high=100.0, soft=(0.0, 4.0), symbol="τ")

    def init(self, energy: Energy, x: Tensor) -> Chains:
        return Chains(x)

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        noise = math.sqrt(2 * self.step_size * self.temperature)
        _, grad = value_and_grad(energy, chains.x)
        last = randn(grad.shape, rng, grad) if chains.extra is None else chains.extra
        z = randn(grad.shape, rng, grad)

        x = torch.add(chains.x, grad, alpha=-self.step_size).add_(last + z, alpha=noise / 2)

        yield Stage("proposal", "Each chain follows the force and is kicked by the last noise and new.", x, chains.x)
        return Chains(x, extra=z), accept_all(x)

    def temperature_sampled(self) -> float:
        return self.temperature

    def stability(self, curvature: float) -> float | None:
        return self.step_size * curvature / 2
