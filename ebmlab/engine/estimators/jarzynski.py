from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.noise import GaussianNoise
from ebmlab.engine.estimators.weights import log_average, systematic, worth
from ebmlab.engine.memory import remembered
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob, part

POOL = 16
"""How many points of the broad law are weighed for each walker that starts from it."""


@remembered
class Walkers(NamedTuple):
    """Points under way: where a move leads is weighed only once the energy there is that of the next step."""

    x: Tensor  # (n, d)
    back: Tensor  # (n, d), the way to where each walker came from
    log_w: Tensor  # (n,), A plus what the last move was worth at its start
    log_z: Tensor  # (), log of the mean weight, summed over all resamplings so far
    step_size: Tensor  # (n,), of the last move; 0 for a walker that has not moved yet


class Here(NamedTuple):
    """Weighted points, and the energy at them."""

    x: Tensor  # (n, d)
    value: Tensor  # (n,)
    grad: Tensor  # (n, d)
    log_w: Tensor  # (n,), A


@ESTIMATORS.register("jarzynski")
@dataclass(frozen=True, kw_only=True)
class JarzynskiReweighting(Estimator):
    r"""Persistent walkers with Jarzynski weights.

    .. math:: x' = x - \epsilon \, \nabla E_k(x) + \sqrt{2 \epsilon} \, z, \qquad
        A' = A - \alpha_{k+1}(x', x) + \alpha_k(x, x')

    .. math:: \alpha_k(x, y) = E_k(x) + \frac{1}{2} (y - x) \cdot \nabla E_k(x) + \frac{\epsilon}{4} |\nabla E_k(x)|^2

    .. math:: \nabla_\theta L = \mathbb{E}_{p}[\nabla_\theta E_k]
        - \frac{\sum_i e^{A_i} \, \nabla_\theta E_k(x_i)}{\sum_i e^{A_i}}, \qquad
        Z_k \approx \frac{1}{n} \sum_i e^{A_i}

    Chains that persist lag behind an energy that changes. The work done on each walker while the energy goes from
    :math:`E_k` to :math:`E_{k+1}` makes up for it: by their weights the walkers stand for the model, however badly
    they mix and whatever the step size, and the mean weight estimates Z: without bias for a course of the energy that
    is set beforehand, with one of the order 1 / n here, where the walkers themselves steer it. When few weights rule,
    the walkers are drawn afresh by their weights.

    What no walker is near has no weight: where the energy moves its mass faster than the walkers move, as it does in
    the first steps of a network, the published recursion loses count for good, by many nats, and with few walkers
    :math:`\log Z` and the shares of far modes drift. So a share of the walkers starts afresh at each step, from a
    broad normal law and with importance weights, which adds no bias to the mean weight and bounds the drift in the
    plane; in many dimensions importance weights are of no help. With a share of 0 only the start is from that law,
    and the recursion is the published one.

    References:
        | Efficient training of energy-based models using Jarzynski equality (Carbone et al., 2023)
        | https://arxiv.org/abs/2305.19414
    """

    objective: ClassVar[str] = "NLL by weights"

    walkers: int = knob(1024, "Number n of walkers.", low=2, high=65536, soft=(64, 8192), scale="log", symbol="n")
    steps: int = knob(1, "Langevin moves of every walker per training step.", low=1, high=1000, soft=(1, 20))
    step_size: float = knob(
        5e-2, "Step size ε of a move.", low=1e-6, high=10.0, soft=(1e-4, 1.0), scale="log", symbol="ε"
    )
    resample: float = knob(
        0.5, "Walkers are drawn afresh when they are worth less than this share of their number.", low=0.0, high=1.0
    )
    restart: float = knob(0.02, "Share of the walkers that start afresh at each step.", low=0.0, high=1.0)
    start: GaussianNoise = part("", GaussianNoise(width=6.0), "The broad law that walkers start from.")

    def init(self, energy: Energy, batch: Batch, rng: Rng) -> Walkers:
        return self._fresh(energy, self.walkers, batch.x, rng)

    def fits(self, memory: Walkers) -> bool:
        return len(memory.x) == self.walkers

    def warning(self, energy: Energy, batch: Batch, memory: Walkers) -> str:
        left = worth(_arrive(energy, memory).log_w).item()
        return f"the {self.walkers} walkers are worth {left:.0f}" if left < self.walkers / 10 else ""

    def stages(self, energy: Energy, batch: Batch, memory: Walkers, rng: Rng) -> Stages[tuple[Terms, Walkers]]:
        here = _arrive(energy, self._restarted(energy, memory, rng))
        for _ in range(1, self.steps):
            memory = self._depart(here, memory.log_z, rng)
            yield Stage("proposal", "Each walker follows the force and is kicked by noise.", memory.x, here.x)
            here = _arrive(energy, memory)
        log_z = memory.log_z + log_average(here.log_w)
        chosen = systematic(here.log_w, self.walkers, rng)
        negatives = here.x[chosen]
        yield Stage("resample", "Drawn by their weights, the walkers stand for the model.", negatives)

        yield Stage("positive", "Positive phase: the energy falls at the data.", batch.x)
        yield Stage("negative", "Negative phase: the energy rises at the walkers, by their weights.", here.x)
        at_data, at_walkers = energy(torch.cat([batch.x, here.x])).split([len(batch.x), self.walkers])
        loss = at_data.mean() - torch.softmax(here.log_w, 0) @ at_walkers

        few = worth(here.log_w) < self.resample * self.walkers
        again = Here(*(part[chosen] for part in here))._replace(log_w=torch.zeros_like(here.log_w))
        here = Here(*(torch.where(few, new, old) for new, old in zip(again, here, strict=True)))
        memory = self._depart(here, torch.where(few, log_z, memory.log_z), rng)
        yield Stage("proposal", "Each walker follows the force and is kicked by noise.", memory.x, here.x)
        return Terms(loss, negatives, at_data.detach().mean() + log_z, log_z=log_z), memory

    @torch.no_grad()
    def _fresh(self, energy: Energy, n: int, like: Tensor, rng: Rng) -> Walkers:
        """Draws n walkers from the broad law and makes them the model's by their importance weights."""

        x = self.start.sample(POOL * n, rng, like)
        value = energy(x)
        log_w = -value - self.start.log_density(x)
        chosen = systematic(log_w, n, rng)
        x, value = x[chosen], value[chosen]
        return Walkers(x, torch.zeros_like(x), value, log_average(log_w), torch.zeros_like(value))

    def _restarted(self, energy: Energy, memory: Walkers, rng: Rng) -> Walkers:
        """Replaces a share of the walkers, whatever their weights, by fresh ones."""

        n = round(self.restart * self.walkers)
        if n == 0:
            return memory
        fresh = self._fresh(energy, n, memory.x, rng)
        fresh = fresh._replace(log_w=fresh.log_w + fresh.log_z - memory.log_z)
        stay = torch.randperm(self.walkers, generator=rng, device=memory.x.device)[n:]
        x, back, log_w, step_size = (
            torch.cat([getattr(memory, name)[stay], getattr(fresh, name)])
            for name in ("x", "back", "log_w", "step_size")
        )
        return Walkers(x, back, log_w, memory.log_z, step_size)

    def _depart(self, here: Here, log_z: Tensor, rng: Rng) -> Walkers:
        """Moves every walker once; what the move is worth at its start is known now."""

        h = self.step_size
        back = h * here.grad - math.sqrt(2 * h) * randn(here.x.shape, rng, here.x)
        log_w = here.log_w + _alpha(here.value, here.grad, -back, h)
        return Walkers(here.x - back, back, log_w, log_z, torch.full_like(log_w, h))


def _arrive(energy: Energy, memory: Walkers) -> Here:
    """Completes the weights by what the last move is worth where it led, under the energy as it is now."""

    value, grad = value_and_grad(energy, memory.x)
    return Here(memory.x, value, grad, memory.log_w - _alpha(value, grad, memory.back, memory.step_size))


def _alpha(value: Tensor, grad: Tensor, way: Tensor, step_size: Tensor | float) -> Tensor:
    r"""Returns :math:`\alpha(x, x + \mathrm{way})`, with shape (n), from value and gradient at x."""

    return value + (way * grad).sum(-1) / 2 + step_size / 4 * grad.square().sum(-1)
