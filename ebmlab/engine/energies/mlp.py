from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from ebmlab.engine.energies.base import ENERGIES, Confined, EnergyNet
from ebmlab.engine.energies.bend import BENDS, Bend
from ebmlab.engine.energies.blocks import Layer
from ebmlab.engine.energies.layered import Chain, LayeredNet
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@ENERGIES.register("mlp")
@dataclass(frozen=True, kw_only=True)
class MLP(Confined):
    r"""Multilayer perceptron.

    .. math:: f_\theta(x) = w^\top h_L + b, \qquad h_l = \sigma(W_l h_{l-1} + b_l), \qquad h_0 = x

    Score matching needs a smooth activation: with ReLU the Hessian vanishes almost everywhere.
    """

    size: ClassVar[str] = "width"

    width: int = knob(128, "Units in each hidden layer.", low=1, high=1024, scale="log", live=False)
    depth: int = knob(2, "Hidden layers.", low=1, high=8, live=False)
    activation: str = knob("silu", "What bends each unit.", choices=tuple(BENDS), live=False)

    @property
    def smooth(self) -> bool:
        return self.activation != "relu"

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return MLPNet(self, rng, dim)


class MLPNet(LayeredNet):
    """The network of :class:`MLP`."""

    def __init__(self, spec: MLP, rng: Rng, dim: int) -> None:
        super().__init__(spec)
        sizes = [dim] + [spec.width] * spec.depth
        self.hidden = nn.ModuleList(linear(n, m, rng) for n, m in pairwise(sizes))
        self.head = linear(spec.width, 1, rng)
        self.bend = BENDS[spec.activation]

    def field(self, x: Tensor) -> Tensor:
        for layer in self.hidden:
            x = self.bend(layer(x))
        return self.head(x).squeeze(-1)

    def chain(self) -> Chain:
        return Chain(stack(self.hidden, self.bend), self.head.weight, self.head.bias)


class Blank(nn.Linear):
    """A linear layer that draws nothing when it is made."""

    def reset_parameters(self) -> None:
        """Leaves the weights to :func:`linear`."""


@torch.no_grad()
def linear(n: int, m: int, rng: Rng) -> nn.Linear:
    """Makes a linear layer whose weights come from the given generator, not from the global one."""

    layer = Blank(n, m)
    layer.weight.normal_(std=n**-0.5, generator=rng)
    layer.bias.zero_()
    return layer


def linears(modules: nn.ModuleList) -> list[nn.Linear]:
    """Returns the linear layers of a list that holds no others."""

    return cast("list[nn.Linear]", list(modules))


def stack(modules: nn.ModuleList, bend: Bend) -> list[Layer]:
    """Returns linear layers, each bent, as blocks of a chain."""

    return [Layer(layer.weight, layer.bias, bend.series) for layer in linears(modules)]
