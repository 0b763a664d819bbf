from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ebmlab.engine.calculus import Jet
from ebmlab.engine.energies.base import ENERGIES, Confined, ConfinedNet, EnergyNet
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@ENERGIES.register("product")
@dataclass(frozen=True, kw_only=True)
class Product(Confined):
    r"""Product of experts: the free energy of a Gaussian-Bernoulli RBM.

    .. math:: f_\theta(x) = \frac{|x - a|^2}{2 s^2} - \sum_{j=1}^m \log\big(1 + e^{w_j \cdot x + c_j}\big) + b

    Each hidden unit of the restricted Boltzmann machine is an expert that takes one side of a line. Summed over all
    hidden states h, the density is one of :math:`2^m` Gaussians of the same spread s, so log Z is known for few units,
    here with the confinement at 0:

    .. math:: Z = (2 \pi s^2)^{d/2} e^{-b} \sum_{h \in \{0, 1\}^m}
        \exp\Big(c \cdot h + a \cdot W^\top h + \frac{s^2}{2} |W^\top h|^2\Big)

    The centres :math:`a + s^2 W^\top h` are not free: those of two experts bring along the one of both, which shows as
    modes where there are no data. Its few parameters want a rate about ten times that of a network.

    References:
        | Training Products of Experts by Minimizing Contrastive Divergence (Hinton, 2002)
        | https://doi.org/10.1162/089976602760128018
        | Exponential Family Harmoniums with an Application to Information Retrieval (Welling et al., 2004)
        | https://papers.nips.cc/paper/2004/hash/0e900ad84f63618452210ab8baae0218-Abstract.html
    """

    size: ClassVar[str] = "hidden"

    hidden: int = knob(32, "Hidden units m, each an expert.", low=1, high=16384, scale="log", symbol="m", live=False)
    spread: float = knob(
        1.0, "Spread s of the visible units, at the start.", low=1e-3, high=1e3, scale="log", symbol="s", live=False
    )

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return ProductNet(self, torch.randn(self.hidden, dim, generator=rng))


class ProductNet(ConfinedNet):
    """The network of :class:`Product`; it starts as a bowl, still too flat to have more than one mode."""

    def __init__(self, spec: Product, directions: Tensor) -> None:
        super().__init__(spec)
        m, dim = directions.shape
        self.centre = nn.Parameter(torch.zeros(dim))
        self.log_spread = nn.Parameter(torch.tensor(math.log(spec.spread)))
        self.weight = nn.Parameter(directions * (m**-0.5 / spec.spread))
        self.bias = nn.Parameter(torch.zeros(m))
        self.offset = nn.Parameter(torch.tensor(m * math.log(2)))

    def field(self, x: Tensor) -> Tensor:
        bowl = (x - self.centre).square().sum(-1) * self._precision() / 2
        return bowl - softplus(x @ self.weight.t() + self.bias).sum(-1) + self.offset

    def field_value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        inputs = torch.addmm(self.bias, x, self.weight.t())
        away, precision = x - self.centre, self._precision()
        value = torch.linalg.vecdot(away, away) * (precision / 2) - softplus(inputs).sum(-1) + self.offset
        return value, torch.addmm(away * precision, inputs.sigmoid_(), self.weight, alpha=-1)

    def field_grad(self, x: Tensor) -> Tensor:
        x = x.detach()
        beliefs = torch.addmm(self.bias, x, self.weight.t()).sigmoid()
        return torch.addmm((x - self.centre) * self._precision(), beliefs, self.weight, alpha=-1)

    def field_jet(self, x: Tensor, probe: Tensor | None) -> Jet:
        r"""Returns the jet, with the belief :math:`p_j` that a hidden unit is on, the sigmoid of its input.

        .. math:: \nabla f = \frac{x - a}{s^2} - \sum_j p_j w_j, \qquad
            v^\top \nabla^2 f \, v = \frac{|v|^2}{s^2} - \sum_j p_j (1 - p_j) (w_j \cdot v)^2
        """

        x = x.detach()
        inputs = torch.addmm(self.bias, x, self.weight.t())
        beliefs = inputs.sigmoid()
        away, precision = x - self.centre, self._precision()
        value = away.square().sum(-1) * (precision / 2) - softplus(inputs).sum(-1) + self.offset
        grad = torch.addmm(away * precision, beliefs, self.weight, alpha=-1)
        doubts = beliefs * (1 - beliefs)
        if probe is None:
            return Jet(value, grad, precision * x.shape[-1] - doubts @ self.weight.square().sum(-1))
        v = probe.detach()
        along = (v @ self.weight.t()).square()
        return Jet(value, grad, precision * v.square().sum(-1) - torch.linalg.vecdot(doubts, along))

    def _precision(self) -> Tensor:
        return torch.exp(-2 * self.log_spread)
