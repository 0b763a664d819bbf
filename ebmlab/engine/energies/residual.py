from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ebmlab.engine.energies.base import ENERGIES, Confined, EnergyNet
from ebmlab.engine.energies.bend import BENDS
from ebmlab.engine.energies.blocks import Layer, Residual
from ebmlab.engine.energies.layered import Chain, LayeredNet
from ebmlab.engine.energies.mlp import linear, linears, stack
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@ENERGIES.register("residual")
@dataclass(frozen=True, kw_only=True)
class ResidualPerceptron(Confined):
    r"""Residual network: each layer adds to what it was given.

    .. math:: f_\theta(x) = w^\top h_L + b, \qquad h_l = h_{l-1} + V_l \, \sigma(W_l h_{l-1} + b_l) + c_l, \qquad
        h_0 = W_0 x + b_0

    The way past the layers carries gradients through any depth. It also carries x itself to the top, so that far out
    the energy tends to a plane that only the confinement turns up. Score matching needs a smooth activation.

    References:
        | Identity Mappings in Deep Residual Networks (He, Zhang, Ren & Sun, 2016)
        | https://arxiv.org/abs/1603.05027
    """

    size: ClassVar[str] = "width"

    width: int = knob(64, "Units of the trunk, and of each layer beside it.", low=1, high=1024, scale="log", live=False)
    depth: int = knob(2, "Layers beside the trunk.", low=1, high=32, soft=(1, 8), live=False)
    activation: str = knob("silu", "What bends each unit.", choices=tuple(BENDS), live=False)

    @property
    def smooth(self) -> bool:
        return self.activation != "relu"

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return ResidualNet(self, rng, dim)


class ResidualNet(LayeredNet):
    """The network of :class:`ResidualPerceptron`; it starts with small steps aside, and low."""

    def __init__(self, spec: ResidualPerceptron, rng: Rng, dim: int) -> None:
        super().__init__(spec)
        n = spec.width
        self.trunk = linear(dim, n, rng)
        self.layers = nn.ModuleList(linear(n, n, rng) for _ in range(spec.depth))
        self.returns = nn.ModuleList(linear(n, n, rng) for _ in range(spec.depth))
        self.head = linear(n, 1, rng)
        self.bend = BENDS[spec.activation]
        with torch.no_grad():
            self.head.weight.mul_(n**-0.5)
            for way in linears(self.returns):
                way.weight.mul_(spec.depth**-0.5)

    def field(self, x: Tensor) -> Tensor:
        h = self.trunk(x)
        for layer, way in zip(linears(self.layers), linears(self.returns), strict=True):
            h = h + way(self.bend(layer(h)))
        return self.head(h).squeeze(-1)

    def chain(self) -> Chain:
        ways = zip(stack(self.layers, self.bend), linears(self.returns), strict=True)
        blocks = [Residual(layer, way.weight, way.bias) for layer, way in ways]
        return Chain([Layer(self.trunk.weight, self.trunk.bias, straight), *blocks], self.head.weight, self.head.bias)


def straight(a: Tensor, order: int) -> list[Tensor]:
    """The series of what does not bend."""

    flat = torch.zeros_like(a)
    return [a, torch.ones_like(a), flat, flat][: order + 1]
