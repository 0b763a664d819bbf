from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from ebmlab.engine.calculus import Jet
from ebmlab.engine.energies.base import ENERGIES, Confined, ConfinedNet, EnergyNet
from ebmlab.engine.energies.bend import BENDS
from ebmlab.engine.energies.layered import Jets
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


class MLPNet(ConfinedNet):
    """The network of :class:`MLP`."""

    def __init__(self, spec: MLP, rng: Rng, dim: int) -> None:
        super().__init__(spec)
        sizes = [dim] + [spec.width] * spec.depth
        self.hidden = nn.ModuleList(linear(n, m, rng) for n, m in pairwise(sizes))
        self.head = linear(spec.width, 1, rng)
        self.bend = BENDS[spec.activation]

    def field(self, x: Tensor) -> Tensor:
        bend = self.bend.value if torch.is_grad_enabled() else self.bend.overwrite
        for layer in self.hidden:
            x = bend(layer(x))
        return self.head(x).squeeze(-1)

    def field_value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        passed: list[tuple[Tensor, Tensor]] = []
        *hidden, (grad, offset) = self._theta()
        for weight, bias in hidden:
            x, slope = self.bend.series(torch.addmm(bias, x, weight.t()), 1)
            passed.append((weight, slope))
        value = torch.mv(x, grad[0]).add_(offset)
        for weight, slope in reversed(passed):
            grad = slope.mul_(grad) @ weight
        return value, grad

    def field_grad(self, x: Tensor) -> Tensor:
        return self._jet(x, None)[1]

    def field_jet(self, x: Tensor, probe: Tensor | None) -> Jet:
        basis = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device).unsqueeze(1)
        return Jet(*self._jet(x, basis if probe is None else probe.detach().unsqueeze(0)))

    def _jet(self, x: Tensor, probes: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        theta = chain.from_iterable(self._theta())
        return Jets.apply(self.bend.series, x.detach(), probes, *theta)  # type: ignore[no-untyped-call]

    def _theta(self) -> list[tuple[Tensor, Tensor]]:
        """Returns weight and bias of every layer, from the bottom up."""

        return [(layer.weight, layer.bias) for layer in (*cast("Iterable[nn.Linear]", self.hidden), self.head)]


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
