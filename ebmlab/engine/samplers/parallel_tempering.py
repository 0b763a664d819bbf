from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.memory import remembered
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler
from ebmlab.engine.samplers.langevin import langevin, log_ratio
from ebmlab.engine.samplers.metropolis import accept_or_stay
from ebmlab.engine.types import Energy, Rng, Stage, Stages, rand, randn
from ebmlab.spec import BadInput, knob


@remembered
class Ladder(NamedTuple):
    """Every chain's replicas, the coldest first, and what has become of them."""

    x: Tensor  # (K, n, d)
    energy: Tensor  # (K, n)
    grad: Tensor  # (K, n, d)
    heading: Tensor  # (K, n), the end of the ladder a replica last saw: 1 the coldest, -1 the hottest after that, or 0
    trips: Tensor  # (n,), how often a replica came back to the coldest rung from the hottest
    moves: int  # transitions so far


@SAMPLERS.register("parallel-tempering")
@dataclass(frozen=True, kw_only=True)
class ParallelTempering(Sampler):
    r"""Parallel tempering, or replica exchange.

    .. math:: \tau_k = \tau \left( \frac{\tau_K}{\tau} \right)^{\frac{k - 1}{K - 1}}, \qquad
        \alpha_k = \min\left(1, \;
        e^{(1 / \tau_k - 1 / \tau_{k+1}) (E(x_k) - E(x_{k+1}))} \right)

    K replicas of each chain sample :math:`\exp(-E / \tau_k)` side by side, and neighbours exchange their places with
    probability :math:`\alpha_k`. Hot replicas cross barriers that cold ones cannot; the coldest is the sample. Each
    replica moves by MALA, with the step size :math:`\epsilon \tau_k / \tau`, so that the law of the whole ladder is
    left invariant exactly; chains that start with all replicas in one place are off until these have spread. The pairs
    that begin at an odd rung and those that begin at an even one take turns, which carries replicas up and down the
    ladder faster than chance. In d dimensions a ladder needs about :math:`\sqrt{d}` times as many rungs for the same
    rate of exchange. Barriers many times higher than :math:`\tau_K` stay closed, and an energy that is not confined
    lets the hottest replicas wander off.

    References:
        | Exchange Monte Carlo method and application to spin glass simulations (Hukushima & Nemoto, 1996)
        | https://arxiv.org/abs/cond-mat/9512035
        | Non-reversible parallel tempering: a scalable highly parallel MCMC scheme (Syed et al., 2022)
        | https://arxiv.org/abs/1905.02939
    """

    invariant: ClassVar[bool] = False  # the whole ladder's law is, but a start gives every replica the coldest's
    apart: ClassVar[bool] = False

    step_size: float = knob(
        5e-2, "Step size ε of the coldest replica.", low=1e-6, high=10.0, soft=(1e-4, 1.0), scale="log", symbol="ε"
    )
    replicas: int = knob(5, "Replicas K of each chain.", low=2, high=64, soft=(2, 16), symbol="K")
    hottest: float = knob(
        10.0, "Temperature of the hottest replica.", low=1e-2, high=1e4, soft=(1.5, 100.0), scale="log", symbol="τ_K"
    )
    every: int = knob(1, "Moves between two exchanges.", low=1, high=1000, soft=(1, 20))
    temperature: float = knob(1.0, "Temperature τ of the target.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ")

    def validate(self) -> None:
        if self.hottest <= self.temperature:
            message = f"the ladder ends at {self.hottest:g}; let it end above its foot, {self.temperature:g}"
            raise BadInput(message, key="hottest")

    def ladder(self, like: Tensor) -> Tensor:
        """Returns the temperatures, the coldest first, with shape (K)."""

        ratio = (self.hottest / self.temperature) ** (1 / (self.replicas - 1))
        return like.new_tensor([self.temperature * ratio**k for k in range(self.replicas)])

    def init(self, energy: Energy, x: Tensor) -> Chains:
        cold = super().init(energy, x)
        k = self.replicas
        heading, trips = x.new_zeros(k, len(x)), x.new_zeros(len(x))
        heading[0] = 1
        every = (cold.x.expand(k, -1, -1), cold.energy.expand(k, -1), cold.grad.expand(k, -1, -1))
        return cold._replace(extra=Ladder(*every, heading, trips, 0))

    def refresh(self, energy: Energy, chains: Chains) -> Chains:
        ladder = chains.extra
        x = torch.cat([chains.x.unsqueeze(0), ladder.x[1:]])
        flat = super().init(energy, x.flatten(0, 1))
        return climbed(ladder._replace(x=x, energy=flat.energy.view_as(ladder.energy), grad=flat.grad.view_as(x)))

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        before = chains.extra
        here = Chains(before.x.flatten(0, 1), before.energy.flatten(), before.grad.flatten(0, 1))
        tau = self.ladder(here.x)
        each = tau.repeat_interleave(len(chains.x)).unsqueeze(-1)
        step_size = each * (self.step_size / self.temperature)
        z = randn(here.x.shape, rng, here.x)
        there = super().init(energy, langevin(here, z, step_size, each))
        yield Stage("proposal", "Every replica follows the force and is kicked by its own noise.", there.x, here.x)

        moved, info = accept_or_stay(here, there, log_ratio(here, there, z, step_size, each), rng)
        x, value, grad = moved.x.view_as(before.x), moved.energy.view_as(before.energy), moved.grad.view_as(before.grad)
        after = before._replace(x=x, energy=value, grad=grad, moves=before.moves + 1)
        yield Stage("accepted", "Each is taken with its probability; here are the coldest.", x[0], chains.x)

        chance = exchange_chance(value, tau)
        if after.moves % self.every == 0:
            after = exchange(after, chance, after.moves // self.every % 2, rng)
            yield Stage("swap", "Neighbours on the ladder exchange their places.", after.x[0], x[0])
        return climbed(after), Info(info.accept[: len(chains.x)], chance.mean(-1))

    def temperature_sampled(self) -> float:
        return self.temperature


def climbed(ladder: Ladder) -> Chains:
    """Returns the chains as others see them: the coldest replicas."""

    return Chains(ladder.x[0], ladder.energy[0], ladder.grad[0], ladder)


def exchange_chance(energy: Tensor, tau: Tensor) -> Tensor:
    r"""Returns the probability :math:`\alpha_k` of each exchange, with shape :math:`(K - 1, n)`."""

    gap = (1 / tau[:-1] - 1 / tau[1:]).unsqueeze(-1) * (energy[:-1] - energy[1:])
    return gap.clamp(max=0.0).exp().nan_to_num(nan=0.0)  # of two infinite energies neither is the better


def exchange(ladder: Ladder, chance: Tensor, parity: int, rng: Rng) -> Ladder:
    """Lets every other pair of neighbours exchange their places, beginning with the first or the second."""

    swaps = rand(chance.shape, rng, chance) < chance
    swaps[1 - parity :: 2] = False
    nobody = torch.zeros_like(swaps[:1])
    rise, fall = torch.cat([nobody, swaps]).long(), torch.cat([swaps, nobody]).long()
    source = torch.arange(len(rise), device=rise.device).unsqueeze(-1) + fall - rise
    wide = source.unsqueeze(-1).expand_as(ladder.x)
    heading = ladder.heading.gather(0, source)
    back = heading[0] < 0
    heading[0] = 1
    heading[-1] = torch.where(heading[-1] > 0, -1, heading[-1])
    return ladder._replace(
        x=ladder.x.gather(0, wide),
        energy=ladder.energy.gather(0, source),
        grad=ladder.grad.gather(0, wide),
        heading=heading,
        trips=ladder.trips + back,
    )
