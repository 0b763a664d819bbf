from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler, accept_all
from ebmlab.engine.types import Energy, Rng, Stage, Stages
from ebmlab.spec import BadInput, knob

MOST = 16_384
"""Particles; every two of them repel each other."""
ROWS = 512
"""Particles whose distances to all others are held at once; and whose median distance stands for that of all."""


@SAMPLERS.register("svgd")
@dataclass(frozen=True, kw_only=True)
class SteinVariationalGradientDescent(Sampler):
    r"""Stein variational gradient descent (SVGD).

    .. math:: x_i' = x_i + \frac{\epsilon}{n} \sum_{j=1}^{n} \left[ - k(x_j, x_i) \, \nabla E(x_j)
        + \tau \, \nabla_{x_j} k(x_j, x_i) \right], \qquad
        k(x, y) = e^{- |x - y|^2 / (2 h^2)}

    Particles that share their forces and repel each other, without any noise: of all moves that the kernel allows, this
    one lowers :math:`\operatorname{KL}(q \| e^{-E / \tau} / Z)` fastest, q being the law of the particles. At rest they
    satisfy Stein's identity for every function :math:`k(\cdot, x_i)`. A bandwidth of 0 asks for
    :math:`2 h^2 = m^2 / \log(n + 1)`, with m the median distance. A single particle climbs :math:`-E` to the mode. The
    points are few and even rather than random; they are too narrow in many dimensions, particles that coincide never
    part, and those in one mode do not find another.

    References:
        | Stein variational gradient descent: a general purpose Bayesian inference algorithm (Liu & Wang, 2016)
        | https://arxiv.org/abs/1608.04471
    """

    invariant: ClassVar[bool] = False
    apart: ClassVar[bool] = False

    step_size: float = knob(0.2, "Step size ε.", low=1e-6, high=100.0, soft=(1e-3, 10.0), scale="log", symbol="ε")
    bandwidth: float = knob(
        0.0,
        "Bandwidth h of the kernel; 0 for one that follows the particles.",
        low=0.0,
        high=1e4,
        soft=(0.0, 3.0),
        symbol="h",
    )
    temperature: float = knob(
        1.0, "Temperature τ: how strongly the particles repel.", low=0.0, high=100.0, soft=(0.0, 4.0), symbol="τ"
    )

    def init(self, energy: Energy, x: Tensor) -> Chains:
        if len(x) > MOST:
            raise BadInput(f"{len(x)} particles would repel each other in pairs; give at most {MOST}")
        return Chains(x)

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        _, grad = value_and_grad(energy, chains.x)
        x = chains.x + self.step_size * self.drift(chains.x, grad)
        yield Stage("proposal", "Each particle follows its neighbours' forces and shies away from them.", x, chains.x)
        return Chains(x), accept_all(x)

    def drift(self, x: Tensor, grad: Tensor) -> Tensor:
        """Returns the direction of every particle, with shape (n, d), for the gradient of the energy at each."""

        h = x.new_tensor(self.bandwidth) if self.bandwidth else bandwidth(x)
        rows = [self._drift(some, x, grad, h) for some in x.split(ROWS)]
        return torch.cat(rows) / max(len(x), 1)

    def _drift(self, some: Tensor, x: Tensor, grad: Tensor, h: Tensor) -> Tensor:
        apart = torch.cdist(some, x, compute_mode="donot_use_mm_for_euclid_dist")
        k = (apart / h).square().div(-2).exp()
        repulsion = some * k.sum(-1, keepdim=True) - k @ x
        return self.temperature / h**2 * repulsion - k @ grad

    def temperature_sampled(self) -> float:
        return self.temperature


def bandwidth(x: Tensor) -> Tensor:
    r"""Returns :math:`h = m / \sqrt{2 \log(n + 1)}` for the median distance m, and 1 where that is nothing."""

    apart = torch.pdist(x[:ROWS])
    h = (apart.median() if len(apart) else x.new_zeros(())) / math.sqrt(2 * math.log(len(x) + 1))
    return torch.where(h > 0, h, 1.0)
