from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ebmlab.engine.calculus import Jet
from ebmlab.engine.energies.base import ENERGIES, Confined, ConfinedNet, EnergyNet
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@ENERGIES.register("quadratic")
@dataclass(frozen=True, kw_only=True)
class Quadratic(Confined):
    r"""Quadratic form: a Gaussian of which all moments are learnt.

    .. math:: f_\theta(x) = \frac{1}{2} (x - m)^\top A \, (x - m) + b, \qquad A = L L^\top

    The isotropic one learns a number alone, which may turn negative, and the energy is then not that of any density:

    .. math:: f_\theta(x) = \frac{a}{2} |x|^2 + b, \qquad Z = (2 \pi / a)^{d/2} e^{-b}

    On it every estimator's optimum is known in closed form, here with the confinement at 0.
    """

    precision: float = knob(1.0, "Precision a, or A on its diagonal, at the start.", low=1e-6, high=1e6, live=False)
    isotropic: bool = knob(False, "Whether one number a, free in sign, stands for A, and m is 0.", live=False)

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return IsotropicNet(self) if self.isotropic else QuadraticNet(self, dim)


class QuadraticNet(ConfinedNet):
    """The network of :class:`Quadratic`, with all of its moments."""

    def __init__(self, spec: Quadratic, dim: int) -> None:
        super().__init__(spec)
        self.mean = nn.Parameter(torch.zeros(dim))
        self.factor = nn.Parameter(torch.eye(dim) * math.sqrt(spec.precision))
        self.offset = nn.Parameter(torch.zeros(()))

    def field(self, x: Tensor) -> Tensor:
        return ((x - self.mean) @ self.factor).square().sum(-1) / 2 + self.offset

    def field_value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        y = (x - self.mean) @ self.factor
        return y.square().sum(-1) / 2 + self.offset, y @ self.factor.t()

    def field_grad(self, x: Tensor) -> Tensor:
        return (x.detach() - self.mean) @ self.factor @ self.factor.t()

    def field_jet(self, x: Tensor, probe: Tensor | None) -> Jet:
        x = x.detach()
        form = self.factor.square().sum() if probe is None else (probe.detach() @ self.factor).square().sum(-1)
        return Jet(self.field(x), self.field_grad(x), form.expand(len(x)))

    def named_figures(self) -> dict[str, float]:
        precision = self.factor.detach() @ self.factor.detach().t()
        figures = {f"m{i + 1}": value for i, value in enumerate(self.mean.tolist())}
        rows = enumerate(precision.tolist())
        return figures | {f"A{i + 1}{j + 1}": row[j] for i, row in rows for j in range(i, len(row))}


class IsotropicNet(ConfinedNet):
    """The network of :class:`Quadratic`, with one number for its precision."""

    def __init__(self, spec: Quadratic) -> None:
        super().__init__(spec)
        self.precision = nn.Parameter(torch.tensor(spec.precision))
        self.offset = nn.Parameter(torch.zeros(()))

    def field(self, x: Tensor) -> Tensor:
        return self.precision / 2 * x.square().sum(-1) + self.offset

    def field_value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.field(x), self.precision * x

    def field_grad(self, x: Tensor) -> Tensor:
        return self.precision * x.detach()

    def field_jet(self, x: Tensor, probe: Tensor | None) -> Jet:
        x = x.detach()
        form = x.shape[-1] if probe is None else probe.detach().square().sum(-1)
        return Jet(self.field(x), self.field_grad(x), (self.precision * form).expand(len(x)))

    def named_figures(self) -> dict[str, float]:
        return {"a": self.precision.item()}
