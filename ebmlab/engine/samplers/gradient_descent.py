from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler, accept_all
from ebmlab.engine.types import Energy, Rng, Stage, Stages
from ebmlab.spec import knob


@SAMPLERS.register("gradient-descent")
@dataclass(frozen=True, kw_only=True)
class GradientDescent(Sampler):
    r"""Gradient descent, plain or with Nesterov's momentum.

    .. math:: v' = \mu v - \epsilon \, \nabla E(x + \mu v), \qquad x' = x + v'

    No sampler at all: without noise every chain ends in a minimum of the energy, and where they come to rest draws the
    map of the basins. It is Langevin at temperature 0, and shows what noise is for. With momentum :math:`\mu = 0` it is
    plain descent. On a curvature :math:`\lambda` it is stable up to
    :math:`\epsilon \lambda = 2 (1 + \mu) / (1 + 2 \mu)`.

    References:
        | A method for solving the convex programming problem with convergence rate O(1/k²) (Nesterov, 1983)
        | https://www.mathnet.ru/eng/dan46009
        | On the importance of initialization and momentum in deep learning (Sutskever et al., 2013)
        | https://proceedings.mlr.press/v28/sutskever13.html
    """

    invariant: ClassVar[bool] = False

    step_size: float = knob(5e-2, "Step size ε.", low=1e-6, high=10.0, soft=(1e-4, 1.0), scale="log", symbol="ε")
    momentum: float = knob(
        0.0, "Momentum μ: the share of the last step that each step goes on with.", low=0.0, high=0.999, symbol="μ"
    )

    def init(self, energy: Energy, x: Tensor) -> Chains:
        return Chains(x, extra=torch.zeros_like(x))

    def refresh(self, energy: Energy, chains: Chains) -> Chains:
        return chains

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        v = self.momentum * chains.extra
        _, grad = value_and_grad(energy, chains.x + v)
        v = v - self.step_size * grad
        x = chains.x + v
        yield Stage("proposal", "Each chain follows the force downhill, without noise.", x, chains.x)
        return Chains(x, extra=v), accept_all(x)

    def temperature_sampled(self) -> float:
        return 0.0

    def stability(self, curvature: float) -> float | None:
        return self.step_size * curvature * (1 + 2 * self.momentum) / (2 * (1 + self.momentum))
