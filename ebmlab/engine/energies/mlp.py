from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from ebmlab.engine.energies.base import ENERGIES, EnergyNet, EnergySpec
from ebmlab.engine.types import Rng
from ebmlab.spec import knob

ACTIVATIONS = {
    "silu": nn.functional.silu,
    "softplus": nn.functional.softplus,
    "tanh": torch.tanh,
    "relu": torch.relu,
}


@ENERGIES.register("mlp")
@dataclass(frozen=True, kw_only=True)
class MLP(EnergySpec):
    r"""Multilayer perceptron.

    .. math:: f_\theta(x) = w^\top h_L + b, \qquad h_l = \sigma(W_l h_{l-1} + b_l), \qquad h_0 = x

    Score matching needs a smooth activation: with ReLU the Hessian vanishes almost everywhere.
    """

    width: int = knob(128, "Units in each hidden layer.", low=1, high=1024, scale="log", live=False)
    depth: int = knob(2, "Hidden layers.", low=1, high=8, live=False)
    activation: str = knob("silu", "What bends each unit.", choices=tuple(ACTIVATIONS), live=False)

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return MLPNet(self, rng, dim)


class MLPNet(EnergyNet):
    """The network of :class:`MLP`."""

    def __init__(self, spec: MLP, rng: Rng, dim: int) -> None:
        super().__init__(spec)
        sizes = [dim] + [spec.width] * spec.depth
        self.hidden = nn.ModuleList(linear(n, m, rng) for n, m in pairwise(sizes))
        self.head = linear(spec.width, 1, rng)
        self.activation: Callable[[Tensor], Tensor] = ACTIVATIONS[spec.activation]

    def field(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            x = self.activation(layer(x))
        return self.head(x).squeeze(-1)


@torch.no_grad()
def linear(n: int, m: int, rng: Rng) -> nn.Linear:
    """Makes a linear layer whose weights come from the given generator, not from the global one."""

    layer = nn.utils.skip_init(nn.Linear, n, m)
    layer.weight.normal_(std=n**-0.5, generator=rng)
    layer.bias.zero_()
    return layer
