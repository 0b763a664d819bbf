from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler, accept_all
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@SAMPLERS.register("baoab")
@dataclass(frozen=True, kw_only=True)
class UnderdampedLangevin(Sampler):
    r"""Underdamped Langevin dynamics, split as BAOAB.

    .. math:: dx = v \, dt, \qquad dv = -\nabla E(x) \, dt - \gamma v \, dt + \sqrt{2 \gamma \tau} \, dW

    .. math:: B: \; v \leftarrow v - \frac{\epsilon}{2} \nabla E(x), \qquad A: \; x \leftarrow x + \frac{\epsilon}{2} v

    .. math:: O: \; v \leftarrow c v + \sqrt{(1 - c^2) \tau} \, z, \quad c = e^{-\gamma \epsilon}, \quad
        z \sim \mathcal{N}(0, I)

    Chains have a velocity, which friction :math:`\gamma` slows and noise kicks: small friction makes them fly far in
    one direction, large friction makes them diffuse. A transition is B, A, O, A, B at the price of one gradient. On a
    Gaussian of precision a the law of x is exact at every step :math:`\epsilon \sqrt{a} < 2`, beyond which the chains
    fly off, though the variance of v is :math:`\tau (1 - \epsilon^2 a / 4)`; on other energies a bias of order
    :math:`\epsilon^2` stays, since nothing is rejected.

    References:
        | Rational construction of stochastic numerical methods for molecular sampling (Leimkuhler & Matthews, 2013)
        | https://arxiv.org/abs/1203.5428
    """

    invariant: ClassVar[bool] = False

    step_size: float = knob(0.1, "Step size ε.", low=1e-6, high=10.0, soft=(1e-3, 1.0), scale="log", symbol="ε")
    friction: float = knob(1.0, "Friction γ.", low=0.0, high=1e6, soft=(0.01, 100.0), scale="log", symbol="γ")
    temperature: float = knob(1.0, "Temperature τ of the noise.", low=0.0, high=100.0, soft=(0.0, 4.0), symbol="τ")

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        half = self.step_size / 2
        keep = math.exp(-self.friction * self.step_size)
        kick = math.sqrt(-math.expm1(-2 * self.friction * self.step_size) * self.temperature)
        x = chains.x
        v = math.sqrt(self.temperature) * randn(x.shape, rng, x) if chains.extra is None else chains.extra

        v = v - half * chains.grad
        x = x + half * v
        v = keep * v + kick * randn(x.shape, rng, x)
        x = x + half * v
        value, grad = value_and_grad(energy, x)
        v = v - half * grad

        yield Stage("proposal", "Each chain flies on, slowed by friction and kicked by noise.", x, chains.x)
        return Chains(x, value, grad, v), accept_all(x)

    def temperature_sampled(self) -> float:
        return self.temperature

    def stability(self, curvature: float) -> float | None:
        return self.step_size * math.sqrt(max(curvature, 0.0)) / 2

    def caution(self) -> str:
        return "" if self.friction else "without friction no noise enters: each chain keeps the energy it has"
