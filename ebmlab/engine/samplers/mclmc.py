from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler, accept_all
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import BadInput, knob


@SAMPLERS.register("mclmc")
@dataclass(frozen=True, kw_only=True)
class MicrocanonicalLangevin(Sampler):
    r"""Microcanonical Langevin Monte Carlo (MCLMC).

    .. math:: dx = u \, dt, \qquad du = (I - u u^\top) \left( -\frac{\nabla E(x)}{(d - 1) \tau} \, dt + \eta \, dW
        \right), \qquad |u| = 1

    .. math:: B_t: \; u \leftarrow \frac{u + e \left( \sinh \delta + (e \cdot u) (\cosh \delta - 1) \right)}
        {\cosh \delta + (e \cdot u) \sinh \delta}, \qquad e = -\frac{\nabla E}{|\nabla E|}, \quad
        \delta = \frac{t |\nabla E|}{(d - 1) \tau}

    .. math:: u \leftarrow \frac{u + \nu z}{|u + \nu z|}, \qquad \nu^2 = \frac{e^{2 \epsilon / L} - 1}{d}, \quad
        z \sim \mathcal{N}(0, I)

    Chains move at speed 1 and the force only turns them, more where the energy is steep: :math:`B_{\epsilon / 2}`, a
    step :math:`x \leftarrow x + \epsilon u`, :math:`B_{\epsilon / 2}`, then noise that makes the direction forget
    itself over a length L. The continuous flow has :math:`\exp(-E / \tau)` as the law of x, and keeps
    :math:`E / \tau` plus the sum of :math:`(d - 1) \log(\cosh \delta + (e \cdot u) \sinh \delta)` over the turns.
    The leaps do so up to an error, and nothing is rejected, so that a bias of order :math:`\epsilon^2` stays. The speed
    being bounded, chains never fly off. On a line a direction cannot turn: it needs d of at least 2.

    References:
        | Microcanonical Hamiltonian Monte Carlo (Robnik, De Luca, Silverstein & Seljak, 2023)
        | https://arxiv.org/abs/2212.08549
        | Fluctuation without dissipation: microcanonical Langevin Monte Carlo (Robnik & Seljak, 2024)
        | https://proceedings.mlr.press/v253/robnik24a.html
    """

    invariant: ClassVar[bool] = False

    step_size: float = knob(
        0.1, "Step size ε, the length of a step.", low=1e-6, high=10.0, soft=(1e-3, 1.0), scale="log", symbol="ε"
    )
    length: float = knob(
        2.0,
        "Length L over which the direction is forgotten.",
        low=1e-3,
        high=1e6,
        soft=(0.1, 100.0),
        scale="log",
        symbol="L",
    )
    temperature: float = knob(1.0, "Temperature τ of the target.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ")

    def init(self, energy: Energy, x: Tensor) -> Chains:
        if x.shape[-1] < 2:
            raise BadInput("mclmc turns a direction, which a line has not; choose another sampler in one dimension")
        return Chains(x, *value_and_grad(energy, x))

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        x = chains.x
        u = normalize(randn(x.shape, rng, x), dim=-1) if chains.extra is None else chains.extra
        there, u, _ = self.leap(energy, chains, u)
        nu = math.sqrt(math.expm1(min(2 * self.step_size / self.length, 50.0)) / x.shape[-1])
        u = normalize(u + nu * randn(x.shape, rng, x), dim=-1)

        yield Stage("proposal", "Each chain steps on at speed 1, turned by the force and by noise.", there.x, x)
        return there._replace(extra=u), accept_all(x)

    def leap(self, energy: Energy, chains: Chains, u: Tensor) -> tuple[Chains, Tensor, Tensor]:
        """Moves points and directions once; returns them and the error of what the flow would keep."""

        before = chains.energy
        u, first = self.turn(chains.grad, u)
        chains = self.init(energy, chains.x + self.step_size * u)
        u, second = self.turn(chains.grad, u)
        return chains, u, (chains.energy - before) / self.temperature + first + second

    def turn(self, grad: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        r"""Turns directions by the force for :math:`\epsilon / 2`; returns them and the gain in kinetic energy.

        Both fractions are multiplied by :math:`2 e^{-\delta}`, so that nothing overflows where the force is large.
        """

        steepness = grad.norm(dim=-1, keepdim=True)
        e = -grad / steepness.clamp(min=torch.finfo(grad.dtype).tiny)
        more = (u * e).sum(-1, keepdim=True)
        freedom = grad.shape[-1] - 1
        delta = self.step_size / 2 * steepness / (freedom * self.temperature)
        z = torch.exp(-delta.clamp(max=40.0))  # so that a direction against a steep force does not vanish

        turned = 2 * z * u + e * (1 - z) * (1 + z + more * (1 - z))
        gain = freedom * (delta + torch.log((1 + more + (1 - more) * z.square()) / 2))
        return normalize(turned, dim=-1, eps=1e-30), gain.squeeze(-1)

    def temperature_sampled(self) -> float:
        return self.temperature

    def caution(self) -> str:
        return "mclmc rejects nothing: its bias grows as ε² and does not show in the acceptance"
