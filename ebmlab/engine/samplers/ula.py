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


@SAMPLERS.register("ula")
@dataclass(frozen=True, kw_only=True)
class UnadjustedLangevin(Sampler):
    r"""Unadjusted Langevin algorithm.

    .. math:: x' = x - \epsilon \, \nabla_x E(x) + \sqrt{2 \epsilon \tau} \, z, \qquad z \sim \mathcal{N}(0, I)

    Targets :math:`\exp(-E / \tau)` with a bias of order :math:`\epsilon`; on a Gaussian of precision a the variance is
    :math:`\tau / (a (1 - \epsilon a / 2))`, and beyond :math:`\epsilon a = 2` the chains fly off.

    References:
        | Exponential convergence of Langevin distributions and their discrete approximations (Roberts & Tweedie, 1996)
        | https://doi.org/10.2307/3318418
    """

    invariant: ClassVar[bool] = False

    step_size: float = knob(1e-2, "Step size ε.", low=1e-6, high=10.0, soft=(1e-4, 1.0), scale="log", symbol="ε")
    temperature: float = knob(1.0, "Temperature τ of the noise.", low=0.0, high=100.0, soft=(0.0, 4.0), symbol="τ")

    def init(self, energy: Energy, x: Tensor) -> Chains:
        return Chains(x)

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        noise = math.sqrt(2 * self.step_size * self.temperature)
        _, grad = value_and_grad(energy, chains.x)

        x = torch.add(chains.x, grad, alpha=-self.step_size).add_(randn(grad.shape, rng, grad), alpha=noise)

        yield Stage("proposal", "Each chain follows the force and is kicked by noise.", x, chains.x)
        return Chains(x), accept_all(x)

    def temperature_sampled(self) -> float:
        return self.temperature

    def stability(self, curvature: float) -> float | None:
        return self.step_size * curvature / 2
