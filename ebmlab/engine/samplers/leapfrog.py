"""What the samplers that roll along a path of constant energy share."""

from __future__ import annotations

from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.samplers.base import Chains
from ebmlab.engine.types import Energy


def leap(energy: Energy, chains: Chains, v: Tensor, step: float | Tensor) -> tuple[Chains, Tensor]:
    """Moves points and velocities by one leap of the leapfrog scheme; a negative step goes back in time."""

    v = v - step / 2 * chains.grad
    x = chains.x + step * v
    chains = Chains(x, *value_and_grad(energy, x))
    return chains, v - step / 2 * chains.grad


def hamiltonian(chains: Chains, v: Tensor) -> Tensor:
    r"""Returns :math:`H(x, v) = E(x) + |v|^2 / 2`, with shape :math:`(n)`."""

    return chains.energy + v.square().sum(-1) / 2
