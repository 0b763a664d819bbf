from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ebmlab.engine.energies.base import ENERGIES, Confined, EnergyNet
from ebmlab.engine.energies.bend import BENDS
from ebmlab.engine.energies.blocks import Carrier, Layer
from ebmlab.engine.energies.layered import Chain, LayeredNet
from ebmlab.engine.energies.mlp import linear, linears
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@ENERGIES.register("convex")
@dataclass(frozen=True, kw_only=True)
class Convex(Confined):
    r"""Input-convex network: the density is log-concave, whatever is learnt.

    .. math:: f_\theta(x) = w^\top z_L + v^\top x + b, \qquad z_l = \zeta(W_l z_{l-1} + V_l x + b_l), \qquad
        z_1 = \zeta(V_1 x + b_1)

    The weights w and W are positive, being :math:`\zeta(u) = \log(1 + e^u)` of what is learnt; so each unit is a convex
    and rising function of convex ones. The density has one mode, connected level sets and tails no heavier than an
    exponential's: a second mode, a hole or a bend is out of its reach, and samplers have an easy time.

    References:
        | Input Convex Neural Networks (Amos, Xu & Kolter, 2017)
        | https://arxiv.org/abs/1609.07152
    """

    size: ClassVar[str] = "width"

    width: int = knob(128, "Units in each hidden layer.", low=1, high=1024, scale="log", live=False)
    depth: int = knob(2, "Hidden layers.", low=1, high=8, live=False)

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return ConvexNet(self, rng, dim)


class ConvexNet(LayeredNet):
    """The network of :class:`Convex`; it starts as a bowl that is 0 at the origin."""

    def __init__(self, spec: Convex, rng: Rng, dim: int) -> None:
        super().__init__(spec)
        n = spec.width
        self.direct = nn.ModuleList(linear(dim, n, rng) for _ in range(spec.depth))
        self.raw = nn.ParameterList(about(1 / n, (n, n), rng) for _ in range(spec.depth - 1))
        self.direct_head = linear(dim, 1, rng)
        self.raw_head = nn.Parameter(about(n**-0.5, (1, n), rng))
        with torch.no_grad():
            self.direct_head.bias.sub_(self.field(torch.zeros(dim)))

    def field(self, x: Tensor) -> Tensor:
        first, *others = self.direct
        z = softplus(first(x))
        for raw, direct in zip(self.raw, others, strict=True):
            z = softplus(z @ softplus(raw).t() + direct(x))
        return (z @ softplus(self.raw_head).t() + self.direct_head(x)).squeeze(-1)

    def chain(self) -> Chain:
        first, *others = linears(self.direct)
        weights: list[Tensor] = [first.weight]
        weights += [torch.cat([softplus(raw), way.weight], 1) for raw, way in zip(self.raw, others, strict=True)]
        series, biases = BENDS["softplus"].series, [way.bias for way in linears(self.direct)]
        blocks = [Carrier(Layer(w, b, series), first.in_features) for w, b in zip(weights, biases, strict=True)]
        top = torch.cat([softplus(self.raw_head), self.direct_head.weight], 1)
        return Chain(blocks, top, self.direct_head.bias)


def about(value: float, shape: tuple[int, int], rng: Rng) -> Tensor:
    """Draws numbers whose softplus lies about a value."""

    return math.log(math.expm1(value)) + 0.5 * torch.randn(shape, generator=rng)
