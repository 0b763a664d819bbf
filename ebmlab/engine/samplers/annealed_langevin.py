from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler, accept_all
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import BadInput, knob


@SAMPLERS.register("annealed-langevin")
@dataclass(frozen=True, kw_only=True)
class AnnealedLangevin(Sampler):
    r"""Annealed Langevin dynamics.

    .. math:: x' = x - \epsilon \, \nabla E(x) + \sqrt{2 \epsilon \tau_l} \, z, \qquad
        \tau_l = \tau_1 \left( \frac{\tau}{\tau_1} \right)^{\frac{l - 1}{L - 1}}

    Langevin dynamics whose temperature falls from :math:`\tau_1` to :math:`\tau` over L levels of S transitions each,
    and then stays. Hot chains cross between modes, where plain Langevin keeps the weights it started with. It does not
    quite restore them: they freeze at the temperature :math:`\tau_g` where crossings cease, so that two modes of the
    same shape with weights w and 1 - w keep the odds :math:`(w / (1 - w))^{1 / \tau_g}` however long the last level
    lasts; slower cooling lowers :math:`\tau_g` by little. Annealing the noise of the data instead, as score networks
    do, needs the score at every noise level, which a single energy has not. The discretisation has the bias of ULA.

    References:
        | Optimization by simulated annealing (Kirkpatrick, Gelatt & Vecchi, 1983)
        | https://doi.org/10.1126/science.220.4598.671
        | Generative modeling by estimating gradients of the data distribution (Song & Ermon, 2019)
        | https://arxiv.org/abs/1907.05600
    """

    invariant: ClassVar[bool] = False

    step_size: float = knob(2e-2, "Step size ε.", low=1e-6, high=10.0, soft=(1e-4, 1.0), scale="log", symbol="ε")
    hottest: float = knob(
        10.0, "Temperature of the first level.", low=1e-2, high=1e4, soft=(1.5, 100.0), scale="log", symbol="τ_1"
    )
    levels: int = knob(20, "Levels L of temperature.", low=2, high=10_000, soft=(2, 100), scale="log", symbol="L")
    steps: int = knob(20, "Transitions S on each level.", low=1, high=100_000, soft=(1, 1000), scale="log", symbol="S")
    temperature: float = knob(
        1.0, "Temperature τ of the last level.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ"
    )

    def validate(self) -> None:
        if self.hottest <= self.temperature:
            message = f"cooling starts at {self.hottest:g}; let it start above its end, {self.temperature:g}"
            raise BadInput(message, key="hottest")

    def init(self, energy: Energy, x: Tensor) -> Chains:
        return Chains(x, extra=0)

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        tau = self.temperature_after(chains.extra)
        _, grad = value_and_grad(energy, chains.x)
        noise = math.sqrt(2 * self.step_size * tau)
        x = torch.add(chains.x, grad, alpha=-self.step_size).add_(randn(grad.shape, rng, grad), alpha=noise)
        yield Stage("proposal", f"At temperature {tau:.3g} each chain follows the force and is kicked.", x, chains.x)
        return Chains(x, extra=chains.extra + 1), accept_all(x)

    def temperature_after(self, transitions: int) -> float:
        """Returns the temperature of the transition that comes after so many."""

        level = transitions // self.steps
        if level >= self.levels - 1:
            return self.temperature
        return float(self.hottest * (self.temperature / self.hottest) ** (level / (self.levels - 1)))

    def warm_up(self) -> int:
        return (self.levels - 1) * self.steps

    def temperature_sampled(self) -> float:
        return self.temperature

    def stability(self, curvature: float) -> float | None:
        return self.step_size * curvature / 2
