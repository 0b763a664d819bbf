from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ebmlab.engine.calculus import Jet
from ebmlab.engine.energies.base import ENERGIES, Confined, ConfinedNet, EnergyNet
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@ENERGIES.register("rbf")
@dataclass(frozen=True, kw_only=True)
class RBF(Confined):
    r"""Radial basis functions: a sum of learnt bumps and dents.

    .. math:: f_\theta(x) = b + \sum_j w_j \exp\Big(-\frac{|x - c_j|^2}{2 s_j^2}\Big)

    Each centre, width and weight is learnt. Smooth, and flat far from every centre, where only the confinement is left.

    References:
        | Multivariable functional interpolation and adaptive networks (Broomhead & Lowe, 1988)
        | https://www.complex-systems.com/abstracts/v02_i03_a05/
    """

    size: ClassVar[str] = "count"

    count: int = knob(64, "Centres; on a grid, as many as fill it.", low=1, high=4096, scale="log", live=False)
    placement: str = knob("grid", "Where the centres start.", choices=("grid", "random"), live=False)
    half_width: float = knob(
        4.0, "The centres start within this distance of the origin along each axis.", low=1e-3, high=1e3, live=False
    )

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        side = max(1, int(self.count ** (1 / dim) + 1e-9))
        if self.placement == "grid":
            axis = self.half_width * ((torch.arange(side) + 0.5) * (2 / side) - 1)
            centres = torch.cartesian_prod(*[axis] * dim).reshape(-1, dim)
        else:
            centres = self.half_width * (2 * torch.rand(self.count, dim, generator=rng) - 1)
        weights = torch.randn(len(centres), generator=rng) * len(centres) ** -0.5
        return RBFNet(self, centres, 2 * self.half_width / side, weights)


class RBFNet(ConfinedNet):
    """The network of :class:`RBF`."""

    def __init__(self, spec: RBF, centres: Tensor, scale: float, weights: Tensor) -> None:
        super().__init__(spec)
        self.centres = nn.Parameter(centres)
        self.log_scales = nn.Parameter(torch.full((len(centres),), scale).log())
        self.weights = nn.Parameter(weights)
        self.offset = nn.Parameter(torch.zeros(()))

    def field(self, x: Tensor) -> Tensor:
        away = x.unsqueeze(-2) - self.centres
        return self._bumps(away)[0].sum(-1) + self.offset

    def field_value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        away = x.unsqueeze(-2) - self.centres
        bumps, precisions = self._bumps(away)
        return bumps.sum(-1) + self.offset, self._pull(away, bumps * precisions)

    def field_grad(self, x: Tensor) -> Tensor:
        return self.field_value_and_grad(x.detach())[1]

    def field_jet(self, x: Tensor, probe: Tensor | None) -> Jet:
        r"""Returns the jet.

        .. math:: v^\top \nabla^2 f_j \, v = \frac{f_j}{s_j^2} \Big( \frac{(v \cdot (x - c_j))^2}{s_j^2} - |v|^2 \Big)
        """

        away = x.detach().unsqueeze(-2) - self.centres  # (n, j, d)
        bumps, precisions = self._bumps(away)
        steep = bumps * precisions
        length: Tensor | int = x.shape[-1]
        along = away
        if probe is not None:
            v = probe.detach()
            along, length = away @ v.unsqueeze(-1), v.square().sum(-1, keepdim=True)
        second = (steep * (precisions * along.square().sum(-1) - length)).sum(-1)
        return Jet(bumps.sum(-1) + self.offset, self._pull(away, steep), second)

    def _bumps(self, away: Tensor) -> tuple[Tensor, Tensor]:
        """Returns each centre's part of f, with shape (*, j), and the precisions of all, with shape (j)."""

        precisions = torch.exp(-2 * self.log_scales)
        return self.weights * torch.exp(away.square().sum(-1) * precisions / -2), precisions

    def _pull(self, away: Tensor, steep: Tensor) -> Tensor:
        return -(steep.unsqueeze(-2) @ away).squeeze(-2)
