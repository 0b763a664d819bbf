from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.memory import remembered
from ebmlab.engine.types import Energy, Rng, Stages, finish
from ebmlab.spec import Component, Registry


@remembered
class Chains(NamedTuple):
    """What the next transition needs to know, and nothing else."""

    x: Tensor  # (n, d)
    energy: Any = None  # (n,), where the kernel compares energies
    grad: Any = None  # (n, d), where it needs the last gradient again
    extra: Any = None  # whatever else the kernel remembers


class Info(NamedTuple):
    """What happened during a transition, for the eye only."""

    accept: Tensor  # (n,), the probability of acceptance, in [0, 1]; 1 where nothing is ever rejected
    swaps: Tensor | None = None  # (K - 1,), the mean probability of a swap between neighbouring replicas


class Sampler(Component, ABC):
    r"""Abstract Markov kernel :math:`k(x' \mid x)` that (nearly) leaves :math:`\exp(-E(x)) / Z` invariant."""

    invariant: ClassVar[bool] = True
    r"""Whether a transition leaves :math:`\exp(-E / T)` invariant exactly, whatever the step size."""

    apart: ClassVar[bool] = True
    """Whether chains move apart and all at once, so that each might have an energy of its own."""

    def init(self, energy: Energy, x: Tensor) -> Chains:
        r"""Starts chains at points, with shape :math:`(n, d)`."""

        return Chains(x, *value_and_grad(energy, x))

    def refresh(self, energy: Energy, chains: Chains) -> Chains:
        """Returns the chains ready to go on after the energy has changed, keeping all that is still true of them."""

        return self.init(energy, chains.x)._replace(extra=chains.extra)

    @abstractmethod
    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        """Moves every chain once, pausing at each named stage."""

    def step(self, energy: Energy, chains: Chains, rng: Rng) -> tuple[Chains, Info]:
        """Moves every chain once."""

        return finish(self.stages(energy, chains, rng))

    def temperature_sampled(self) -> float:
        r"""Returns T, where the kernel targets :math:`\exp(-E / T)`."""

        return 1.0

    def warm_up(self) -> int:
        """Returns how many transitions go by before the kernel is at its temperature and its step size."""

        return 0

    def stability(self, curvature: float) -> float | None:
        """Returns the step size over its stability limit at a curvature, the largest eigenvalue of the Hessian.

        None where no step is too large.
        """

        return None


SAMPLERS: Registry[Sampler] = Registry("sampler")


@torch.no_grad()
def value(energy: Energy, x: Tensor) -> Tensor:
    r"""Returns :math:`E(x)`, with shape :math:`(n)`, detached, for a kernel that needs no gradient."""

    return energy(x)


def accept_all(x: Tensor) -> Info:
    """Returns what a kernel without a test reports."""

    return Info(accept=torch.ones(len(x), device=x.device))
