from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ebmlab.engine.energies.base import ENERGIES, Confined, ConfinedNet, EnergyNet
from ebmlab.engine.expression import parse
from ebmlab.engine.types import Rng
from ebmlab.spec import BadInput, knob


@ENERGIES.register("formula")
@dataclass(frozen=True, kw_only=True)
class Formula(Confined):
    r"""Typed formula, whose parameters are learnt.

    .. math:: f_\theta(x) = \text{formula}(x, y; \theta)

    A formula without parameters has nothing to learn, and can still be sampled and normalised.
    """

    expression: str = knob("a*(x**2+y**2)/2", "The energy, in x, y, numbers and the parameters.", live=False)
    parameters: tuple[tuple[str, float], ...] = knob(
        (("a", 0.3),), "The parameters and their first values.", names=True, live=False
    )

    def validate(self) -> None:
        parse(self.expression, [name for name, _ in self.parameters])

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        if dim != 2:
            raise BadInput(f"a formula speaks of x and y, and the target has {dim} dimensions; choose another energy")
        return FormulaNet(self)


class FormulaNet(ConfinedNet):
    """The network of :class:`Formula`; a parameter that the formula does not mention is not learnt."""

    def __init__(self, spec: Formula) -> None:
        super().__init__(spec)
        first = dict(spec.parameters)
        self.expression = parse(spec.expression, first)
        self.values = nn.ParameterList(torch.tensor(first[name]) for name in self.expression.names)

    def field(self, x: Tensor) -> Tensor:
        return self.expression(x, dict(zip(self.expression.names, self.values, strict=True)))

    def named_figures(self) -> dict[str, float]:
        return {name: value.item() for name, value in zip(self.expression.names, self.values, strict=True)}
